"""The weighted vote, worked out by hand: rare classes first."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tolerances import FLOAT64_ATOL

from dataprogramming.label_models.weighted_vote import WeightedVote

Votes = npt.NDArray[np.int8]
NEGATIVE, POSITIVE = 0, 1


def rare() -> npt.NDArray[np.int64]:
    """1000 points, the first 100 of which are positive."""
    return np.repeat([POSITIVE, NEGATIVE], [100, 900])


def votes_on(truth: npt.NDArray[np.int64], *rules: tuple[int, dict[int, int]]) -> Votes:
    """A column for each rule: what it votes for, and on how many points of each class.

    Each rule takes its points of a class evenly spread, and one after the other, so that rules meet as chance would have it.
    """
    L = np.full((len(truth), len(rules)), -1, np.int8)
    for j, (vote, on) in enumerate(rules):
        for c, count in on.items():
            points = np.flatnonzero(truth == c)
            order = np.random.default_rng(j).permutation(len(points))
            L[points[order[:count]], j] = vote
    return L


def model_of(truth: npt.NDArray[np.int64], L: Votes, k: int, points: Votes | None = None) -> WeightedVote:
    return WeightedVote(k).fit(L if points is None else points, L, np.eye(k, dtype=np.int8)[truth])


def test_a_vote_for_a_rare_class_is_as_likely_right_as_it_was_on_gold() -> None:
    """A tenth is positive and the rule is right on 40 of its 50 votes: such a point is positive four times in five.

    By hand: balance 101/1002. By chance 50 * 0.1008 = 5.04 votes are right, so κ = (40 - 5.04 + 1) / (50 - 5.04 + 2)
    = 0.7658, an imaginary vote is right with 0.7658 + 0.2342 * 0.1008 = 0.7894, and (40 + 5 * 0.7894) / 55 = 0.7990.
    """
    truth = rare()
    model = model_of(truth, votes_on(truth, (POSITIVE, {POSITIVE: 40, NEGATIVE: 10})), 2)
    probs = model.predict_proba(np.array([[POSITIVE], [-1]], np.int8))
    np.testing.assert_allclose(probs[:, POSITIVE], [0.7990, 101 / 1002], atol=1e-4)
    np.testing.assert_allclose(model.fitted_.weights, [0.7990], atol=1e-4)


def test_two_such_rules_that_agree() -> None:
    """Odds of 0.8 : 0.2 by the first; the second multiplies them by 4 / (1/9), its odds by those of the class."""
    truth = rare()
    rule = (POSITIVE, {POSITIVE: 40, NEGATIVE: 10})
    probs = model_of(truth, votes_on(truth, rule, rule), 2).predict_proba(np.array([[1, 1]], np.int8))
    assert probs[0, POSITIVE] == pytest.approx(144 / 145, abs=2e-3)


def test_a_rule_for_the_frequent_class() -> None:
    """Right on 98 of 100 votes where 90 would be so by chance; and one that is right as often as chance."""
    truth = rare()
    L = votes_on(truth, (NEGATIVE, {NEGATIVE: 98, POSITIVE: 2}), (NEGATIVE, {NEGATIVE: 90, POSITIVE: 10}))
    probs = model_of(truth, L, 2).predict_proba(np.array([[0, -1], [-1, 0], [-1, -1]], np.int8))
    assert probs[0, NEGATIVE] == pytest.approx(0.98, abs=0.005)
    assert probs[1, NEGATIVE] == pytest.approx(probs[2, NEGATIVE], abs=0.005)


def test_a_rule_that_is_right_less_often_than_chance_speaks_against_its_class() -> None:
    """It votes for the frequent class on 50 points of each, so a point of its is as likely positive."""
    truth = rare()
    L = votes_on(truth, (NEGATIVE, {NEGATIVE: 50, POSITIVE: 50}))
    (probs,) = model_of(truth, L, 2).predict_proba(np.array([[NEGATIVE]], np.int8))
    assert probs[NEGATIVE] == pytest.approx(0.5, abs=0.03)
    assert probs[NEGATIVE] < 0.9


def test_a_rule_without_votes_on_gold_is_taken_to_be_like_the_others() -> None:
    """Three of four votes are right where two would be so by chance: κ = (3 - 2 + 1) / (4 - 2 + 2) = 1/2."""
    truth = np.array([0, 0, 1, 1])
    L = np.array([[0, -1]] * 3 + [[1, -1]], np.int8)
    probs = model_of(truth, L, 2).predict_proba(np.array([[-1, 0], [-1, 1]], np.int8))
    np.testing.assert_allclose(probs, [[0.75, 0.25], [0.25, 0.75]], atol=FLOAT64_ATOL)


def test_a_class_that_gold_does_not_have_is_named_by_its_rule() -> None:
    """Balance 7/15, 7/15, 1/15 of three classes; the rule for the third votes on no gold point.

    All 6 votes of the first are right, 2.8 of them by chance: κ = (6 - 2.8 + 1) / (6 - 2.8 + 2) = 21/26.
    """
    truth = np.array([0] * 6 + [1] * 6)
    L = votes_on(truth, (0, {0: 6}), (2, {}))
    (probs,) = model_of(truth, L, 3).predict_proba(np.array([[-1, 2]], np.int8))
    known = 21 / 26
    expected = [(1 - known) * 7 / 15] * 2 + [known + (1 - known) / 15]
    np.testing.assert_allclose(probs, expected, atol=FLOAT64_ATOL)


def test_a_rule_with_several_votes_learns_what_each_of_them_means() -> None:
    """Five classes of 100 points; the rule tells 0 and 1 apart well, calls all of 2 and 3 by 2, and 4 by anything."""
    truth = np.repeat(np.arange(5), 100)
    said = np.concatenate([np.zeros(100), np.ones(100), np.full(200, 2), np.arange(100) % 5]).astype(np.int8)
    model = model_of(truth, said[:, None], 5)
    probs = model.predict_proba(np.arange(5, dtype=np.int8)[:, None])
    np.testing.assert_allclose(probs[0], [100 / 120, 0, 0, 0, 20 / 120], atol=0.02)
    np.testing.assert_allclose(probs[2], [0, 0, 100 / 220, 100 / 220, 20 / 220], atol=0.02)
    assert probs[4].argmax() == 4  # 20 votes, all of them right
    assert model.predict(np.array([[2]], np.int8)).sum() == 1


@st.composite
def voted_gold(draw: st.DrawFn) -> tuple[Votes, npt.NDArray[np.int64], int]:
    k, n, m = draw(st.integers(2, 5)), draw(st.integers(1, 30)), draw(st.integers(1, 4))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    return rng.integers(-1, k, (n, m)).astype(np.int8), rng.integers(0, k, n), k


@given(voted_gold())
@settings(max_examples=30)
def test_any_votes_and_gold_give_a_distribution_and_silence_the_balance(
    drawn: tuple[Votes, npt.NDArray[np.int64], int],
) -> None:
    L, truth, k = drawn
    model = model_of(truth, L, k)
    probs = model.predict_proba(np.vstack([L, np.full((1, L.shape[1]), -1, np.int8)]))
    assert (probs > 0).all()
    np.testing.assert_allclose(probs.sum(axis=1), 1)
    np.testing.assert_allclose(probs[-1], model.fitted_.balance)


@given(voted_gold())
@settings(max_examples=30)
def test_classes_in_another_order_are_the_same_classes(
    drawn: tuple[Votes, npt.NDArray[np.int64], int],
) -> None:
    L, truth, k = drawn
    turned = np.where(L >= 0, (L + 1) % k, -1).astype(np.int8)
    probs, other = model_of(truth, L, k).predict_proba(L), model_of((truth + 1) % k, turned, k)
    np.testing.assert_allclose(
        np.roll(other.predict_proba(turned), -1, axis=1), probs, rtol=0, atol=FLOAT64_ATOL
    )
