"""Label models on tiny label matrices, worked out by hand."""

import numpy as np
import pytest

from adaptml.tasks import MULTICLASS, MULTILABEL
from dataprogramming.label_models.core import Gold, covered
from dataprogramming.label_models.majority import fit_majority
from dataprogramming.label_models.multilabel import best_thresholds, fit_em, fit_union
from dataprogramming.label_models.scoring import decide, predict_proba
from dataprogramming.label_models.weighted_vote import fit_weighted_vote


def gold_of(votes: list[list[int]], classes: list[int], k: int) -> Gold:
    return Gold(np.array(votes, np.int8), np.eye(k, dtype=np.int8)[classes])


def test_covered() -> None:
    assert covered(np.array([[-1, -1], [-1, 0]], np.int8)).tolist() == [False, True]


def test_class_balance_is_smoothed() -> None:
    gold = gold_of([[0], [0], [0]], [0, 0, 1], 3)
    np.testing.assert_allclose(MULTICLASS.class_prior(gold.Y, 3), [3 / 6, 2 / 6, 1 / 6])
    np.testing.assert_allclose(MULTILABEL.class_prior(gold.Y, 3), [3 / 5, 2 / 5, 1 / 5])
    np.testing.assert_allclose(MULTICLASS.class_prior(None, 4), [0.25] * 4)
    np.testing.assert_allclose(MULTILABEL.class_prior(None, 2), [0.5, 0.5])


def test_majority_breaks_ties_by_the_class_balance() -> None:
    model = fit_majority(3, np.array([0.4, 0.6]))
    probs = predict_proba(model, np.array([[0, 1, -1], [0, 0, 1], [-1, -1, -1]], np.int8))
    np.testing.assert_allclose(probs, [[1.4 / 3, 1.6 / 3], [2.4 / 4, 1.6 / 4], [0.4, 0.6]])


def test_weighted_vote_by_hand() -> None:
    # One LF votes 0 on three points, two of them of class 0; prior (3/5, 2/5) by Laplace.
    model = fit_weighted_vote(gold_of([[0], [0], [0]], [0, 0, 1], 2))
    overall = (2 + 1) / (3 + 2)
    accuracy = (2 + 2 * overall) / (3 + 2)
    right = 0.6 * accuracy / (0.6 * accuracy + 0.4 * (1 - accuracy))  # log(a / (1 - a)) on top of the prior
    np.testing.assert_allclose(model.weights, [accuracy])
    np.testing.assert_allclose(
        predict_proba(model, np.array([[0], [-1]], np.int8)), [[right, 1 - right], [0.6, 0.4]]
    )


def test_weighted_vote_trusts_the_lf_that_is_right_on_gold() -> None:
    votes = [[0, 1]] * 10 + [[1, 0]] * 10
    model = fit_weighted_vote(gold_of(votes, [0] * 10 + [1] * 10, 2))
    assert model.weights[0] > 0.75 > 0.25 > model.weights[1]
    assert decide(model, predict_proba(model, np.array([[1, 0]], np.int8))).tolist() == [[0, 1]]


def test_weighted_vote_on_gold_without_votes() -> None:
    model = fit_weighted_vote(Gold(np.empty((0, 2), np.int8), np.empty((0, 3), np.int8)))
    np.testing.assert_allclose(predict_proba(model, np.array([[-1, -1]], np.int8)), [[1 / 3] * 3])
    assert np.isfinite(model.table).all()


def test_union_names_every_class_with_a_vote() -> None:
    model = fit_union(3, None, 3)
    votes = np.array([[0, 2, -1], [-1, -1, 1], [-1, -1, -1]], np.int8)
    assert decide(model, predict_proba(model, votes)).tolist() == [[1, 0, 1], [0, 1, 0], [0, 0, 0]]


def test_union_believes_votes_as_far_as_gold_bears_them_out() -> None:
    # LF 0 is right twice of two, LF 1 never of five: (2 + 4) / (2 + 5) and 4 / (5 + 5)
    votes = np.array([[0, -1], [0, 1], [-1, 1], [-1, 1], [-1, 1], [-1, 1]], np.int8)
    gold = Gold(votes, np.array([[1, 0]] * 6, np.int8))
    model = fit_union(2, gold, 2)
    np.testing.assert_allclose(model.weights, [6 / 7, 0.4])
    probs = predict_proba(model, np.array([[0, 0], [1, -1], [-1, 1]], np.int8))
    np.testing.assert_allclose(probs, [[1 - 1 / 7 * 0.6, 0], [0, 6 / 7], [0, 0.4]])
    assert decide(model, probs).tolist() == [[1, 0], [0, 1], [0, 1]]


def planted(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Two independent classes; three LFs a class that vote on 70 % of its points and on 5 % of the others."""
    Y = (rng.random((n, 2)) < [0.4, 0.2]).astype(np.int8)
    L = np.full((n, 6), -1, np.int8)
    for j in range(6):
        fires = rng.random(n) < np.where(Y[:, j % 2] == 1, 0.7, 0.05)
        L[fires, j] = j % 2
    return L, Y


def test_em_finds_planted_classes_and_beats_the_union() -> None:
    L, Y = planted(np.random.default_rng(0), 4000)
    gold = Gold(L[:2000], Y[:2000])
    em = fit_em(L, gold, 2)
    union = fit_union(6, gold, 2)
    right = [(decide(m, predict_proba(m, L)) == Y).mean() for m in (union, em)]
    assert right[1] > right[0] + 0.02
    # precision of votes: .4 * .7 / (.4 * .7 + .6 * .05) = .90 and .2 * .7 / (.2 * .7 + .8 * .05) = .78
    np.testing.assert_allclose(em.weights, [0.90, 0.78] * 3, atol=0.04)


def test_em_without_votes_for_a_class_gives_its_rate() -> None:
    em = fit_em(np.array([[0, 0], [0, -1], [-1, -1]], np.int8), None, 2)
    np.testing.assert_allclose(predict_proba(em, np.array([[0, -1]], np.int8))[:, 1], [0.5])


def test_thresholds_with_the_best_f1() -> None:
    Y = np.array([[1, 1]] * 5 + [[0, 0]] * 5, np.int8)
    probs = np.column_stack([[0.32] * 5 + [0.27] * 5, [0.9] * 5 + [0.82] * 5])
    np.testing.assert_allclose(best_thresholds(probs, Y), [0.3, 0.85])


def test_few_gold_points_keep_the_threshold() -> None:
    np.testing.assert_allclose(
        best_thresholds(np.array([[0.3], [0.2]]), np.array([[1], [0]], np.int8)), [0.5]
    )


@pytest.mark.parametrize("k", [2, 3])
def test_every_probability_of_the_vote_models_is_a_distribution(k: int) -> None:
    rng = np.random.default_rng(1)
    L = rng.integers(-1, k, (50, 4)).astype(np.int8)
    gold = gold_of(L[:20].tolist(), rng.integers(0, k, 20).tolist(), k)
    for model in (fit_majority(4, MULTICLASS.class_prior(gold.Y, k)), fit_weighted_vote(gold)):
        probs = predict_proba(model, L)
        assert (probs > 0).all()
        np.testing.assert_allclose(probs.sum(axis=1), 1)
