"""Strategies to combine gold and weak labels, and the choice between them."""

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from sklearn.linear_model import LogisticRegression
from tolerances import FLOAT32_ATOL

from adaptml.errors import ModelError
from adaptml.folds import FOLDS
from adaptml.tasks import MULTICLASS, MULTILABEL, ProblemType, folds
from adaptml.tasks.metrics import Metric, Outcome, best
from modelling.algorithms import EndModel, get_algorithm
from modelling.algorithms.core import Floats, Matrix
from modelling.algorithms.log_odds import pooled, vote_log_odds
from modelling.choosing import Combined, combine
from modelling.learner import Gold, Learner, Weak
from modelling.strategies import AUTO, Labels, fit_strategy
from modelling.trials import Trials, answering
from modelling.ways import HeldOut, Way, read_members
from modelling.weighing import pool_weights

ACCURACY, F1 = Metric("accuracy", MULTICLASS), Metric("f1_samples", MULTILABEL)
OF_VECTORS = ["gold", "weak", "union", "stacked", "relabelled"]
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


def weakly(X: Matrix, P: Floats, problem: ProblemType = MULTICLASS, **more: Any) -> Weak:
    """Weak labels with the classes that the probabilities name."""
    return Weak(X, Outcome(P, problem.decide(P)), **more)


def trained(strategy: str, weak: Weak | None, gold: Gold | None, learner: Learner = LR) -> Combined:
    metric = ACCURACY if learner.problem is MULTICLASS else F1
    return combine(strategy, learner, {} if weak is None else {"": weak}, gold, metric)


def held_out(strategy: str, weak: Weak | None, gold: Gold, learner: Learner = LR) -> HeldOut:
    metric = ACCURACY if learner.problem is MULTICLASS else F1
    trials = Trials(learner, {} if weak is None else {"": weak}, gold, metric)
    trials.run([Way(strategy)])
    if trials.failed:
        raise trials.failed[Way(strategy)]
    return trials.held_out[Way(strategy)]


def accuracy(model: Any) -> float:
    return float((model.predict_proba(X_NEW).argmax(axis=1) == Y_NEW.argmax(axis=1)).mean())


@pytest.mark.parametrize("strategy", OF_VECTORS)
@pytest.mark.parametrize("name", ["logistic_regression", "knn"])
def test_every_strategy_trains_every_kind_of_algorithm(strategy: str, name: str) -> None:
    learner = Learner(get_algorithm(name), MULTICLASS)
    weak = weakly(X_WEAK, confused(TRUE_WEAK, 0.0))
    assert accuracy(fit_strategy(strategy, Labels(learner, weak, GOLD))) > 0.85


def test_gold_fixes_what_weak_labels_systematically_get_wrong() -> None:
    labels = Labels(LR, weakly(X_WEAK, confused(TRUE_WEAK, 0.8)), GOLD)
    reached = {strategy: accuracy(fit_strategy(strategy, labels)) for strategy in OF_VECTORS}
    assert reached["weak"] < 0.75
    assert reached["union"] > reached["weak"]
    assert reached["stacked"] > reached["weak"] + 0.15
    assert reached["relabelled"] > reached["weak"] + 0.15


def test_auto_chooses_by_held_out_gold_and_says_so() -> None:
    combined = trained(AUTO, weakly(X_WEAK, confused(TRUE_WEAK, 0.8)), GOLD)
    # What needs votes cannot be tried; several cannot be told apart.
    assert list(combined.held_out) == ["constant", *OF_VECTORS, "ensemble"]
    assert combined.strategy == "ensemble"
    assert combined.held_out["constant"].metric == pytest.approx(1 / 3)
    assert combined.held_out[combined.strategy].log_loss <= combined.held_out["weak"].log_loss - 0.2
    assert combined.ways[combined.way] is combined.held_out[combined.strategy]
    assert "accuracy 0." in combined.reason
    assert combined.judged is not None
    assert combined.without_votes is None


def test_what_is_told_of_a_choice_comes_from_gold_that_did_not_choose() -> None:
    combined = trained(AUTO, weakly(X_WEAK, confused(TRUE_WEAK, 0.8)), GOLD)
    weak = {"": weakly(X_WEAK, confused(TRUE_WEAK, 0.8))}
    trials = Trials(LR, weak, GOLD, ACCURACY)
    trials.run(list(combined.ways))
    probs = np.empty(Y_GOLD.shape)
    for fold in range(FOLDS):
        others, inside = GOLD.folds != fold, GOLD.folds == fold
        said = {way: out.said.rows(others) for way, out in trials.held_out.items() if not way.members}
        chosen = answering(ACCURACY, Y_GOLD[others], said, GOLD.folds[others], LR.seed, alone=False)
        assert len(chosen) > 1
        weights = pool_weights(MULTICLASS, [said[way].probs for way in chosen], Y_GOLD[others])
        each = [np.clip(trials.held_out[way].said.probs[inside], 0.001, 0.999) for way in chosen]
        pool = np.prod([one**weight for one, weight in zip(each, weights, strict=True)], axis=0)
        probs[inside] = pool / pool.sum(axis=1, keepdims=True)
    assert combined.judged is not None
    np.testing.assert_allclose(combined.judged.said.probs, probs, rtol=0, atol=FLOAT32_ATOL)


def test_an_ensemble_is_judged_with_weights_of_other_gold() -> None:
    combined = trained(AUTO, weakly(X_WEAK, confused(TRUE_WEAK, 0.8)), GOLD)
    each = [combined.ways[way].said.probs for way in combined.way.members]
    probs = np.empty(Y_GOLD.shape)
    for fold in range(FOLDS):
        others, inside = GOLD.folds != fold, GOLD.folds == fold
        weights = pool_weights(MULTICLASS, [one[others] for one in each], Y_GOLD[others])
        probs[inside] = pooled(MULTICLASS, [one[inside] for one in each], weights)
    np.testing.assert_allclose(combined.held_out["ensemble"].said.probs, probs, rtol=0, atol=FLOAT32_ATOL)


TRUTH = np.eye(2, dtype=np.int8)[[0, 1] * 50]
TRUTH_FOLDS = np.arange(100) % FOLDS


def outcome(wrong: int, sure: float) -> Outcome:
    """What is wrong of the first points, and this sure of all."""
    predicted = TRUTH.copy()
    predicted[:wrong] = 1 - predicted[:wrong]
    return Outcome(np.where(predicted == 1, sure, 1 - sure), predicted)


def test_strategies_that_gold_cannot_tell_apart_answer_together_each_by_its_best_way() -> None:
    said = {
        Way("constant"): outcome(50, 0.5),
        Way("label_model", "em"): outcome(1, 0.7),
        Way("gold"): outcome(2, 0.9),
        Way("weak", "em"): outcome(40, 0.9),  # told apart
        Way("union", "em"): outcome(2, 0.8),
        Way("union", "em", soft=True): outcome(1, 0.9),
        Way("label_model", "snorkel"): outcome(1, 0.8),  # of other labels than the best
        Way("stacked", "snorkel"): outcome(1, 0.8),
    }
    found = answering(ACCURACY, TRUTH, said, TRUTH_FOLDS, 0, alone=False)
    assert found == [Way("label_model", "em"), Way("gold"), Way("union", "em", soft=True)]
    assert str(Way.together(found)) == "ensemble of em (label_model; gold; union, soft labels)"
    assert Way.together(found).told == "label_model of em; gold; union of em, soft labels"
    assert answering(ACCURACY, TRUTH, said, TRUTH_FOLDS, 0, alone=True) == [Way("union", "em", soft=True)]


def test_the_label_model_answers_alone_where_it_is_the_best() -> None:
    said = {Way("label_model", "em"): outcome(1, 0.95), Way("gold"): outcome(1, 0.9)}
    assert answering(ACCURACY, TRUTH, said, TRUTH_FOLDS, 0, alone=False) == [Way("label_model", "em")]
    said[Way("gold")] = outcome(1, 0.97)
    both = [Way("label_model", "em"), Way("gold")]
    assert answering(ACCURACY, TRUTH, said, TRUTH_FOLDS, 0, alone=False) == both
    assert (
        answering(ACCURACY, TRUTH, {Way("gold"): said[Way("gold")]}, TRUTH_FOLDS, 0, alone=False) == both[1:]
    )
    assert Way.together([Way("gold")]) == Way("gold")


def test_the_label_model_that_is_the_best_is_asked_together_with_what_knows_better_where_it_errs() -> None:
    """It is wrong of the first three points, another model of the next four: where they differ, both doubt."""
    first, other = outcome(3, 0.9), outcome(0, 0.9)
    flipped = np.isin(np.arange(100), [3, 4, 5, 6])[:, None]
    other = Outcome(np.where(flipped, 1 - other.probs, other.probs), np.where(flipped, 1 - TRUTH, TRUTH))
    said = {Way("label_model", "em"): first, Way("gold"): other}
    loss = {way: MULTICLASS.log_loss(TRUTH, one.probs) for way, one in said.items()}
    assert loss[Way("label_model", "em")] < loss[Way("gold")]
    assert answering(ACCURACY, TRUTH, said, TRUTH_FOLDS, 0, alone=False) == [*said]
    # No other model may be of its labels: all that are tied with it are of another label model's.
    said = {Way("label_model", "em"): first, Way("stacked", "snorkel"): other, Way("union", "snorkel"): first}
    assert answering(ACCURACY, TRUTH, said, TRUTH_FOLDS, 0, alone=False) == [*said][:0:-1]
    said[Way("union", "snorkel")] = said[Way("stacked", "snorkel")] = outcome(3, 0.85)
    assert answering(ACCURACY, TRUTH, said, TRUTH_FOLDS, 0, alone=False) == [Way("label_model", "em")]


def test_an_ensemble_says_the_mean_of_the_log_odds() -> None:
    """Odds of 4 and 1/9 have the geometric mean 2/3; of three classes, products are scaled to sum to 1."""
    two = [EndModel.constant(MULTICLASS, np.array(shares)) for shares in ([0.8, 0.2], [0.1, 0.9])]
    np.testing.assert_allclose(EndModel.ensemble(two).predict_proba(X_NEW[:1]), [[0.4, 0.6]])
    many = [EndModel.constant(MULTILABEL, np.array(shares)) for shares in ([0.8, 0.5], [0.1, 0.5])]
    np.testing.assert_allclose(EndModel.ensemble(many).predict_proba(X_NEW[:1]), [[0.4, 0.5]])
    three = [EndModel.constant(MULTICLASS, np.array(p)) for p in ([0.5, 0.3, 0.2], [0.2, 0.3, 0.5])]
    roots = np.array([0.1**0.5, 0.3, 0.1**0.5])
    np.testing.assert_allclose(EndModel.ensemble(three).predict_proba(X_NEW[:1]), [roots / roots.sum()])
    # 4 ** 0.75 * (1/9) ** 0.25 = 2 ** 1.5 / 3 ** 0.5
    odds = 2**1.5 / 3**0.5
    first = EndModel.ensemble(two, np.array([0.75, 0.25])).predict_proba(X_NEW[:1])
    np.testing.assert_allclose(first, [[odds / (1 + odds), 1 / (1 + odds)]])


def test_the_ensemble_that_is_trained_is_of_the_models_of_its_ways() -> None:
    weak = weakly(X_WEAK, confused(TRUE_WEAK, 0.8))
    combined = trained(AUTO, weak, GOLD)
    assert len(combined.way.members) == len(combined.model.members_) > 1
    assert combined.reason.startswith("accuracy 0.")
    assert "can be told from the best, " in combined.reason
    trials = Trials(LR, {"": weak}, GOLD, ACCURACY)
    trials.run(combined.way.members)
    assert trials.why_calibrated(combined.way) == combined.calibration
    kept = {way: one for way, one in trials.calibration.items() if way in combined.way.members}
    trials.calibration = {way: replace(one, calibrator=np.ones((2, 2))) for way, one in kept.items()}
    n = len(combined.way.members)
    assert trials.why_calibrated(combined.way).startswith(
        f"{n} of the {n} trained models are calibrated on gold"
    )
    trials.calibration = {
        way: replace(one, calibrator=None, reason=way.strategy) for way, one in kept.items()
    }
    assert (
        trials.why_calibrated(combined.way)
        == f"not calibrated: it would be better for none of the {n} trained models"
    )
    trials.calibration = {way: replace(one, calibrator=None, reason="few") for way, one in kept.items()}
    assert trials.why_calibrated(combined.way) == "few"
    beside = Way.together([Way("label_model"), combined.way.members[0]])  # what is trained speaks for both
    assert trials.why_calibrated(beside) == "few"
    trials.calibration = kept
    each = [trials.fit(way).predict_proba(X_NEW) for way in combined.way.members]
    weights = trials.weights(combined.way)
    np.testing.assert_allclose(
        combined.model.predict_proba(X_NEW), pooled(MULTICLASS, each, weights), rtol=0, atol=FLOAT32_ATOL
    )
    assert combined.way == Way.together(read_members(combined.way.told))
    alone = combine(AUTO, LR, {"": weak}, GOLD, ACCURACY, alone=True)
    assert not alone.way.members
    assert alone.held_out[alone.strategy].log_loss == min(
        found.log_loss for way, found in alone.ways.items() if way in combined.way.members
    )


def two_label_models() -> dict[str, Weak]:
    """One that takes most of class 2 for class 1, which is named first, and one that is right."""
    return {
        "wrong": weakly(X_WEAK, confused(TRUE_WEAK, 1.0)),
        "right": weakly(X_WEAK, confused(TRUE_WEAK, 0.0)),
    }


def test_the_label_model_is_chosen_by_what_an_end_model_learns_from_it() -> None:
    combined = combine("weak", LR, two_label_models(), GOLD, ACCURACY)
    assert combined.way.label_model == "right"
    assert accuracy(combined.model) > 0.85
    assert {way.label_model for way in combined.ways} == {"wrong", "right"}
    few = Gold(X_GOLD[:19], Y_GOLD[:19])  # nothing is chosen by so few: the first is the run's own
    assert combine("weak", LR, two_label_models(), few, ACCURACY).way.label_model == "wrong"


@pytest.mark.parametrize("asked", [None, True, False])
def test_hard_or_soft_labels_are_chosen_unless_they_were_asked_for(asked: bool | None) -> None:
    """Where the right class is only the likelier of two, hard labels of it are right and soft ones half so."""
    unsure = np.where(TRUE_WEAK == 1, 0.36, 0.32)
    weak = {"": weakly(X_WEAK, unsure)}
    combined = combine("weak", LR, weak, GOLD, Metric("log_loss", MULTICLASS), soft=asked)
    assert combined.way.soft is bool(asked)
    assert {way.soft for way in combined.ways} == ({False, True} if asked is None else {asked})


@pytest.mark.parametrize("strategy", ["union", "stacked", "gold"])
def test_both_kinds_of_labels_are_tried_with_the_strategy_that_learns_from_them(strategy: str) -> None:
    combined = combine(strategy, LR, {"": weakly(X_WEAK, confused(TRUE_WEAK, 0.3))}, GOLD, ACCURACY)
    kinds = {way.soft for way in combined.ways if way.strategy == strategy and not way.balanced}
    assert kinds == ({False} if strategy == "gold" else {False, True})


def test_classes_that_count_alike_are_tried_and_taken_where_they_are_better() -> None:
    """One point in five is of class 1 and the vectors say little: as they come, a model hardly ever names it."""
    rng = np.random.default_rng(0)
    y = (np.arange(400) % 5 == 0).astype(int)
    X = (y[:, None] + rng.normal(0, 1.2, (400, 1))).astype(np.float32)
    gold, metric = Gold(X, np.eye(2, dtype=np.int8)[y]), Metric("f1_of_positive", MULTICLASS, 1, "rare")
    usual = {"C": 15}  # which nothing else is tried beside
    combined = combine(
        "gold", Learner(get_algorithm("logistic_regression", usual), MULTICLASS), {}, gold, metric
    )
    assert combined.way == Way("gold", balanced=True)
    assert combined.held_out["gold"].metric > combined.ways[Way("gold")].metric + 0.1
    fixed = Learner(get_algorithm("logistic_regression", {**usual, "class_weight": "balanced"}), MULTICLASS)
    assert list(combine("gold", fixed, {}, gold, metric).ways) == [Way("gold")]  # nothing is left to choose


def test_a_stronger_penalty_is_tried_and_taken_where_it_is_better() -> None:
    """Forty points of twenty numbers, of which one says something and the others are noise."""
    rng = np.random.default_rng(0)
    y = np.arange(40) % 2
    X = (rng.normal(0, 1, (40, 20)) / np.sqrt(20)).astype(np.float32)
    X[:, 0] += 0.6 * y
    gold = Gold(X, np.eye(2, dtype=np.int8)[y])
    plain = LR.classifier.get_params()
    combined = combine("gold", LR, {}, gold, ACCURACY)
    assert combined.way == Way("gold", penalised=True)
    assert str(combined.way) == "gold, stronger penalty"
    assert combined.held_out["gold"].log_loss < combined.ways[Way("gold")].log_loss - 0.1
    expected = LogisticRegression(C=6000 / 40 / 10, max_iter=1000).fit(X, y)
    np.testing.assert_allclose(combined.model.predict_proba(X), expected.predict_proba(X), atol=2e-3)
    assert LR.classifier.get_params() == plain
    for given in ({"C": 150}, {"C_times_rows": 5000}):  # what was said is not changed
        said = Learner(get_algorithm("logistic_regression", given), MULTICLASS)
        assert not any(way.penalised for way in combine("gold", said, {}, gold, ACCURACY).ways)
    other = Learner(get_algorithm("linear_svm"), MULTICLASS)  # whose C does not follow the rows
    assert not other.can_penalise


def test_what_learned_something_answers_before_always_the_most_frequent_class() -> None:
    """What is wrong of 30 points in 100 and too sure cannot be told from what is wrong of 32 and says 0.6.

    A draw holds neither of the two points between them in 13 of 100, so 0 lies in the interval.
    """
    constant, voted, gold = Way("constant"), Way("label_model", "em"), Way("gold")
    said = {constant: outcome(32, 0.6), voted: outcome(30, 0.9), gold: outcome(31, 0.95)}
    loss = {way: MULTICLASS.log_loss(TRUTH, one.probs) for way, one in said.items()}
    assert loss[constant] < loss[voted] < loss[gold]
    named = {str(way): one for way, one in said.items()}
    assert len(best(ACCURACY, TRUTH, named).tied) == 3
    assert answering(ACCURACY, TRUTH, said, TRUTH_FOLDS, 0, alone=True) == [voted]
    del said[voted]
    assert answering(ACCURACY, TRUTH, said, TRUTH_FOLDS, 0, alone=False) == [gold]
    said[constant] = outcome(20, 0.8)  # which is better than the other by more than its interval
    assert answering(ACCURACY, TRUTH, said, TRUTH_FOLDS, 0, alone=False) == [constant]
    assert answering(ACCURACY, TRUTH, {constant: said[constant]}, TRUTH_FOLDS, 0, alone=False) == [constant]


@pytest.mark.parametrize("learner", [LR, LR_MULTILABEL])
def test_labels_that_all_of_gold_makes_one_class_are_not_chosen(learner: Learner) -> None:
    """Without any fold, the label model tells classes apart; with all of gold it names the same everywhere."""
    same = np.tile([0.8, 0.1, 0.1], (len(X_WEAK), 1))
    told = weakly(X_WEAK, confused(TRUE_WEAK, 0.0), learner.problem).says
    weak = weakly(X_WEAK, same, learner.problem, without=lambda _: told)
    trials = Trials(learner, {"": weak}, GOLD, ACCURACY if learner is LR else F1)
    ways = [Way(strategy) for strategy in ("weak", "stacked", "relabelled", "gold", "union")]
    trials.run([*ways, Way("weak", soft=True)])
    assert list(trials.failed) == ways[:3]
    assert "one class only" in str(trials.failed[ways[0]])
    for way in trials.held_out:
        trials.fit(way)  # what is left can be trained


@pytest.mark.parametrize("strategy", ["gold", "weak"])
def test_all_that_a_strategy_alone_could_be_is_a_candidate_of_auto(strategy: str) -> None:
    """Whatever is best: no strategy wins by something that only it was tried with."""
    weak = {name: replace(one, on_gold=heard(0.8).on_gold) for name, one in two_label_models().items()}
    alone, chosen = combine(strategy, LR, weak, GOLD, ACCURACY), combine(AUTO, LR, weak, GOLD, ACCURACY)
    assert {way for way in alone.ways if way.strategy == strategy} <= set(chosen.ways)
    trained = {way.strategy for way in chosen.ways} - {"constant", "label_model", "ensemble"}
    assert {way.strategy for way in chosen.ways if way.balanced} == trained
    assert len(trained) == 7


def heard(share: float) -> Weak:
    """Weak labels whose label model, from votes, is right on so many of the gold points, and sure."""
    right = np.arange(len(Y_GOLD)) < share * len(Y_GOLD)
    named = np.where(right[:, None], Y_GOLD, np.roll(Y_GOLD, 1, axis=1))
    probs = 0.94 * named + 0.02
    on_gold = Outcome(probs, MULTICLASS.decide(probs))
    return weakly(np.zeros_like(X_WEAK), confused(TRUE_WEAK, 0.0), on_gold=on_gold)


def test_votes_are_features_where_vectors_say_nothing() -> None:
    blind = Gold(np.zeros_like(X_GOLD), Y_GOLD)
    combined = combine(AUTO, LR, {"vote": heard(1.0)}, blind, ACCURACY)
    assert combined.held_out["gold"].metric < 0.5
    assert combined.held_out["stacked_votes"].metric == combined.held_out["label_model"].metric == 1
    assert {way.strategy for way in combined.way.each} <= {"stacked_votes", "label_model"}
    assert combined.without_votes is not None
    assert not combined.without_votes.takes_votes
    V = vote_log_odds(MULTICLASS, 0.94 * Y_NEW + 0.02)
    assert combined.model.predict(np.zeros_like(X_NEW), V).tolist() == Y_NEW.tolist()
    assert len(combined.without_votes.predict(np.zeros_like(X_NEW))) == len(X_NEW)


def test_a_label_model_is_judged_with_the_probabilities_that_it_is_served_with() -> None:
    """Above a limit of 0.8 is named what has odds of 4: 0.8 becomes 0.5, and 0.9, whose odds are 9, 9 / 13."""
    Y, limits = np.array([[1, 0], [1, 1], [0, 1], [1, 0]] * 10, np.int8), np.array([0.8, 0.5])
    probs = np.where(Y == 1, 0.9, [0.8, 0.2])
    on_gold = Outcome(probs, (probs > limits).astype(np.int8))
    weak = Weak(np.zeros((4, 1), np.float32), Outcome(probs[:4], Y[:4]), on_gold=on_gold, limits=limits)
    trials = Trials(LR_MULTILABEL, {"em": weak}, Gold(np.zeros((40, 1), np.float32), Y), F1)
    way = Way("label_model", "em")
    trials.run([way])
    expected = np.where(Y == 1, [9 / 13, 0.9], [0.5, 0.2])
    np.testing.assert_allclose(trials.held_out[way].said.probs, expected, atol=FLOAT32_ATOL)
    assert trials.held_out[way].metric == 1  # as it decides itself
    served = trials.fit(way).predict_proba(np.zeros((40, 1), np.float32), vote_log_odds(MULTILABEL, probs))
    np.testing.assert_allclose(served, expected, atol=FLOAT32_ATOL)


def test_a_label_model_that_is_wrong_is_not_heard() -> None:
    combined = combine(AUTO, LR, {"vote": heard(0.3)}, GOLD, ACCURACY)
    assert combined.held_out["label_model"].metric < 0.35
    assert combined.strategy != "label_model"


@pytest.mark.parametrize("strategy", ["label_model", "stacked_votes"])
@pytest.mark.parametrize("n_gold", [12, 45])
def test_a_model_that_hears_votes_has_one_beside_it_that_needs_none(strategy: str, n_gold: int) -> None:
    weak = weakly(X_WEAK, confused(TRUE_WEAK, 0.0), on_gold=heard(1.0).on_gold)
    known = replace(weak, on_gold=weak.on_gold and weak.on_gold.rows(np.arange(n_gold)))
    combined = combine(strategy, LR, {"vote": known}, Gold(X_GOLD[:n_gold], Y_GOLD[:n_gold]), ACCURACY)
    assert combined.model.takes_votes
    assert accuracy(combined.without_votes) > 0.85


@pytest.mark.parametrize(
    ("weak", "gold", "strategy", "reason"),
    [
        (weakly(X_WEAK, confused(TRUE_WEAK, 0.0)), None, "weak", "no gold labels were given to train on"),
        (
            weakly(X_WEAK, confused(TRUE_WEAK, 0.0)),
            Gold(X_GOLD[:19], Y_GOLD[:19]),
            "union",
            "19 gold points are too few to choose by; 20 are needed",
        ),
        (None, Gold(X_GOLD[:19], Y_GOLD[:19]), "gold", "no weak labels were given to train on"),
    ],
)
def test_auto_without_a_choice(weak: Weak | None, gold: Gold | None, strategy: str, reason: str) -> None:
    combined = trained(AUTO, weak, gold)
    assert (combined.strategy, combined.reason, combined.held_out) == (strategy, reason, {})


def test_held_out_gold_is_kept_out_of_the_weak_labels() -> None:
    asked: list[int] = []

    def without(fold: int) -> Outcome:
        asked.append(fold)
        P = confused(TRUE_WEAK, 0.0)
        return Outcome(P, MULTICLASS.decide(P))

    weak = weakly(X_WEAK, confused(TRUE_WEAK, 0.5), without=without)
    fold = np.arange(45) % FOLDS
    held_out("weak", weak, Gold(X_GOLD, Y_GOLD, fold))
    assert asked == [0, 1, 2, 3, 4]


def test_held_out_metrics_worked_out_by_hand() -> None:
    """Without features a model can only say how frequent classes are: 2/3 and 1/3 in every part."""
    gold = Gold(np.zeros((30, 1), np.float32), np.eye(2, dtype=np.int8)[[0, 0, 1] * 10])
    found = held_out("gold", None, gold)
    np.testing.assert_allclose(found.said.probs, np.tile([2 / 3, 1 / 3], (30, 1)), atol=1e-3)
    assert found.metric == pytest.approx(2 / 3)
    assert found.log_loss == pytest.approx(-(20 * np.log(2 / 3) + 10 * np.log(1 / 3)) / 30, abs=1e-3)


def test_strategies_that_cannot_be_trained_are_left_out() -> None:
    """The only point of class 1 is missing in one part: gold alone has one class there."""
    Y = np.eye(3, dtype=np.int8)[[0] * 9 + [1]]
    gold = Gold(X_GOLD[:10], Y)
    trials = Trials(LR, {"": weakly(X_WEAK, confused(TRUE_WEAK, 0.0))}, gold, ACCURACY)
    trials.run([Way("gold"), Way("weak")])
    assert (list(trials.held_out), list(trials.failed)) == ([Way("weak")], [Way("gold")])
    with pytest.raises(ModelError, match="the training data hold one class only"):
        held_out("gold", None, gold)


def test_the_gold_that_is_not_held_out_is_held_once_whatever_is_tried(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drawn: list[int] = []
    rows = Gold.rows

    def counted(gold: Gold, chosen: npt.NDArray[np.int64]) -> Gold:
        drawn.append(len(chosen))
        return rows(gold, chosen)

    monkeypatch.setattr(Gold, "rows", counted)
    combined = combine(AUTO, LR, {"": weakly(X_WEAK, confused(TRUE_WEAK, 0.3))}, GOLD, ACCURACY)
    assert len(combined.ways) > 20
    assert drawn == [36] * FOLDS


def test_parts_hold_like_rows_evenly() -> None:
    Y = np.eye(2, dtype=np.int8)[[0] * 10 + [1] * 5]
    parts = folds(Y, 5, seed=3)
    for part in range(5):
        np.testing.assert_array_equal(Y[parts == part].sum(axis=0), [2, 1])
    np.testing.assert_array_equal(parts, folds(Y, 5, seed=3))
    assert (parts != folds(Y, 5, seed=4)).any()


@pytest.mark.parametrize("strategy", OF_VECTORS)
def test_multilabel(strategy: str) -> None:
    def both(Y: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
        return np.column_stack([Y[:, 0] | Y[:, 1], Y[:, 2]]).astype(np.int8)

    weak = weakly(X_WEAK, np.asarray(0.8 * both(TRUE_WEAK) + 0.1, np.float64), MULTILABEL)
    gold = Gold(X_GOLD, both(Y_GOLD))
    model = fit_strategy(strategy, Labels(LR_MULTILABEL, weak, gold))
    assert (model.predict(X_NEW) == both(Y_NEW)).mean() > 0.85
    found = held_out(strategy, weak, gold, LR_MULTILABEL)
    assert found.metric > 0.8
    assert 0 < found.log_loss < 0.5


def test_points_without_votes_are_relabelled_too() -> None:
    """Class 2 never gets a vote: only gold and the points without votes can show it."""
    seen = TRUE_WEAK[:, 2] == 0
    weak = weakly(X_WEAK[seen], confused(TRUE_WEAK, 0.0)[seen], X_rest=X_WEAK[~seen])
    assert accuracy(fit_strategy("weak", Labels(LR, weak, GOLD))) < 0.7
    assert accuracy(fit_strategy("relabelled", Labels(LR, weak, GOLD))) > 0.85


def test_hard_labels_where_they_are_asked_for() -> None:
    weak = weakly(X_WEAK, np.where(TRUE_WEAK == 1, 0.4, 0.3))
    hard = fit_strategy("weak", Labels(LR, weak, None)).predict_proba(X_WEAK)
    expected = LR.fit(X_WEAK, TRUE_WEAK).predict_proba(X_WEAK)
    np.testing.assert_allclose(hard, expected, rtol=0, atol=FLOAT32_ATOL)
    soft = fit_strategy("weak", Labels(replace(LR, soft_labels=True), weak, None)).predict_proba(X_WEAK)
    assert hard.max() > soft.max() + 0.3


def test_hard_labels_are_those_that_the_label_model_names() -> None:
    """In multilabel it may name a class above another limit than 0.5."""
    P = np.tile([0.3, 0.6], (6, 1))
    named = np.array([[1, 0], [0, 1]] * 3, np.int8)
    X = np.eye(2, dtype=np.float32)[[0, 1] * 3]
    model = fit_strategy("weak", Labels(LR_MULTILABEL, Weak(X, Outcome(P, named)), None))
    assert model.predict(X).tolist() == named.tolist()


TIED = np.tile([[0.5, 0.5, 0.0], [0.4, 0.2, 0.4], [1 / 3, 1 / 3, 1 / 3]], (20, 1))


@pytest.mark.parametrize("strategy", ["weak", "union"])
@pytest.mark.parametrize("algorithm", ["logistic_regression", "knn"])
def test_a_point_whose_classes_are_tied_has_no_hard_label(strategy: str, algorithm: str) -> None:
    learner = Learner(get_algorithm(algorithm), MULTICLASS)
    known = confused(TRUE_WEAK, 0)
    more = weakly(np.vstack([X_WEAK, X_WEAK[:60]]), np.vstack([known, TIED]))
    assert learner.ties(more.says).tolist() == [False] * 240 + [True] * 60
    models = (fit_strategy(strategy, Labels(learner, weak, GOLD)) for weak in (weakly(X_WEAK, known), more))
    probs, again = (model.predict_proba(X_NEW) for model in models)
    np.testing.assert_array_equal(probs, again)


def test_ties_count_where_there_is_no_hard_label_to_be_had_or_none_is_needed() -> None:
    tied = weakly(X_WEAK[:60], TIED).says
    assert not replace(LR, soft_labels=True).ties(tied).any()
    assert not LR_MULTILABEL.ties(tied).any()
    assert not LR.ties(tied).any()  # nothing would be left
    one = weakly(X_WEAK[:61], np.vstack([TIED, [0.2, 0.3, 0.5]])).says
    assert not LR.ties(one).any()  # one class would be left


@pytest.mark.parametrize(
    ("strategy", "weak", "gold", "text"),
    [
        (
            "both",
            None,
            GOLD,
            "no strategy 'both' to combine labels; expected one of auto, constant, label_model, gold, weak, "
            "union, stacked, stacked_votes, relabelled, relabelled_votes",
        ),
        (
            "relabelled",
            None,
            GOLD,
            "there are no weak labels to train on; give some, or choose a strategy that needs none",
        ),
        (
            "union",
            weakly(X_WEAK, confused(TRUE_WEAK, 0.0)),
            None,
            "there are no gold labels to train on; give some, or choose a strategy that needs none",
        ),
        (
            "stacked_votes",
            weakly(X_WEAK, confused(TRUE_WEAK, 0.0)),
            GOLD,
            "votes are not known: the labels are no run of `adaptml label` with gold; give one and --gold, or "
            "choose a strategy that needs no votes",
        ),
    ],
)
def test_errors(strategy: str, weak: Weak | None, gold: Gold | None, text: str) -> None:
    with pytest.raises(ModelError) as error:
        trained(strategy, weak, gold)
    assert str(error.value) == text


def test_the_same_seed_gives_the_same() -> None:
    weak = weakly(X_WEAK, confused(TRUE_WEAK, 0.5))
    first, second = (trained(AUTO, weak, GOLD) for _ in range(2))
    assert first.strategy == second.strategy
    probs, again = (combined.model.predict_proba(X_NEW) for combined in (first, second))
    np.testing.assert_allclose(probs, again, rtol=0, atol=FLOAT32_ATOL)


def test_a_gold_point_counts_as_five_weak_ones() -> None:
    """All points look alike, so the model says their weighted shares: 10 votes for class 0 against 2 * 5 for class 1."""
    alike = np.ones((12, 1), np.float32)
    weak = weakly(alike[:10], np.tile([1.0, 0.0], (10, 1)))
    gold = Gold(alike[:2], np.array([[0, 1]] * 2, np.int8))
    probs = fit_strategy("union", Labels(LR, weak, gold)).predict_proba(alike[:1])
    np.testing.assert_allclose(probs, [[1 / 2, 1 / 2]], atol=1e-3)
