"""Training an end model on gold labels, on weak labels, or on both: a few named strategies.

Gold labels are few and right; weak labels (what a label model says) are many and partly wrong.

    constant          always the most frequent class: what every model has to beat
    label_model       the label model itself: a point's votes say what it is
    gold              gold points only
    weak              weakly labelled points only
    union             both, a gold point counting as GOLD_WEIGHT points
    stacked           gold points only, with what the weak end model says as further features
    stacked_votes     the same, with what the label model says of a point's votes too
    relabelled        the stacked model labels the weak points, and those without votes, anew; then as union
    relabelled_votes  the same with the teacher that hears votes; the model itself needs vectors only

`modelling.trials` chooses among them.
"""

from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from typing import TypeVar

import numpy as np

from adaptml.errors import ModelError, listed
from adaptml.tasks.metrics import Outcome, constant
from modelling.algorithms import EndModel, takes_texts
from modelling.algorithms.core import Matrix
from modelling.algorithms.end_model import stacked_log_odds
from modelling.algorithms.log_odds import vote_log_odds
from modelling.algorithms.many_rows import below
from modelling.learner import Gold, Learner, Weak

AUTO = "auto"
LABELS_BY = "labels_by"  # the parameter by which it says whose labels it learned from
STRATEGY_USED = "strategy_used"  # the parameter by which a run says which strategy it was in the end
LOWEST = 1e-3  # the least that the length of a model's log-odds counts as
HEAR_VOTES = ("label_model", "stacked_votes")  # strategies whose models need a point's votes
# Strategies whose models stand on one of weak labels alone.
NEED_WEAK_MODEL = ("weak", "stacked", "stacked_votes", "relabelled", "relabelled_votes")

Given = TypeVar("Given", Weak, Gold)


@dataclass(frozen=True)
class Labels:
    """All that one training may use; at least one of weak and gold is there.

    Attributes:
        learner: what to train.
        weak: weakly labelled points, or None.
        gold: gold points, or None.
        trained: end models of weak labels alone that were trained before, by what they learned. A label model
            that has not seen a fold of gold often names the same classes as one that has.
    """

    learner: Learner
    weak: Weak | None
    gold: Gold | None
    trained: MutableMapping[bytes, EndModel] = field(default_factory=dict)

    @cached_property
    def weak_model(self) -> EndModel:
        """The end model of weak labels alone, which several strategies need."""
        weak = needed(self.weak, "weak labels")
        learned = self.learner.targets(weak.says).tobytes() + self.learner.ties(weak.says).tobytes()
        key = sha256(repr(self.learner.classifier.get_params()).encode() + learned).digest()
        if key not in self.trained:
            self.trained[key] = self.learner.fit_weak(weak.X, weak.says)
        return self.trained[key]

    @cached_property
    def stacked_model(self) -> EndModel:
        """Stacking (Wolpert 1992, https://doi.org/10.1016/S0893-6080(05)80023-1).

        The model learns from few gold points how far weak labels can be trusted, and about which classes. The
        weak model's log-odds are scaled to weigh as much as the other features together. A model of texts
        goes on learning from gold where the weak model stopped.
        """
        needed(self.weak, "weak labels")
        gold = needed(self.gold, "gold labels")
        return self.learner.fit(gold.X, gold.Y, base=self._base(gold), n_gold=len(gold.X))

    @cached_property
    def stacked_votes_model(self) -> EndModel:
        """The same, where the label model's log-odds of each point's votes are features too.

        Of gold points, they come from a label model that has not seen the point, as they will of new points.
        """
        gold, weak = needed(self.gold, "gold labels"), self.weak
        if weak is None or weak.on_gold is None:
            raise ModelError(_NO_VOTES)
        V = vote_log_odds(self.learner.problem, weak.on_gold.probs)
        base = self._base(gold) if len(weak.X) else None
        return self.learner.fit(gold.X, gold.Y, base=base, votes=(V, _scale(gold.X, V)))

    def _base(self, gold: Gold) -> tuple[EndModel, float]:
        model = self.weak_model
        if takes_texts(self.learner.classifier):  # it goes on learning: nothing is scaled
            return model, 1.0
        return model, _scale(gold.X, stacked_log_odds(model, gold.X))


def list_strategies() -> list[str]:
    """Names of the strategies, the simplest first."""
    return list(_STRATEGIES)


def check_strategy(strategy: str) -> None:
    """Refuse a strategy that there is not.

    Raises:
        ModelError: it is neither `auto` nor one of `list_strategies()`.
    """
    if strategy not in (AUTO, *list_strategies()):
        known = listed([AUTO, *list_strategies()], 20)
        raise ModelError(f"no strategy {strategy!r} to combine labels; expected one of {known}")


def fit_strategy(strategy: str, labels: Labels) -> EndModel:
    """The end model that a strategy makes of labels.

    Raises:
        ModelError: labels that it needs and that are not there, or one class only.
    """
    return _STRATEGIES[strategy](labels)


def unconverged(model: EndModel) -> str:
    """A sentence where the model, or the one that it stands on, stopped before it converged; else empty."""
    return model.unconverged_ or getattr(model.base_model, "unconverged_", "")


def needed(given: Given | None, what: str) -> Given:
    """Labels, if they are there.

    Raises:
        ModelError: they are not.
    """
    if given is None or len(given.X) == 0:
        raise ModelError(f"there are no {what} to train on; give some, or choose a strategy that needs none")
    return given


def _constant(labels: Labels) -> EndModel:
    known = labels.gold.Y if labels.gold is not None else needed(labels.weak, "weak labels").says.predicted
    return EndModel.constant(labels.learner.problem, constant(labels.learner.problem, known, 1).probs[0])


def _label_model(labels: Labels) -> EndModel:
    weak = labels.weak
    if weak is None or weak.on_gold is None:
        raise ModelError(_NO_VOTES)
    k = weak.says.probs.shape[1]
    return EndModel.of_votes(labels.learner.problem, np.full(k, 0.5) if weak.limits is None else weak.limits)


def _only_gold(labels: Labels) -> EndModel:
    gold = needed(labels.gold, "gold labels")
    return labels.learner.fit(gold.X, gold.Y, n_gold=len(gold.X))


def _union(labels: Labels) -> EndModel:
    weak = needed(labels.weak, "weak labels")
    return labels.learner.fit_weak(weak.X, weak.says, needed(labels.gold, "gold labels"))


def _relabelled(labels: Labels, *, hears_votes: bool) -> EndModel:
    """Self-training (Yarowsky 1995, https://doi.org/10.3115/981658.981684): one plain model in the end."""
    teacher = labels.stacked_votes_model if hears_votes else labels.stacked_model
    weak, problem = needed(labels.weak, "weak labels"), labels.learner.problem
    V = vote_log_odds(problem, weak.says.probs) if hears_votes else None
    probs, X = teacher.predict_proba(weak.X, V), weak.X
    if weak.X_rest is not None and len(weak.X_rest):
        # Of a point without votes only its vectors are known: the teacher that needs no others.
        probs = np.vstack([probs, labels.stacked_model.predict_proba(weak.X_rest)])
        X = below(X, weak.X_rest)
    gold = needed(labels.gold, "gold labels")
    return labels.learner.fit_weak(X, Outcome(probs, problem.decide(probs)), gold)


def _scale(X: Matrix, further: Matrix) -> float:
    """What further features are multiplied by to be as long as the others, where these say anything."""
    length = _mean_length(X)
    return length / max(_mean_length(further), LOWEST) if length > 0 else 1.0


def _mean_length(X: Matrix) -> float:
    return float(np.linalg.norm(np.nan_to_num(X), axis=1).mean())  # a missing number has no length


_NO_VOTES = (
    "votes are not known: the labels are no run of `adaptml label` with gold; give one and --gold, or choose "
    "a strategy that needs no votes"
)
_STRATEGIES: Mapping[str, Callable[[Labels], EndModel]] = {
    "constant": _constant,
    "label_model": _label_model,
    "gold": _only_gold,
    "weak": lambda labels: labels.weak_model,
    "union": _union,
    "stacked": lambda labels: labels.stacked_model,
    "stacked_votes": lambda labels: labels.stacked_votes_model,
    "relabelled": lambda labels: _relabelled(labels, hears_votes=False),
    "relabelled_votes": lambda labels: _relabelled(labels, hears_votes=True),
}
