"""Choosing how an end model is trained, by cross-validation on gold.

What can be chosen: the strategy, the label model whose labels are learned from, hard or soft labels, whether
rare classes count more, and how strong the penalty on large weights is. Trying all combinations would train
hundreds of models; they are tried in this order, each step with the best of the one before (a greedy search):

    1. each label model, by the end model of its labels alone
    2. soft labels against hard ones, with that label model
    3. each strategy, with that label model and these labels
    4. the other kind of labels with that strategy: what is best to learn from alone need not be so together
       with gold
    5. classes that count alike (`class_weight`), with each strategy as in 3 and the best as in 4: which one
       needs them differs, and each strategy has to be tried as it would be alone
    6. a stronger penalty, with each way of 5: features differ in how far they can be trusted

The best of all that were tried is found by the metric and, where its interval cannot tell, the log loss
(`adaptml.tasks.metrics.best`). Strategies that cannot be told from it answer together, each by its best way
(`answering`), weighed by gold (`modelling.weighing`): to take one of them alone is to take it by chance. What
is told of the choice on gold comes from gold that did not choose (Cawley and Talbot 2010,
https://jmlr.org/papers/v11/cawley10a.html).
"""

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace

import numpy as np

from adaptml.calibrating import Calibrated, calibrate
from adaptml.errors import ModelError
from adaptml.folds import FOLDS, held_out_parts
from adaptml.tasks import ProblemType
from adaptml.tasks import folds as spread_folds
from adaptml.tasks.metrics import Metric, Outcome, best, constant, nested
from modelling.algorithms import EndModel
from modelling.algorithms.core import CONSTANT, LABEL_MODEL, Algorithm, Floats
from modelling.algorithms.fitting import one_class
from modelling.algorithms.log_odds import of_log_odds, pooled, vote_log_odds
from modelling.algorithms.many_rows import OneBlock
from modelling.learner import Gold, Indicator, Learner, Rows, Weak
from modelling.strategies import NEED_WEAK_MODEL, Labels, fit_strategy, list_strategies, unconverged
from modelling.ways import HeldOut, Way, judged
from modelling.weighing import pool_weights

UNTRAINED = (CONSTANT, LABEL_MODEL)  # strategies that train nothing: labels and weights do not matter
ONLY_GOLD = (CONSTANT, "gold")  # strategies that no label model matters to


class Trials:
    """Tries ways on the folds of gold; each model is trained once.

    Attributes:
        learner: what is trained; its `soft_labels` and class weights are those of the ways.
        weak: label model → the weakly labelled points as it labels them; the first is the default.
        gold: gold points, or None where there are none to learn from or to judge by.
        metric: what decides.
        soft: whether soft labels are asked for; None: whichever is better.
        held_out: way → what its models say of gold; of those that could be trained.
        failed: way → why it could not.
        calibration: way → whether its probabilities are calibrated; of those that learn from something.
    """

    def __init__(
        self,
        learner: Learner,
        weak: Mapping[str, Weak],
        gold: Gold | None,
        metric: Metric,
        *,
        soft: bool | None = None,
        advance: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.learner, self.gold, self.metric, self.soft = learner, gold, metric, soft
        self.weak = _ready(learner, weak)
        self.held_out: dict[Way, HeldOut] = {}
        self.failed: dict[Way, ModelError] = {}
        self.calibration: dict[Way, Calibrated] = {}
        self._labels: dict[tuple[object, ...], Labels] = {}
        self._gold_without: dict[int, Gold] = {}
        self._trained: dict[bytes, EndModel] = {}
        self._advance = advance

    def explore(self, strategies: Sequence[str]) -> None:
        """Try what can be chosen for some strategies, in the order that the module's docstring has."""
        default = self.default
        weakly = [name for name in strategies if name not in (*UNTRAINED, "gold")]
        label_model, soft = default, bool(self.soft)
        if weakly and (len(self.weak) > 1 or self._may_soften):
            label_model = self._best_of([Way("weak", name, soft) for name in self.weak], default)
        if weakly and self._may_soften:
            soft = self._is_better(Way("weak", label_model, soft=True), Way("weak", label_model))
        plain = [way for name in strategies for way in self._ways(name, label_model, soft=soft)]
        self.run(plain)
        if not (known := [way for way in plain if way in self.held_out]):
            return
        first = self.best(known).name
        if self._may_soften and first.strategy not in (*UNTRAINED, *ONLY_GOLD):
            other = replace(first, soft=not first.soft)
            self.run([other])
            first = self.best([way for way in (first, other) if way in self.held_out]).name
        trained = list(dict.fromkeys(way for way in (*known, first) if way.strategy not in UNTRAINED))
        if self.learner.can_balance:
            trained += [replace(way, balanced=True) for way in trained]
            self.run(trained)
        if self.learner.can_penalise:
            self.run([replace(way, penalised=True) for way in trained])

    @property
    def default(self) -> str:
        """The label model that is learned from where nothing else is known; empty without weak labels."""
        return next(iter(self.weak), "")

    @property
    def _may_soften(self) -> bool:
        return self.soft is None and self.learner.can_weigh

    def run(self, ways: Sequence[Way]) -> None:
        """Cross-validate ways that were not tried yet."""
        for way in ways:
            if way in self.held_out or way in self.failed:
                continue
            self._advance(str(way))
            try:
                self.held_out[way] = self._cross_validate(way)
            except ModelError as error:
                self.failed[way] = error

    def best(self, ways: Sequence[Way]) -> "Chosen":
        """The best of ways that could be trained."""
        assert self.gold is not None  # noqa: S101 - without gold nothing is tried
        said = {way: self.held_out[way].said for way in ways}
        return _best(self.metric, self.gold.Y, said, self.learner.seed)

    def choose(self, ways: Sequence[Way], *, alone: bool) -> Way:
        """The best of ways, together with those of other strategies that cannot be told from it."""
        assert self.gold is not None  # noqa: S101 - see above
        said = {way: self.held_out[way].said for way in ways}
        folds, seed = self.gold.folds, self.learner.seed
        return Way.together(answering(self.metric, self.gold.Y, said, folds, seed, alone=alone))

    def nested(self, ways: Sequence[Way], *, alone: bool) -> HeldOut:
        """What choosing among ways says of gold that did not choose."""
        gold, seed = self.gold, self.learner.seed
        assert gold is not None  # noqa: S101 - see above
        if len(ways) == 1:
            return self.held_out[ways[0]]
        said = {way: self.held_out[way].said for way in ways}

        def chosen(rows: Rows) -> Outcome:
            if not len(rows):
                return said[ways[0]]
            known = {way: one.rows(rows) for way, one in said.items()}
            members = answering(self.metric, gold.Y[rows], known, gold.folds[rows], seed, alone=alone)
            return _of_all([said[way] for way in members], gold.Y, rows, self.learner.problem)

        found = nested(chosen, gold.folds)
        return judged(self.metric, gold.Y, found, sum(self.held_out[way].unconverged for way in ways))

    def in_one_fold(self, way: Way) -> tuple[HeldOut, Rows]:
        """What a way says of the gold of the first fold unseen, and which rows these are.

        It is what fine-tuning is judged by and calibrated on: models of all folds would take five times as
        long.
        """
        gold = self.gold
        assert gold is not None  # noqa: S101 - without gold there is nothing to judge by
        fold, (_, outside) = next(iter(held_out_parts(gold.folds).items()))
        probs, stopped = self._unseen(way, self.weak.get(self._of(way)), fold, outside)
        said, Y = Outcome(probs, self.learner.problem.decide(probs)), gold.Y[outside]
        parts = spread_folds(Y, FOLDS, self.learner.seed)
        self.calibration[way] = calibrate(self.metric, Y, said, parts, points="gold points of that fold")
        return judged(self.metric, Y, self.calibration[way].said, stopped), outside

    def fit(self, way: Way) -> EndModel:
        """Train a way on everything that it uses; where calibrating was better on gold, it is calibrated."""
        if way.members:
            return EndModel.ensemble([self.fit(one) for one in way.members], self.weights(way))
        weak = self.weak.get(self._of(way))
        labels = Labels(self._learner(way), weak and weak.all, self.gold, self._trained)
        model = fit_strategy(way.strategy, labels)
        found = self.calibration.get(way)
        if found is not None and found.calibrator is not None:
            model = copy(model)  # others may stand on the model as it is
            model.calibrator_ = found.calibrator
        return model

    def weights(self, way: Way) -> Floats:
        """How much each of the m members of an ensemble that was tried counts (`modelling.weighing`)."""
        assert self.gold is not None  # noqa: S101 - without gold nothing is tried
        said = [self.held_out[one].said.probs for one in way.members]
        return pool_weights(self.learner.problem, said, self.gold.Y)

    def why_calibrated(self, way: Way) -> str:
        """Whether a way's probabilities are calibrated, and why; empty where that was not asked."""
        if way.members:
            each = [self.calibration[one] for one in way.members if one in self.calibration]
            n, m = sum(one.calibrator is not None for one in each), len(each)
            if m > 1 and n:
                return f"{n} of the {m} trained models are calibrated on gold, as that was better out of fold"
            if len({one.reason for one in each}) == 1:  # too little gold, or one beside the label model
                return each[0].reason
            return f"not calibrated: it would be better for none of the {m} trained models"
        return self.calibration[way].reason if way in self.calibration else ""

    def of_strategy(self, strategy: str) -> list[Way]:
        """The ways of a strategy that were tried and could be trained."""
        return [way for way in self.held_out if way.strategy == strategy]

    def _ways(self, strategy: str, label_model: str, *, soft: bool) -> list[Way]:
        if strategy in ONLY_GOLD:
            return [Way(strategy)]
        if strategy == LABEL_MODEL:
            return [Way(strategy, name) for name in self.weak]
        return [Way(strategy, label_model, soft)]

    def _best_of(self, ways: Sequence[Way], default: str) -> str:
        self.run(ways)
        known = [way for way in ways if way in self.held_out]
        return self.best(known).name.label_model if known else default

    def _is_better(self, way: Way, than: Way) -> bool:
        self.run([way, than])
        known = [one for one in (than, way) if one in self.held_out]
        return bool(known) and self.best(known).name == way

    def _cross_validate(self, way: Way) -> HeldOut:
        gold, problem = self.gold, self.learner.problem
        assert gold is not None  # noqa: S101 - see above
        if way.members:
            self.run(way.members)
            failed = [self.failed[one] for one in way.members if one in self.failed]
            if failed:
                raise failed[0]
            each = [self.held_out[one] for one in way.members]
            answers = [one.said for one in each]
            said = nested(lambda rows: _of_all(answers, gold.Y, rows, problem), gold.folds)
            return judged(self.metric, gold.Y, said, sum(one.unconverged for one in each))
        weak = self.weak.get(self._of(way))
        if (
            way.strategy == CONSTANT
        ):  # it learns the shares of the classes alone; of these, the best there are
            return judged(self.metric, gold.Y, constant(problem, gold.Y, len(gold.Y)))
        if way.strategy == LABEL_MODEL and weak is not None and weak.on_gold is not None:
            return judged(self.metric, gold.Y, _as_served(weak.on_gold, weak, problem))
        learned = weak if way.strategy in NEED_WEAK_MODEL else None
        # A label model can name one class only once it has seen all of gold.
        if learned and len(learned.X) and not self._learner(way).can_learn_of(learned.all.says):
            raise one_class()
        probs, stopped = np.empty(gold.Y.shape), 0
        for fold, (_, outside) in held_out_parts(gold.folds).items():
            probs[outside], one_stopped = self._unseen(way, weak, fold, outside)
            stopped += one_stopped
        said = Outcome(probs, problem.decide(probs))
        if way.strategy not in UNTRAINED:
            self.calibration[way] = calibrate(self.metric, gold.Y, said, gold.folds)
            said = self.calibration[way].said
        return judged(self.metric, gold.Y, said, stopped)

    def _unseen(self, way: Way, weak: Weak | None, fold: int, outside: Rows) -> tuple[Floats, int]:
        """What a model says of the gold of a fold that it did not see, and whether it stopped too early."""
        gold = self.gold
        assert gold is not None  # noqa: S101 - see above
        model, V = fit_strategy(way.strategy, self._labels_without(way, weak, fold)), None
        if model.takes_votes and weak is not None and weak.on_gold is not None:
            V = vote_log_odds(self.learner.problem, weak.on_gold.probs[outside])
        return model.predict_proba(gold.X[outside], V), int(bool(unconverged(model)))

    def _labels_without(self, way: Way, weak: Weak | None, fold: int) -> Labels:
        """What is known where a fold is held out; strategies of the same labels share its models."""
        gold = self.gold
        assert gold is not None  # noqa: S101 - see above
        key = (self._of(way), way.soft, way.balanced, way.penalised)
        if (fold, *key) not in self._labels:
            inside = np.flatnonzero(gold.folds != fold)
            known = None if weak is None else weak.before(fold, inside)
            if fold not in self._gold_without:  # the rows of thousands of points are held once
                self._gold_without[fold] = gold.rows(inside)
            others = self._gold_without[fold]
            self._labels[(fold, *key)] = Labels(self._learner(way), known, others, self._trained)
        return self._labels[(fold, *key)]

    def _learner(self, way: Way) -> Learner:
        learner = replace(self.learner, soft_labels=way.soft)
        learner = learner.balanced() if way.balanced else learner
        return learner.penalised() if way.penalised else learner

    def _of(self, way: Way) -> str:
        return way.label_model or self.default


def _ready(learner: Learner, weak: Mapping[str, Weak]) -> Mapping[str, Weak]:
    """The same with rows in the form that they are learned from, which all label models and models share."""
    made, blocks = learner.classifier, dict[int, OneBlock]()
    if not isinstance(made, Algorithm) or not made.block_in_memory:
        return weak
    for one in weak.values():
        if isinstance(one.X, np.ndarray) and len(one.X) and id(one.X) not in blocks:
            blocks[id(one.X)] = OneBlock.of(one.X)
    return {name: replace(one, X=blocks.get(id(one.X), one.X)) for name, one in weak.items()}


@dataclass(frozen=True)
class Chosen:
    """The way that is best, the one of the highest figure, and how many cannot be told apart.

    Attributes:
        losses: those that cannot be told from the highest → log loss, the least first. Always the most
            frequent class is one of them only where no other is.
    """

    highest: Way
    losses: Mapping[Way, float]

    @property
    def name(self) -> Way:
        """The best."""
        return next(iter(self.losses))


def _best(metric: Metric, Y: Indicator, said: Mapping[Way, Outcome], seed: int) -> Chosen:
    """As `adaptml.tasks.metrics.best`, but a way that learned something before one that did not.

    With little gold, models that are right more often than the most frequent class cannot be told from it,
    and as they are too sure, their log loss can be above that of the classes' shares. What such a model says
    is of more use all the same, and together they are less sure.
    """
    named = {str(way): way for way in said}
    found = best(metric, Y, {name: said[way] for name, way in named.items()}, seed)
    tied = [named[name] for name in found.tied]
    tied = [way for way in tied if way.strategy != CONSTANT] or tied
    losses = {way: metric.problem.log_loss(Y, said[way].probs) for way in tied}
    return Chosen(named[found.highest], dict(sorted(losses.items(), key=lambda one: one[1])))


def answering(
    metric: Metric, Y: Indicator, said: Mapping[Way, Outcome], fold: Rows, seed: int, *, alone: bool
) -> list[Way]:
    """The ways whose models answer together: the best, and those that cannot be told from it.

    Of each strategy it is the best way, of the label model's own answer too, and all are of one label model.
    Where nothing is as good as always the most frequent class, that is the answer. Where the label model is
    the best, it answers alone unless all of one label model together have a lower log loss on gold that did
    not weigh them: beside rules that are right on nearly all of gold, the others only blur.

    Args:
        metric: what decides.
        Y: classes of g gold points, int8 (g, k).
        said: way → what its models say of these points unseen.
        fold: of each point, int64 (g,).
        seed: of the bootstrap, see `adaptml.tasks.metrics.best`.
        alone: whether the best one answers alone, however many cannot be told from it.
    """
    found = _best(metric, Y, said, seed)
    first, ordered = found.name, list(found.losses)
    if alone or first.strategy == CONSTANT:
        return [first]
    label_models = list(dict.fromkeys(way.label_model for way in ordered if way.label_model)) or [""]
    if first.strategy != LABEL_MODEL:
        return _together(ordered, label_models[0])

    def loss(ways: Sequence[Way]) -> float:
        answers = [said[way] for way in ways]
        pool = nested(lambda rows: _of_all(answers, Y, rows, metric.problem), fold)
        return metric.problem.log_loss(Y, pool.probs)

    # What is tied with it can be of another label model: that of the best end model of weak labels.
    return min([[first], *(_together(ordered, name) for name in label_models)], key=loss)


def _together(ways: Sequence[Way], label_model: str) -> list[Way]:
    """The first way of each strategy, of those of one label model or of none, in the strategies' order."""
    chosen: dict[str, Way] = {}
    for way in ways:
        if way.label_model in ("", label_model):
            chosen.setdefault(way.strategy, way)
    return [chosen[name] for name in list_strategies() if name in chosen]


def _as_served(said: Outcome, weak: Weak, problem: ProblemType) -> Outcome:
    """What a label model says of points: as it decides, with the probabilities of `EndModel.of_votes`."""
    if problem.exclusive or weak.limits is None:
        return said
    return replace(said, probs=of_log_odds(problem, vote_log_odds(problem, said.probs), weak.limits))


def _of_all(said: Sequence[Outcome], Y: Indicator, rows: Rows, problem: ProblemType) -> Outcome:
    """What models say of the same gold points Y together, weighed by some rows of gold."""
    if len(said) == 1:
        return said[0]
    weights = pool_weights(problem, [one.probs[rows] for one in said], Y[rows])
    probs = pooled(problem, [one.probs for one in said], weights)
    return Outcome(probs, problem.decide(probs))
