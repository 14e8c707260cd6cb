"""Choosing a label model: on gold that it has not seen, and with a reason."""

import numpy as np
import numpy.typing as npt
import pytest

from adaptml.errors import LabellingError
from adaptml.label_scoring import FittedModel, argmax, softmax
from adaptml.tasks import MULTICLASS, MULTILABEL
from adaptml.tasks.metrics import Metric, Outcome
from dataprogramming import selection as selection_module
from dataprogramming.label_models.config import SnorkelConfig
from dataprogramming.label_models.core import Gold
from dataprogramming.label_models.majority import MajorityVote
from dataprogramming.label_models.snorkel_model import SnorkelLabelModel
from dataprogramming.selection import FOLDS, GoldInFolds, _best, _choice, _fit, select_label_model

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
    assert selection.chosen in ("weighted_vote", "dawid_skene")
    assert selection.reason.startswith(f"{selection.chosen} is taken: accuracy 0.9")
    assert "on 100 gold points by cross-validation, majority_vote 0." in selection.reason
    assert "gold cannot tell majority_vote" not in selection.reason
    assert selection.held_out["snorkel"].predicted.shape == (100, 2)


ACCURACY = Metric("accuracy", MULTICLASS)


def said(*probs_of_0: float) -> Outcome:
    """Of two classes; the more probable one is named."""
    probs = np.array([[p, 1 - p] for p in probs_of_0])
    return Outcome(probs, MULTICLASS.decide(probs))


def all_of_class_0(n: int) -> Gold:
    return Gold(np.zeros((n, 1), np.int8), np.eye(2, dtype=np.int8)[[0] * n])


def test_what_gold_cannot_tell_apart_is_settled_by_the_log_loss() -> None:
    """38 and 40 of 40 right: 2 points are the difference, and 13 % of samples miss both.

    The one with two errors loses -log 0.9 on 38 points and -log 0.4 on 2, the other -log 0.6 on all.
    """
    gold = all_of_class_0(40)
    two_off, right = said(*[0.9] * 38, 0.4, 0.4), said(*[0.6] * 40)
    assert _best(ACCURACY, gold, {"right": right, "surer": two_off}) == (
        "surer",
        "surer is taken: accuracy 0.950 (0.835 to 0.986) on 40 gold points by cross-validation, right 1.000; "
        "gold cannot tell right from it, and of these its log loss, "
        f"{-(38 * np.log(0.9) + 2 * np.log(0.4)) / 40:.3f}, is the lowest",
    )


def test_what_is_shown_to_be_better_is_best_whatever_its_log_loss() -> None:
    ten_off, right = said(*[0.9] * 30, *[0.45] * 10), said(*[0.51] * 40)
    chosen, reason = _best(ACCURACY, all_of_class_0(40), {"surer": ten_off, "right": right})
    assert (chosen, reason) == (
        "right",
        "right is best: accuracy 1.000 (0.912 to 1.000) on 40 gold points by cross-validation, surer 0.750",
    )


def test_the_metric_of_the_task_decides() -> None:
    """10 of 100 points are of class 1. `never` names it on none, `often` on all 10 and wrongly on 15 more.

    Accuracy 0.90 and 0.85; macro F1 (2 * 90 / 190 + 0) / 2 = 0.474 and (150 / 165 + 20 / 35) / 2 = 0.740.
    """
    gold = Gold(np.zeros((100, 1), np.int8), np.eye(2, dtype=np.int8)[[0] * 90 + [1] * 10])
    never, often = said(*[0.9] * 100), said(*[0.9] * 75, *[0.1] * 25)
    both = {"never": never, "often": often}
    assert _best(Metric("macro_f1", MULTICLASS), gold, both)[1].startswith(
        "often is best: macro F1 0.740 (0."
    )
    assert _best(Metric("f1_of_positive", MULTICLASS, 1, "spam"), gold, both)[1].startswith(
        "often is best: F1 of spam 0.571 (0."
    )
    assert _best(Metric("log_loss", MULTICLASS), gold, both)[0] == "never"


def test_the_figure_is_of_gold_that_did_not_choose() -> None:
    """Each fold is judged by what the others choose: here, the two fail on different folds.

    `first` is wrong on all of fold 0 and right elsewhere, `second` on all of fold 1. Without fold 0, `first`
    is all right and chosen, and wrong there; without fold 1, `second`; on folds 2 to 4 both are right.
    """
    Y = np.eye(2, dtype=np.int8)[[0] * 50]
    fold = np.arange(50) % 5
    first, second = said(*np.where(fold == 0, 0.1, 0.9)), said(*np.where(fold == 1, 0.1, 0.9))
    gold = GoldInFolds(Gold(np.zeros((50, 1), np.int8), Y), fold)
    held_out = {"first": first, "second": second}
    _, _, judged = _choice(ACCURACY, gold, ["first", "second"], held_out, None, 1)
    assert judged is not None
    assert ACCURACY.value(Y, first) == ACCURACY.value(Y, second) == 0.8
    assert ACCURACY.value(Y, judged) == 0.6


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


@pytest.mark.parametrize("empty", [None, 3])
def test_no_point_is_judged_by_a_model_that_has_seen_its_fold(empty: int | None) -> None:
    gold = Gold(*votes(0, 11, [0.8, 0.8]))
    gold.L[:, 0] = np.arange(11)  # marks the points
    fold = np.array([0, 0, 0, 0, 1, 2, 2, 4, 4, 4, 3 if empty is None else 4])
    told: list[set[int]] = []

    class Recording(MajorityVote):
        def _fit(self, votes: int, part: Gold | None) -> FittedModel:
            assert part is not None
            told.append(set(part.L[:, 0].tolist()))
            return super()._fit(votes, part)

    wide = Gold(gold.L, np.eye(11, dtype=np.int8)[np.arange(11)])
    fit = _fit(Recording(11), wide.L, GoldInFolds(wide, fold), ACCURACY)
    parts = [set(np.flatnonzero(fold == part).tolist()) for part in range(FOLDS) if part in fold]
    assert told == [set(range(11)), *(set(range(11)) - part for part in parts)]
    assert len(fit.without) == FOLDS
    assert [fit.without[part] is fit.model for part in range(FOLDS)] == [
        part == empty for part in range(FOLDS)
    ]
    assert fit.held_out is not None
    for part in range(FOLDS):
        inside = fold == part
        expected = fit.without[part].predict_proba(wide.L[inside])
        np.testing.assert_array_equal(fit.held_out.probs[inside], expected)


def test_gold_of_one_fold_only() -> None:
    L, Y = votes(0, 60, [0.8, 0.8, 0.8])
    fold = np.full(60, 2)
    selection = select_label_model(MULTICLASS, L, Gold(L, Y), 2, fold=fold, config=QUICK)
    assert list(selection.without) == list(selection.models)
    assert selection.judged is not None


@pytest.mark.parametrize("k", [3, 6, 9])
def test_any_number_of_classes_of_which_some_have_a_point_or_two(k: int) -> None:
    L, Y = votes(1, 200, [0.9, 0.8, 0.7], k=k)
    first = np.flatnonzero(Y[:, -1])[2:]  # the last class has two points
    keep = np.setdiff1d(np.arange(200), first)
    gold = Gold(L[keep], Y[keep])
    for name in ("macro_f1", "accuracy", "log_loss"):
        metric = Metric(name, MULTICLASS)
        selection = select_label_model(MULTICLASS, L, gold, k, metric=metric, config=QUICK)
        assert selection.judged is not None
        assert selection.constant is not None
        better = metric.sign * (
            metric.value(gold.Y, selection.judged) - metric.value(gold.Y, selection.constant)
        )
        assert better > 0.2
        assert metric.title in selection.reason
        assert {model.metric.name for model in selection.models.values() if model.metric} == {name}


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


def test_the_number_of_epochs_follows_the_metric() -> None:
    """Of 100 gold points 10 are of class 1; one way names it nowhere, the other on 25 points and on all 10.

    Accuracy 0.90 and 0.85, macro F1 0.474 and 0.740: see the test above.
    """
    gold = Gold(np.zeros((100, 1), np.int8), np.eye(2, dtype=np.int8)[[0] * 90 + [1] * 10])
    gold.L[75:] = 1

    def model(balance: float, vote: float) -> FittedModel:
        table = np.zeros((1, 3, 2))
        table[0, 2, 1] = vote
        shares = np.array([balance, 1 - balance])
        return FittedModel("snorkel", softmax, argmax, shares, table, np.full(2, 0.5), np.ones(1))

    never, often = model(0.9, 0.0), model(0.9, 5.0)
    macro = SnorkelLabelModel(cardinality=2, metric=Metric("macro_f1", MULTICLASS))
    plain = SnorkelLabelModel(cardinality=2)
    assert (plain.goodness(never, gold), plain.goodness(often, gold)) == (0.90, 0.85)
    assert macro.goodness(never, gold) == pytest.approx((180 / 190) / 2)
    assert macro.goodness(often, gold) == pytest.approx((150 / 165 + 20 / 35) / 2)
    losses = SnorkelLabelModel(cardinality=2, metric=Metric("log_loss", MULTICLASS))
    assert losses.goodness(never, gold) == pytest.approx(-0.325, abs=0.001)  # less is better


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
    """Five points of both classes, and an LF for each: all 10 votes right, 14/15 with 4 of 5 imaginary ones.

    So (5 + 5 * 14/15) / 10 of each LF's. No gold point is without a vote for a class: the leak is 1/2. Two
    votes for a class leave 1/2 (1/30 / (1/2))^2 = 1/450.
    """
    gold = Gold(np.array([[0, 1]] * 5, np.int8), np.ones((5, 2), np.int8))
    model = select_label_model(MULTILABEL, gold.L, gold, 2, choice="union", config=QUICK).model
    np.testing.assert_allclose(model.fitted_.weights, [29 / 30, 29 / 30])
    np.testing.assert_allclose(
        model.predict_proba(np.array([[0, -1], [0, 0]], np.int8)), [[29 / 30, 1 / 2], [449 / 450, 1 / 2]]
    )
