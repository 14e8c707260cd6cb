"""Choosing a label model: on gold that it has not seen, and with a reason."""

import numpy as np
import numpy.typing as npt
import pytest

from adaptml.errors import LabellingError
from adaptml.label_scoring import FittedModel
from adaptml.tasks import MULTICLASS, MULTILABEL, folds
from dataprogramming import selection as selection_module
from dataprogramming.label_models.config import SnorkelConfig
from dataprogramming.label_models.core import Gold
from dataprogramming.label_models.majority import MajorityVote
from dataprogramming.selection import HeldOut, _best, _fit, select_label_model

QUICK = SnorkelConfig(n_epochs=10)


def votes(
    seed: int, n: int, accuracies: list[float], k: int = 2
) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.int8]]:
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, k, n)
    right = rng.random((n, len(accuracies))) < accuracies
    wrong = (truth[:, None] + 1) % k
    return np.where(right, truth[:, None], wrong).astype(np.int8), np.eye(k, dtype=np.int8)[truth]


def test_a_good_lf_among_bad_ones_is_found_on_gold() -> None:
    L, Y = votes(0, 400, [0.95, 0.4, 0.4, 0.4])
    selection = select_label_model(MULTICLASS, L, Gold(L[:100], Y[:100]), 2, config=QUICK)
    assert list(selection.models) == ["majority_vote", "weighted_vote", "snorkel", "dawid_skene"]
    assert selection.chosen == "weighted_vote"
    assert selection.reason.startswith("weighted_vote is best: accuracy 0.9")
    assert "on 100 gold points by cross-validation, majority_vote 0." in selection.reason
    assert selection.held_out["snorkel"].predicted.shape == (100, 2)


def test_as_good_as_the_best_and_simpler() -> None:
    L, Y = votes(0, 300, [0.8, 0.8, 0.8, 0.8, 0.8])
    selection = select_label_model(MULTICLASS, L, Gold(L[:60], Y[:60]), 2, config=QUICK)
    assert selection.chosen == "majority_vote"


def test_the_simpler_within_one_standard_error() -> None:
    gold = Gold(np.zeros((40, 1), np.int8), np.eye(2, dtype=np.int8)[[0] * 40])
    right, wrong = [1, 0], [0, 1]

    def out(*rows: list[int]) -> HeldOut:
        return HeldOut(np.zeros((40, 2)), np.array(rows, np.int8))

    # 39 of 40 against 40 of 40: a mean difference of 1/40, with the standard error 1/40
    one_off = {"simple": out(*[right] * 39, wrong), "best": out(*[right] * 40)}
    assert _best(MULTICLASS, gold, one_off, "simple") == (
        "simple",
        "simple and best cannot be told apart with 40 gold points; simple, the simpler one, is taken: "
        "accuracy 0.975 on 40 gold points by cross-validation, best 1.000",
    )
    two_off = {"simple": out(*[right] * 38, wrong, wrong), "best": out(*[right] * 40)}
    assert _best(MULTICLASS, gold, two_off, "simple")[0] == "best"


def test_without_gold_the_simplest_alone_is_fitted() -> None:
    L, _ = votes(0, 50, [0.8, 0.8, 0.8])
    selection = select_label_model(MULTICLASS, L, None, 2, config=QUICK)
    assert list(selection.models) == ["majority_vote"]
    assert selection.reason == "majority_vote is used because there is no gold to compare label models on"
    assert selection.held_out == {}


def test_with_little_gold_the_simplest() -> None:
    L, Y = votes(0, 50, [0.8, 0.8, 0.8])
    selection = select_label_model(MULTICLASS, L, Gold(L[:7], Y[:7]), 2, config=QUICK)
    assert selection.reason == (
        "majority_vote is used because only 7 gold points have votes, too few to compare label models on "
        "(20 are needed)"
    )
    assert list(selection.models) == list(selection.held_out) == ["majority_vote"]


@pytest.mark.parametrize("g", [1, 2])
def test_one_or_two_gold_points_are_no_crash(g: int) -> None:
    L, Y = votes(0, 50, [0.8, 0.8, 0.8])
    assert select_label_model(MULTICLASS, L, Gold(L[:g], Y[:g]), 2, config=QUICK).chosen == "majority_vote"
    chosen = select_label_model(MULTILABEL, L, Gold(L[:g], Y[:g]), 2, config=QUICK).chosen
    assert chosen == "union"


def test_two_lfs_and_snorkels_model_asked_for() -> None:
    L, Y = votes(0, 50, [0.8, 0.8])
    selection = select_label_model(MULTICLASS, L, Gold(L, Y), 2, choice="snorkel", config=QUICK)
    assert selection.chosen == "majority_vote"
    assert (
        selection.reason
        == "majority_vote is used: snorkel was asked for but cannot be fitted with 2 labelling functions"
    )
    assert selection.warnings == [
        "Snorkel's label model needs at least 3 labelling functions and there are 2: it was left out"
    ]


def test_any_one_can_be_demanded() -> None:
    L, Y = votes(0, 60, [0.8, 0.8, 0.8])
    for name in ("majority_vote", "weighted_vote", "snorkel", "dawid_skene"):
        selection = select_label_model(MULTICLASS, L, Gold(L, Y), 2, choice=name, config=QUICK)
        assert (selection.chosen, selection.model.name, selection.reason) == (
            name,
            name,
            f"{name} was asked for",
        )
        assert list(selection.models) == list(selection.held_out) == [name]
    for name in ("union", "em", "knee"):
        selection = select_label_model(MULTILABEL, L, Gold(L, Y), 2, choice=name, config=QUICK)
        assert (selection.chosen, selection.model.name) == (name, name)
        assert list(selection.models) == [name]
    assert list(select_label_model(MULTILABEL, L, Gold(L, Y), 2, config=QUICK).models) == ["union", "em"]


def test_a_class_without_gold_keeps_a_chance() -> None:
    L, Y = votes(0, 60, [0.8, 0.8, 0.8], k=3)
    gold = Gold(L[Y[:, 2] == 0], Y[Y[:, 2] == 0])
    for model in select_label_model(MULTICLASS, L, gold, 3, config=QUICK).models.values():
        assert model.fitted_.balance[2] > 0


def test_wrong_wishes() -> None:
    L, Y = votes(0, 60, [0.8, 0.8, 0.8])
    with pytest.raises(
        LabellingError, match="no label model 'em' for multiclass tasks; expected auto, majority_vote, w"
    ):
        select_label_model(MULTICLASS, L, None, 2, choice="em")
    with pytest.raises(
        LabellingError, match="weighted_vote learns its weights from gold and there is none; give gold"
    ):
        select_label_model(MULTICLASS, L, None, 2, choice="weighted_vote")
    with pytest.raises(
        LabellingError, match="none of the 3 labelling functions votes on any of the 60 data points"
    ):
        select_label_model(MULTICLASS, np.full_like(L, -1), Gold(L, Y), 2)


def test_parts_are_dealt_class_by_class() -> None:
    Y = np.eye(2, dtype=np.int8)[[0] * 10 + [1] * 5]
    part = folds(Y, 5, seed=3)
    assert np.bincount(part).tolist() == [3] * 5
    assert sorted(part[10:].tolist()) == [0, 1, 2, 3, 4]


def test_no_point_is_judged_by_a_model_that_has_seen_it() -> None:
    gold = Gold(*votes(0, 11, [0.8, 0.8]))
    gold.L[:, 0] = np.arange(11)  # marks the points
    told: list[set[int]] = []

    class Recording(MajorityVote):
        def _fit(self, votes: int, part: Gold | None) -> FittedModel:
            assert part is not None
            told.append(set(part.L[:, 0].tolist()))
            return super()._fit(votes, part)

    wide = Gold(gold.L, np.eye(11, dtype=np.int8)[np.arange(11)])
    _fit(Recording(11), wide.L, wide, 0)
    assert [11 - len(seen) for seen in told] == [0, 3, 2, 2, 2, 2]
    assert sorted(set.union(*(set(range(11)) - seen for seen in told))) == list(range(11))


DIVERGING = {"l2": 1e30, "n_epochs": 20}  # at any learning rate


def test_a_label_model_that_fails_is_left_out_unless_it_was_demanded() -> None:
    L, Y = votes(0, 60, [0.8, 0.8, 0.8])
    selection = select_label_model(MULTICLASS, L, Gold(L, Y), 2, config=DIVERGING)
    left = ["majority_vote", "weighted_vote", "dawid_skene"]
    assert list(selection.models) == list(selection.held_out) == left
    assert any("snorkel was left out" in warning for warning in selection.warnings)
    with pytest.raises(LabellingError, match="does not converge"):
        select_label_model(MULTICLASS, L, Gold(L, Y), 2, choice="snorkel", config=DIVERGING)


class FailsOnParts(MajorityVote):
    """Fits all gold, and not a part of it."""

    def _fit(self, votes: int, gold: Gold | None) -> FittedModel:
        if gold is not None and len(gold) < 60:
            raise LabellingError("too little gold")
        return super()._fit(votes, gold)


def test_a_label_model_that_fails_in_cross_validation_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    L, Y = votes(0, 60, [0.8, 0.8, 0.8])
    kinds = {"majority_vote": MajorityVote, "fragile": FailsOnParts}
    monkeypatch.setattr(selection_module, "label_models_for", lambda problem: kinds)
    selection = select_label_model(MULTICLASS, L, Gold(L, Y), 2)
    assert (selection.chosen, list(selection.models)) == ("majority_vote", ["majority_vote"])
    assert selection.warnings == ["the label model fragile was left out: too little gold"]
    with pytest.raises(LabellingError, match=r"^too little gold$"):
        select_label_model(MULTICLASS, L, Gold(L, Y), 2, choice="fragile")
    kinds["majority_vote"] = FailsOnParts
    with pytest.raises(
        LabellingError, match=r"no label model can be fitted: .*majority_vote was left out: too"
    ):
        select_label_model(MULTICLASS, L, Gold(L, Y), 2)


def test_a_learning_rate_that_was_shortened_is_a_warning() -> None:
    L, Y = votes(0, 60, [0.8, 0.8, 0.8])
    selection = select_label_model(
        MULTICLASS, L, Gold(L, Y), 2, choice="snorkel", config={"lr": 64.0, "n_epochs": 200}
    )
    used = selection.model.fitted_.params["lr"]
    assert used in [64.0 / 2**halvings for halvings in range(1, 12)]
    assert selection.warnings == [
        f"the label model snorkel diverges with lr 64, so it was trained with lr {used:g}"
    ]


def test_a_parameter_that_no_label_model_has() -> None:
    L, _ = votes(0, 60, [0.8, 0.8, 0.8])
    with pytest.raises(LabellingError, match=r"no label model has a parameter n_rounds; expected .*n_epochs"):
        select_label_model(MULTICLASS, L, None, 2, config={"n_rounds": 3})


def test_row_scores() -> None:
    Y = np.array([[1, 1, 0], [0, 0, 0], [0, 0, 1], [1, 0, 0]], np.int8)
    named = np.array([[1, 0, 0], [0, 0, 0], [0, 0, 0], [1, 0, 0]], np.int8)
    np.testing.assert_allclose(MULTILABEL.scores(Y, named), [2 / 3, 1, 0, 1])
    np.testing.assert_allclose(MULTICLASS.scores(Y[2:], named[2:]), [0, 1])


def one_good_lf(seed: int) -> tuple[npt.NDArray[np.int8], Gold]:
    """Votes of a good LF and three of little worth on 200 points, silent on 30 %; the first 60 points are gold."""
    rng = np.random.default_rng(seed)
    truth = np.arange(200) % 2
    right = rng.random((200, 4)) < [0.9, 0.6, 0.6, 0.45]
    L = np.where(right, truth[:, None], 1 - truth[:, None]).astype(np.int8)
    L[rng.random(L.shape) < 0.3] = -1
    return L, Gold(L[:60], np.eye(2, dtype=np.int8)[truth[:60]])


def test_snorkels_model_is_trained_for_as_long_as_is_best_on_gold_and_no_longer() -> None:
    L, gold = one_good_lf(12)
    right = {}
    for epochs in (10, 30, 100, 300, 1000):  # without gold, a number of epochs is taken as it is
        config = SnorkelConfig(n_epochs=epochs)
        model = select_label_model(MULTICLASS, L, None, 2, choice="snorkel", config=config).model
        named = model.predict(gold.L)
        right[epochs] = MULTICLASS.scores(gold.Y, named)
    reached = {epochs: scores.mean() for epochs, scores in right.items()}
    assert reached[10] < reached[30] == reached[100] == max(reached.values()) > reached[300]
    chosen = select_label_model(MULTICLASS, L, gold, 2, choice="snorkel")
    assert chosen.model.fitted_.n_epochs == 30
    asked = SnorkelConfig(n_epochs=20)  # with gold, the most that are tried
    at_most = select_label_model(MULTICLASS, L, gold, 2, choice="snorkel", config=asked)
    assert at_most.model.fitted_.n_epochs in (10, 20)
    # 19 points, of which 10 epochs get all right, are too few to choose by: it is Snorkel's default.
    few = gold.rows(np.flatnonzero((right[10] == 1) & (gold.L >= 0).any(axis=1))[:19])
    assert select_label_model(MULTICLASS, L, few, 2, choice="snorkel").model.fitted_.n_epochs == 100


def test_a_vote_for_one_of_a_points_classes_is_right() -> None:
    """Five points of both classes, and an LF for each: 5 votes right, and 4 of 5 imaginary ones."""
    gold = Gold(np.array([[0, 1]] * 5, np.int8), np.ones((5, 2), np.int8))
    model = select_label_model(MULTILABEL, gold.L, gold, 2, choice="union", config=QUICK).model
    np.testing.assert_allclose(model.fitted_.weights, [9 / 10, 9 / 10])
    np.testing.assert_allclose(
        model.predict_proba(np.array([[0, -1], [0, 0]], np.int8)), [[0.9, 0], [0.99, 0]]
    )
