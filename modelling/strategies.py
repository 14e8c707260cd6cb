"""Training an end model on gold labels, on weak labels, or on both: a few named strategies, and a choice.

Gold labels are few and right; weak labels (what a label model says) are many and partly wrong.
The strategies:

    gold        gold points only
    weak        weakly labelled points only
    union       both, a gold point counting as GOLD_WEIGHT points
    stacked     gold points only, with what the weak end model says as further features
    relabelled  the stacked model labels the weak points anew; then as union
    auto        whichever of them predicts held-out gold best
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from adaptml.errors import ModelError, listed
from adaptml.tasks import ProblemType
from adaptml.tasks import folds as folds_of
from modelling.algorithms import Classifier, EndModel, takes_weights
from modelling.algorithms.core import Floats, Matrix
from modelling.algorithms.end_model import stacked_log_odds

AUTO = "auto"
STRATEGY_USED = "strategy_used"  # the parameter by which a run says which strategy it was in the end
GOLD_WEIGHT = 5.0
FOLDS = 5
MIN_GOLD = 20  # with fewer gold points, strategies differ by chance more than by merit
LOWEST = 1e-3  # the least that the length of a model's log-odds counts as

Indicator = npt.NDArray[np.int8]
Rows = npt.NDArray[np.int64]
Given = TypeVar("Given", "Weak", "Gold")


@dataclass(frozen=True)
class Weak:
    """Weakly labelled points.

    Attributes:
        X: features, float32 (n, d).
        P: what the label model says, float64 (n, k), values in [0, 1]. Points without votes are left out.
        X_rest: features of points without votes, float32 (u, d), or None. Strategies that can use them do.
        refit: row numbers of gold points → P (n, k) of a label model that saw no other gold points. Without
            it, cross-validation takes P as it is, and is too hopeful as far as P was made with that gold.
    """

    X: Matrix
    P: Floats
    X_rest: Matrix | None = None
    refit: Callable[[Rows], Floats] | None = None

    def seen_with(self, rows: Rows) -> "Weak":
        """The same points as a label model labels them that saw only these gold points."""
        return self if self.refit is None else replace(self, P=self.refit(rows))

    def among(self, rows: Rows) -> "Weak":
        """The same points where only these gold points are known of, and are numbered anew."""
        refit = self.refit
        return self if refit is None else replace(self, refit=lambda chosen: refit(rows[chosen]))


@dataclass(frozen=True)
class Gold:
    """Points with gold labels: features X float32 (g, d), classes Y int8 (g, k)."""

    X: Matrix
    Y: Indicator


@dataclass(frozen=True)
class Learner:
    """What is trained, whatever the strategy.

    Attributes:
        classifier: an unfitted classifier, from `modelling.algorithms.classifier`.
        problem: one class a point, or any number.
        soft_labels: train on probabilities rather than on the classes that they name; has no effect where
            the algorithm takes no sample weights.
        seed: of all random choices.
    """

    classifier: Classifier
    problem: ProblemType
    soft_labels: bool = True
    seed: int = 0

    def end_model(self, base_model: EndModel | None = None, scale: float = 1.0) -> EndModel:
        """An unfitted end model."""
        return EndModel(self.classifier, self.problem, seed=self.seed, base_model=base_model, scale=scale)

    def fit(
        self,
        X: Matrix,
        targets: npt.NDArray[np.generic],
        weights: Floats | None = None,
        model: EndModel | None = None,
    ) -> EndModel:
        """Train on targets (n, k), made hard if they must be, and weights (n,) if they can be used."""
        soft = np.asarray(targets, np.float64)
        weighing = takes_weights(self.classifier)
        if not (self.soft_labels and weighing):
            soft = self.problem.decide(soft).astype(np.float64)
        return (model or self.end_model()).fit(X, soft, weights if weighing else None)


@dataclass(frozen=True)
class Labels:
    """All that one training may use; at least one of weak and gold is there.

    Attributes:
        learner: what to train.
        weak: weakly labelled points, or None.
        gold: gold points, or None.
        same_weak: of another training on the same weak labels, whose end model of them is the same; or None.
    """

    learner: Learner
    weak: Weak | None
    gold: Gold | None
    same_weak: "Labels | None" = None

    @cached_property
    def weak_model(self) -> EndModel:
        """The end model of weak labels alone, which several strategies need."""
        if self.same_weak is not None:
            return self.same_weak.weak_model
        weak = _needed(self.weak, "weak labels")
        return self.learner.fit(weak.X, weak.P)

    @cached_property
    def stacked_model(self) -> EndModel:
        """See `_stacked`."""
        return _stacked(self)


@dataclass(frozen=True)
class HeldOut:
    """What a strategy's models say of gold points that they were not trained on.

    Attributes:
        probs: float64 (g, k).
        log_loss: mean of -log of the probability of the truth: over points in multiclass, over all
            points and classes in multilabel. Lower is better.
        metric: accuracy in multiclass, F1 over samples in multilabel.
        unconverged: how many of the models stopped before they converged.
    """

    probs: Floats
    log_loss: float
    metric: float
    unconverged: int = 0


@dataclass(frozen=True)
class Combined:
    """A trained end model and how its strategy was chosen.

    Attributes:
        model: trained on everything that the strategy uses.
        strategy: the name of the strategy.
        reason: one sentence.
        held_out: strategy → its metrics on gold by cross-validation; empty if nothing had to be chosen.
    """

    model: EndModel
    strategy: str
    reason: str
    held_out: Mapping[str, HeldOut]


def combine(strategy: str, learner: Learner, weak: Weak | None, gold: Gold | None) -> Combined:
    """Train an end model by the strategy asked for; `auto` chooses one by cross-validation on gold.

    Args:
        strategy: `auto` or one of `list_strategies()`.
        learner: what to train.
        weak: weakly labelled points, or None.
        gold: gold points, or None.

    Raises:
        ModelError: an unknown strategy, labels that it needs and that are not there, or one class only.
    """
    if strategy != AUTO and strategy not in _STRATEGIES:
        known = listed([AUTO, *_STRATEGIES], 20)
        raise ModelError(f"no strategy {strategy!r} to combine labels; expected one of {known}")
    held_out: Mapping[str, HeldOut] = {}
    if strategy != AUTO:
        chosen, reason = strategy, "it was asked for"
    elif gold is None or len(gold.X) == 0:
        chosen, reason = "weak", "no gold labels were given to train on"
    elif weak is None or len(weak.X) == 0:
        chosen, reason = "gold", "no weak labels were given to train on"
    elif len(gold.X) < MIN_GOLD:
        chosen, reason = "union", f"{len(gold.X)} gold points are too few to choose by; {MIN_GOLD} are needed"
    else:
        held_out = cross_validate(list_strategies(), learner, weak, gold)
        chosen = min(held_out, key=lambda name: held_out[name].log_loss)
        reason = f"lowest log loss on held-out gold ({held_out[chosen].log_loss:.3f})"
    return Combined(_STRATEGIES[chosen](Labels(learner, weak, gold)), chosen, reason, held_out)


def list_strategies() -> list[str]:
    """Names of the strategies, the simplest first."""
    return list(_STRATEGIES)


def cross_validate(
    strategies: Sequence[str], learner: Learner, weak: Weak | None, gold: Gold, folds: int = FOLDS
) -> dict[str, HeldOut]:
    """What each strategy's models say of gold points that neither they nor their weak labels saw.

    All strategies are judged on the same parts. A strategy that cannot be trained in every part (because
    gold is too few in kind, say) is left out.

    Args:
        strategies: names from `list_strategies()`.
        learner: what to train.
        weak: weakly labelled points, or None; its `refit` keeps held-out gold out of the weak labels.
        gold: at least two gold points.
        folds: number of parts.

    Raises:
        ModelError: no strategy can be trained.
    """
    parts = folds_of(gold.Y, folds, learner.seed)
    probs = {name: np.empty(gold.Y.shape, np.float64) for name in strategies}
    stopped = dict.fromkeys(strategies, 0)
    failed: dict[str, ModelError] = {}
    same_weak = Labels(learner, weak, None) if weak is not None and weak.refit is None else None
    for part in range(parts.max() + 1):
        inside, outside = np.flatnonzero(parts != part), np.flatnonzero(parts == part)
        known = Gold(gold.X[inside], gold.Y[inside])
        labels = Labels(learner, weak and weak.seen_with(inside), known, same_weak)
        for name in [name for name in strategies if name not in failed]:
            try:
                model = _STRATEGIES[name](labels)
                probs[name][outside] = model.predict_proba(gold.X[outside])
                stopped[name] += bool(unconverged(model))
            except ModelError as error:
                failed[name] = error
    if len(failed) == len(strategies):
        raise next(iter(failed.values()))
    return {
        name: judged(learner.problem, gold.Y, probs[name], stopped[name])
        for name in strategies
        if name not in failed
    }


def judged(problem: ProblemType, Y: Indicator, probs: Floats, unconverged: int = 0) -> HeldOut:
    """What models say of gold points Y (g, k), float64 (g, k), and how good that is."""
    metric = float(problem.scores(Y, problem.decide(probs)).mean())
    return HeldOut(probs, problem.log_loss(Y, probs), metric, unconverged)


def unconverged(model: EndModel) -> str:
    """A sentence where the model, or the one that it stands on, stopped before it converged; else empty."""
    return model.unconverged_ or getattr(model.base_model, "unconverged_", "")


def _only_gold(labels: Labels) -> EndModel:
    gold = _needed(labels.gold, "gold labels")
    return labels.learner.fit(gold.X, gold.Y)


def _only_weak(labels: Labels) -> EndModel:
    return labels.weak_model


def _union(labels: Labels) -> EndModel:
    weak = _needed(labels.weak, "weak labels")
    return _with_gold(labels, weak.X, weak.P)


def _stacked(labels: Labels) -> EndModel:
    """Stacking (Wolpert 1992, https://doi.org/10.1016/S0893-6080(05)80023-1).

    The model learns from few gold points how far weak labels can be trusted, and about which classes. The
    weak model's log-odds are scaled to weigh as much as the other features together.
    """
    _needed(labels.weak, "weak labels")
    gold = _needed(labels.gold, "gold labels")
    base = labels.weak_model
    scale = _mean_length(gold.X) / max(_mean_length(stacked_log_odds(base, gold.X)), LOWEST)
    return labels.learner.fit(gold.X, gold.Y, model=labels.learner.end_model(base, scale))


def _relabelled(labels: Labels) -> EndModel:
    """Self-training (Yarowsky 1995, https://doi.org/10.3115/981658.981684): one plain model in the end."""
    teacher = labels.stacked_model
    weak = _needed(labels.weak, "weak labels")
    X = weak.X if weak.X_rest is None else np.vstack([weak.X, weak.X_rest])
    return _with_gold(labels, X, teacher.predict_proba(X))


def _mean_length(X: Matrix) -> float:
    return float(np.linalg.norm(np.nan_to_num(X), axis=1).mean())  # a missing number has no length


def _with_gold(labels: Labels, X: Matrix, P: Floats) -> EndModel:
    """Train on points (n, d) with labels (n, k) and on gold, which counts more."""
    gold = _needed(labels.gold, "gold labels")
    weights = np.concatenate([np.ones(len(X)), np.full(len(gold.X), GOLD_WEIGHT)])
    return labels.learner.fit(np.vstack([X, gold.X]), np.vstack([P, gold.Y]), weights)


def _needed(given: Given | None, what: str) -> Given:
    if given is None or len(given.X) == 0:
        raise ModelError(f"there are no {what} to train on; give some, or choose a strategy that needs none")
    return given


_STRATEGIES: Mapping[str, Callable[[Labels], EndModel]] = {
    "gold": _only_gold,
    "weak": _only_weak,
    "union": _union,
    "stacked": lambda labels: labels.stacked_model,
    "relabelled": _relabelled,
}
