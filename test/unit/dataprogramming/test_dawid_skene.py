"""Dawid and Skene's model with silence: by hand, against EM row by row, and on planted classes."""

import numpy as np
import numpy.typing as npt
import pytest
from tolerances import FLOAT64_ATOL

from adaptml.tasks import MULTICLASS
from dataprogramming.label_models.core import Gold
from dataprogramming.label_models.dawid_skene import _EM, MAX_ROUNDS, TOLERANCE, DawidSkene, _Counts
from dataprogramming.label_models.majority import MajorityVote
from dataprogramming.label_models.weighted_vote import WeightedVote

Votes = npt.NDArray[np.int8]
Floats = npt.NDArray[np.float64]


def em_of(L: Votes, gold: Gold | None, k: int) -> _EM:
    balance = MULTICLASS.class_prior(None if gold is None else gold.Y, k)
    return _EM(DawidSkene(k).summary(L), gold, balance, ())


def random_gold(seed: int, n: int, m: int, k: int) -> Gold:
    rng = np.random.default_rng(seed)
    Y = np.eye(k, dtype=np.int8)[rng.integers(0, k, n)]
    return Gold(rng.integers(-1, k, (n, m)).astype(np.int8), Y)


def test_counts_on_gold_by_hand() -> None:
    """One rule, silent or voting for class 1, on four gold points and on the same four without gold.

    Balance (3 + 1) / 6 and (1 + 1) / 6. The one vote on gold is right, 1/3 of one by chance: κ = (1 - 1/3 + 1) /
    (1 - 1/3 + 2) = 5/8, so 5 imaginary votes fall on class 1 with 5/8 + 3/8 * 1/3 = 3/4: 3.75 of them, 1.25 on
    class 0. One row in four has a vote, so that they are of 20 imaginary points, 20/3 of them of class 1. With
    gold: class 1 votes 4.75 of 23/3 times, class 0 1.25 of 40/3 + 3 = 49/3 times.
    """
    L = np.array([[1], [-1], [-1], [-1]], np.int8)
    em = em_of(L, Gold(L, np.eye(2, dtype=np.int8)[[1, 0, 0, 0]]), 2)
    silence, _, vote = np.exp(em.table(em.start)[0])
    in_0, in_1 = 1.25 / (49 / 3), 4.75 / (23 / 3)
    np.testing.assert_allclose(silence, [1 - in_0, 1 - in_1], atol=FLOAT64_ATOL)
    np.testing.assert_allclose(vote, [in_0, in_1], atol=FLOAT64_ATOL)


def test_em_row_by_row() -> None:
    """On votes of which no two rows need be alike, each row a point of its own; no gold, classes alike frequent."""
    L = random_gold(0, 60, 3, 2).L
    em = em_of(L, None, 2)
    votes, points = np.zeros((3, 2, 2)), em.start.points
    votes[em.lf, em.pairs % 2] = em.start.votes
    start_votes, start_points, q = votes, points, np.full((60, 2), np.inf)
    for _ in range(MAX_ROUNDS):
        seen = np.concatenate([(points - votes.sum(axis=1))[:, None], votes], axis=1) / points[:, None]
        likely = np.array([[seen[range(3), row + 1, c].prod() for c in (0, 1)] for row in L])
        before, q = q, likely / likely.sum(axis=1, keepdims=True)
        if np.abs(q - before).max() < TOLERANCE:
            break
        votes, points = start_votes.copy(), start_points + q.sum(axis=0)
        for row, share in zip(L, q, strict=True):
            for j in np.flatnonzero(row >= 0):
                votes[j, row[j]] += share
    table = em.table(em.best())
    np.testing.assert_allclose(np.exp(table), seen, atol=FLOAT64_ATOL)


def test_a_gold_point_is_judged_without_what_it_adds_to_the_counts() -> None:
    gold = random_gold(1, 30, 3, 3)
    em = em_of(random_gold(2, 50, 3, 3).L, gold, 3)
    losses = []
    for row, truth in zip(em.on_gold.toarray(), em.truth, strict=True):
        votes, points = em.start.votes.copy(), em.start.points.copy()
        votes[:, truth] -= row
        points[:, truth] -= 1
        table = em.table(_Counts(votes, points))
        said = np.full(3, -1)
        said[em.lf[row > 0]] = em.pairs[row > 0] % 3
        scores = np.log(em.balance) + table[range(3), said + 1].sum(axis=0)
        losses.append(np.log(np.exp(scores).sum()) - scores[truth])
    assert em._loss(em.start) == pytest.approx(np.mean(losses), abs=FLOAT64_ATOL)


def planted(n: int, seed: int) -> tuple[Votes, npt.NDArray[np.int64]]:
    """Four classes, three rules each, which speak on half of its points and on one of nine others."""
    rng = np.random.default_rng(seed)
    truth = rng.choice(4, n, p=[0.1, 0.2, 0.3, 0.4])
    own = np.equal(truth[:, None], np.arange(12) % 4)
    fires = rng.random((n, 12)) < np.where(own, np.linspace(0.2, 0.8, 12), 0.11)
    return np.where(fires, np.arange(12) % 4, -1).astype(np.int8), truth


def accuracy(
    model: MajorityVote | WeightedVote | DawidSkene, L: Votes, truth: npt.NDArray[np.int64]
) -> float:
    return float((model.predict(L).argmax(axis=1) == truth).mean())


def test_unlabelled_points_say_what_little_gold_cannot() -> None:
    L, truth = planted(3000, 0)
    Y = np.eye(4, dtype=np.int8)[truth[:60]]
    majority, weighted, ours = (
        accuracy(kind(4).fit(L, L[:60], Y), L, truth) for kind in (MajorityVote, WeightedVote, DawidSkene)
    )
    assert ours > max(majority, weighted) + 0.02


def test_silence_speaks_without_gold() -> None:
    """Three rules for class 0 that vote on 0.9 of its points and 0.05 of the others, and a timid one for class 1.

    A vote of one of the three and the silence of the two others: 0.9 / 0.05 * (0.1 / 0.95)^2 = 0.2, so it is 1.
    """
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, 2000)
    fires = rng.random((2000, 4)) < np.where(truth[:, None] == [0, 0, 0, 1], [0.9, 0.9, 0.9, 0.3], 0.05)
    model = DawidSkene(2).fit(np.where(fires, [0, 0, 0, 1], -1).astype(np.int8))
    asked = np.array([[0, 0, -1, -1], [0, -1, -1, -1], [-1, -1, -1, 1]], np.int8)
    assert model.predict(asked).argmax(axis=1).tolist() == [0, 1, 1]
    np.testing.assert_allclose(np.exp(model.fitted_.table[:3, 1, 0]), 0.9, atol=0.03)


def test_where_unlabelled_points_mislead_gold_alone_is_believed() -> None:
    """Eight rules vote 1 together on every second point, whatever its class: as if that were the class."""
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, 4000)
    together = rng.random(4000) < 0.5
    good = np.where(rng.random((4000, 2)) < 0.85, truth[:, None], 1 - truth[:, None])
    fires = together[:, None] & (rng.random((4000, 8)) < 0.6)
    L = np.column_stack([good, np.where(fires, 1, -1)]).astype(np.int8)
    Y = np.eye(2, dtype=np.int8)[truth[:200]]
    misled = accuracy(DawidSkene(2).fit(L), L, truth)
    assert misled < 0.6
    assert accuracy(DawidSkene(2).fit(L, L[:200], Y), L, truth) > 0.83
