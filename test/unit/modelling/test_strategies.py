"""Strategies to combine gold and weak labels, and the choice between them."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from tolerances import FLOAT32_ATOL

from adaptml.errors import ModelError
from adaptml.tasks import MULTICLASS, MULTILABEL, folds
from modelling.algorithms import get_algorithm
from modelling.algorithms.core import Floats, Matrix
from modelling.strategies import (
    AUTO,
    FOLDS,
    Gold,
    Learner,
    Weak,
    combine,
    cross_validate,
    list_strategies,
)

LR = Learner(get_algorithm("logistic_regression"), MULTICLASS)
LR_MULTILABEL = Learner(get_algorithm("logistic_regression"), MULTILABEL)


def points(n: int, seed: int) -> tuple[Matrix, npt.NDArray[np.int8]]:
    """Points of three classes, each about one axis, and their indicator."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 3
    return (2 * np.eye(3)[y] + rng.normal(0, 0.8, (n, 3))).astype(np.float32), np.eye(3, dtype=np.int8)[y]


X_WEAK, TRUE_WEAK = points(240, 1)
X_GOLD, Y_GOLD = points(45, 2)
X_NEW, Y_NEW = points(300, 3)
GOLD = Gold(X_GOLD, Y_GOLD)


def confused(Y: npt.NDArray[np.int8], share: float) -> Floats:
    """Weak labels that take this share of class 2 for class 1."""
    moved = (Y[:, 2] == 1) & (np.arange(len(Y)) % 10 < 10 * share)
    wrong = Y.copy()
    wrong[moved] = [0, 1, 0]
    return np.asarray(0.8 * wrong + 0.2 / 3, np.float64)


def accuracy(model: Any) -> float:
    return float((model.predict_proba(X_NEW).argmax(axis=1) == Y_NEW.argmax(axis=1)).mean())


@pytest.mark.parametrize("strategy", ["gold", "weak", "union", "stacked", "relabelled"])
@pytest.mark.parametrize("name", ["logistic_regression", "knn"])
def test_every_strategy_trains_every_kind_of_algorithm(strategy: str, name: str) -> None:
    learner = Learner(get_algorithm(name), MULTICLASS)
    combined = combine(strategy, learner, Weak(X_WEAK, confused(TRUE_WEAK, 0.0)), GOLD)
    assert (combined.strategy, combined.reason, combined.held_out) == (strategy, "it was asked for", {})
    assert accuracy(combined.model) > 0.85


def test_gold_fixes_what_weak_labels_systematically_get_wrong() -> None:
    weak = Weak(X_WEAK, confused(TRUE_WEAK, 0.8))
    reached = {strategy: accuracy(combine(strategy, LR, weak, GOLD).model) for strategy in list_strategies()}
    assert reached["weak"] < 0.75
    assert reached["union"] > reached["weak"]
    assert reached["stacked"] > reached["weak"] + 0.15
    assert reached["relabelled"] > reached["weak"] + 0.15


def test_auto_chooses_by_held_out_gold_and_says_so() -> None:
    combined = combine(AUTO, LR, Weak(X_WEAK, confused(TRUE_WEAK, 0.8)), GOLD)
    assert list(combined.held_out) == list_strategies() == ["gold", "weak", "union", "stacked", "relabelled"]
    best = min(combined.held_out.values(), key=lambda held_out: held_out.log_loss)
    assert combined.held_out[combined.strategy] is best
    assert combined.strategy != "weak"
    assert combined.reason == f"lowest log loss on held-out gold ({best.log_loss:.3f})"


@pytest.mark.parametrize(
    ("weak", "gold", "strategy", "reason"),
    [
        (Weak(X_WEAK, confused(TRUE_WEAK, 0.0)), None, "weak", "no gold labels were given to train on"),
        (None, GOLD, "gold", "no weak labels were given to train on"),
        (
            Weak(X_WEAK, confused(TRUE_WEAK, 0.0)),
            Gold(X_GOLD[:19], Y_GOLD[:19]),
            "union",
            "19 gold points are too few to choose by; 20 are needed",
        ),
    ],
)
def test_auto_without_a_choice(weak: Weak | None, gold: Gold | None, strategy: str, reason: str) -> None:
    combined = combine(AUTO, LR, weak, gold)
    assert (combined.strategy, combined.reason, combined.held_out) == (strategy, reason, {})


def test_held_out_gold_is_kept_out_of_the_weak_labels() -> None:
    asked: list[list[int]] = []

    def refit(rows: npt.NDArray[np.int64]) -> Floats:
        asked.append(rows.tolist())
        return confused(TRUE_WEAK, 0.0)

    cross_validate(["weak"], LR, Weak(X_WEAK, confused(TRUE_WEAK, 0.5), refit=refit), GOLD)
    assert len(asked) == FOLDS
    for rows in asked:
        assert len(rows) == 36
    left_out = [set(range(45)) - set(rows) for rows in asked]
    assert set().union(*left_out) == set(range(45))


def test_held_out_metrics_worked_out_by_hand() -> None:
    """Without features a model can only say how frequent classes are: 2/3 and 1/3 in every part."""
    gold = Gold(np.zeros((30, 1), np.float32), np.eye(2, dtype=np.int8)[[0, 0, 1] * 10])
    held_out = cross_validate(["gold"], LR, None, gold)["gold"]
    np.testing.assert_allclose(held_out.probs, np.tile([2 / 3, 1 / 3], (30, 1)), atol=1e-3)
    assert held_out.metric == pytest.approx(2 / 3)
    assert held_out.log_loss == pytest.approx(-(20 * np.log(2 / 3) + 10 * np.log(1 / 3)) / 30, abs=1e-3)


def test_strategies_that_cannot_be_trained_are_left_out() -> None:
    """The only point of class 1 is missing in one part: gold alone has one class there."""
    Y = np.eye(3, dtype=np.int8)[[0] * 9 + [1]]
    gold = Gold(X_GOLD[:10], Y)
    weak = Weak(X_WEAK, confused(TRUE_WEAK, 0.0))
    assert list(cross_validate(["gold", "weak"], LR, weak, gold)) == ["weak"]
    with pytest.raises(ModelError, match="the training data hold one class only"):
        cross_validate(["gold"], LR, weak, gold)


def test_parts_hold_like_rows_evenly() -> None:
    Y = np.eye(2, dtype=np.int8)[[0] * 10 + [1] * 5]
    parts = folds(Y, 5, seed=3)
    for part in range(5):
        np.testing.assert_array_equal(Y[parts == part].sum(axis=0), [2, 1])
    np.testing.assert_array_equal(parts, folds(Y, 5, seed=3))
    assert (parts != folds(Y, 5, seed=4)).any()


@pytest.mark.parametrize("strategy", ["gold", "weak", "union", "stacked", "relabelled"])
def test_multilabel(strategy: str) -> None:
    def both(Y: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
        return np.column_stack([Y[:, 0] | Y[:, 1], Y[:, 2]]).astype(np.int8)

    weak = Weak(X_WEAK, np.asarray(0.8 * both(TRUE_WEAK) + 0.1, np.float64))
    gold = Gold(X_GOLD, both(Y_GOLD))
    combined = combine(strategy, LR_MULTILABEL, weak, gold)
    named = MULTILABEL.decide(combined.model.predict_proba(X_NEW))
    assert (named == both(Y_NEW)).mean() > 0.85
    held_out = cross_validate([strategy], LR_MULTILABEL, weak, gold)[strategy]
    assert held_out.metric > 0.8
    assert 0 < held_out.log_loss < 0.5


def test_points_without_votes_are_relabelled_too() -> None:
    """Class 2 never gets a vote: only gold and the points without votes can show it."""
    seen = TRUE_WEAK[:, 2] == 0
    weak = Weak(X_WEAK[seen], confused(TRUE_WEAK, 0.0)[seen], X_rest=X_WEAK[~seen])
    assert accuracy(combine("weak", LR, weak, GOLD).model) < 0.7
    assert accuracy(combine("relabelled", LR, weak, GOLD).model) > 0.85


def test_hard_labels_where_they_are_asked_for() -> None:
    unsure = np.where(TRUE_WEAK == 1, 0.4, 0.3)
    hard = Learner(LR.classifier, LR.problem, soft_labels=False).fit(X_WEAK, unsure).predict_proba(X_WEAK)
    expected = LR.fit(X_WEAK, TRUE_WEAK).predict_proba(X_WEAK)
    np.testing.assert_allclose(hard, expected, rtol=0, atol=FLOAT32_ATOL)
    assert hard.max() > LR.fit(X_WEAK, unsure).predict_proba(X_WEAK).max() + 0.3


@pytest.mark.parametrize(
    ("strategy", "weak", "gold", "text"),
    [
        (
            "both",
            None,
            GOLD,
            "no strategy 'both' to combine labels; expected one of auto, gold, weak, union, stacked, relabelled",
        ),
        (
            "relabelled",
            None,
            GOLD,
            "there are no weak labels to train on; give some, or choose a strategy that needs none",
        ),
        (
            "union",
            Weak(X_WEAK, confused(TRUE_WEAK, 0.0)),
            None,
            "there are no gold labels to train on; give some, or choose a strategy that needs none",
        ),
    ],
)
def test_errors(strategy: str, weak: Weak | None, gold: Gold | None, text: str) -> None:
    with pytest.raises(ModelError) as error:
        combine(strategy, LR, weak, gold)
    assert str(error.value) == text


def test_the_same_seed_gives_the_same() -> None:
    weak = Weak(X_WEAK, confused(TRUE_WEAK, 0.5))
    first, second = (combine(AUTO, LR, weak, GOLD) for _ in range(2))
    assert first.strategy == second.strategy
    probs, again = (combined.model.predict_proba(X_NEW) for combined in (first, second))
    np.testing.assert_allclose(probs, again, rtol=0, atol=FLOAT32_ATOL)


def test_a_gold_point_counts_as_five_weak_ones() -> None:
    """All points look alike, so the model says their weighted shares: 10 votes for class 0 against 2 * 5 for class 1."""
    alike, first, second = np.ones((12, 1), np.float32), [1, 0], [0, 1]
    weak, gold = (
        Weak(alike[:10], np.array([first] * 10, np.float64)),
        Gold(alike[:2], np.array([second] * 2, np.int8)),
    )
    probs = combine("union", LR, weak, gold).model.predict_proba(alike[:1])
    np.testing.assert_allclose(probs, [[1 / 2, 1 / 2]], atol=1e-3)


def test_a_gold_point_counts_as_five_weak_ones_in_a_union() -> None:
    """Where features say nothing a model says how heavy the classes are: 10 weak of one, 2 gold of the other."""
    weak = Weak(np.ones((10, 1), np.float32), np.tile([1.0, 0.0], (10, 1)))
    gold = Gold(np.ones((2, 1), np.float32), np.tile(np.array([0, 1], np.int8), (2, 1)))
    probs = combine("union", LR, weak, gold).model.predict_proba(np.ones((1, 1), np.float32))
    np.testing.assert_allclose(probs, [[0.5, 0.5]], atol=1e-3)
