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
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import sha256
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from sklearn.base import clone

from adaptml.errors import ModelError, listed
from adaptml.folds import FOLDS
from adaptml.tasks import ProblemType
from adaptml.tasks import folds as spread_folds
from adaptml.tasks.metrics import Outcome, constant
from modelling.algorithms import Classifier, EndModel, takes_texts, takes_weights
from modelling.algorithms.core import Floats, Matrix
from modelling.algorithms.end_model import stacked_log_odds
from modelling.algorithms.log_odds import vote_log_odds
from modelling.algorithms.many_rows import ManyRows, OneBlock, below

AUTO = "auto"
LABELS_BY = "labels_by"  # the parameter by which it says whose labels it learned from
STRATEGY_USED = "strategy_used"  # the parameter by which a run says which strategy it was in the end
GOLD_WEIGHT = 5.0
TIE = 1e-9  # probabilities that are no further apart are the same
LOWEST = 1e-3  # the least that the length of a model's log-odds counts as
HEAR_VOTES = ("label_model", "stacked_votes")  # strategies whose models need a point's votes

Indicator = npt.NDArray[np.int8]
Rows = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Given = TypeVar("Given", "Weak", "Gold")


@dataclass(frozen=True)
class Weak:
    """Weakly labelled points, as one label model labels them.

    Attributes:
        X: features, float32 (n, d), in memory, as `ManyRows` or, ready to be learned from, as `OneBlock`.
        says: what the label model says of them: probabilities and classes, (n, k). Points without votes are
            left out.
        X_rest: features of points without votes, float32 (u, d), or None. Strategies that can use them do.
        without: fold → what the label model says of the n points when it has not seen that fold's gold.
            Without it, cross-validation takes `says` as it is, and is too hopeful as far as that was made
            with the gold it judges by.
        on_gold: what the label model says of the gold points, (g, k), each without having seen it; None where
            nobody knows: then votes are no features.
        rows: where these points are a sample of those to train on, which of them they are, int64 (n,).
        whole: then all of them; a way is chosen by the sample, and trained on all.
        limits: above which probability the label model names each class, float64 (k,), values in (0, 1).
    """

    X: Matrix | ManyRows | OneBlock
    says: Outcome
    X_rest: Matrix | None = None
    without: Callable[[int], Outcome] | None = None
    on_gold: Outcome | None = None
    limits: Floats | None = None
    rows: Rows | None = None
    whole: "Weak | None" = None

    @property
    def all(self) -> "Weak":
        """All points to train on."""
        return self.whole or self

    @property
    def matrix(self) -> Matrix:
        """Features of points that are held in memory: of all, or of the sample of many."""
        assert isinstance(self.X, np.ndarray)  # noqa: S101 - where there is gold, there is a sample
        return self.X

    def before(self, fold: int, others: Rows) -> "Weak":
        """What is known of them where a fold of gold is held out.

        Args:
            fold: which.
            others: row numbers of the gold points of the other folds.
        """
        said = self.says if self.without is None else self.without(fold)
        known = None if self.on_gold is None else self.on_gold.rows(others)
        return replace(self, says=said, without=None, on_gold=known, whole=None)


@dataclass(frozen=True)
class Gold:
    """Points with gold labels.

    Attributes:
        X: features, float32 (g, d).
        Y: classes, int8 (g, k), values in {0, 1}.
        fold: of each point, int64 (g,), see `adaptml.folds`; default: spread evenly over the label sets.
    """

    X: Matrix
    Y: Indicator
    fold: Rows | None = None

    @cached_property
    def folds(self) -> Rows:
        """The fold of each point."""
        return spread_folds(self.Y, FOLDS, seed=0) if self.fold is None else self.fold

    def rows(self, chosen: Rows) -> "Gold":
        """Some of the points, each in its fold."""
        return Gold(self.X[chosen], self.Y[chosen], self.folds[chosen])


@dataclass(frozen=True)
class Learner:
    """What is trained, whatever the strategy.

    Attributes:
        classifier: an unfitted classifier, from `modelling.algorithms.classifier`.
        problem: one class a point, or any number.
        soft_labels: train on probabilities rather than on the classes that they name; has no effect where
            the algorithm takes no sample weights.
        seed: of all random choices.
        show_progress: draw a bar where one training takes minutes.
    """

    classifier: Classifier
    problem: ProblemType
    soft_labels: bool = False
    seed: int = 0
    show_progress: bool = False

    @property
    def can_weigh(self) -> bool:
        """Whether rows can weigh differently, which soft labels need."""
        return takes_weights(self.classifier)

    @property
    def can_balance(self) -> bool:
        """Whether it could make rare classes count more, and does not yet."""
        params = self.classifier.get_params()
        return "class_weight" in params and params["class_weight"] is None

    def balanced(self) -> "Learner":
        """The same, where each class counts as much as any other."""
        return replace(self, classifier=clone(self.classifier).set_params(class_weight="balanced"))

    def targets(self, says: Outcome) -> Floats:
        """What is learned of a model that says this: float64 (n, k)."""
        return says.probs if self.soft_labels and self.can_weigh else says.predicted.astype(np.float64)

    def ties(self, says: Outcome) -> Flags:
        """Points that no hard label is known of, bool (n,): two classes or more are the most probable alike.

        Soft labels say what is known of these, and with several classes a point each stands for itself.
        None are left out where the others are of one class.
        """
        nothing = np.zeros(len(says.probs), dtype=bool)
        if not self.problem.exclusive or (self.soft_labels and self.can_weigh) or says.probs.shape[1] < 2:
            return nothing
        second, first = np.partition(says.probs, -2, axis=1)[:, -2:].T
        tied = np.isclose(first, second, rtol=0, atol=TIE)
        return tied if says.predicted[~tied].any(axis=0).sum() > 1 else nothing

    def fit_weak(
        self, X: Matrix | ManyRows | OneBlock, says: Outcome, gold: "Gold | None" = None
    ) -> EndModel:
        """Train on what is said of points, without those of no hard label, and on gold, which counts more.

        Args:
            X: features, float32 (n, d), in memory or as `ManyRows`.
            says: what is said of them, (n, k).
            gold: gold points, or None.
        """
        tied, targets, weights = self.ties(says), self.targets(says), np.ones(len(says.probs))
        if isinstance(X, ManyRows | OneBlock):  # its rows stay where they are
            weights[tied] = 0
        elif tied.any():
            X, targets, weights = X[~tied], targets[~tied], weights[~tied]
        if gold is None:
            return self.fit(X, targets, weights if not weights.all() else None)
        weights = np.concatenate([weights, np.full(len(gold.X), GOLD_WEIGHT)])
        return self.fit(below(X, gold.X), np.vstack([targets, gold.Y]), weights, n_gold=len(gold.X))

    def fit(
        self,
        X: Matrix | ManyRows | OneBlock,
        targets: npt.NDArray[np.generic],
        weights: Floats | None = None,
        *,
        base: tuple[EndModel, float] | None = None,
        votes: tuple[Matrix, float] | None = None,
        n_gold: int = 0,
    ) -> EndModel:
        """Train on targets (n, k), and on weights (n,) if they can be used.

        Args:
            X: features, float32 (n, d), in memory or as `ManyRows`.
            targets: labels, values in [0, 1].
            weights: how much each row counts; None: all alike.
            base: an end model whose log-odds are further features, and what they are multiplied by.
            votes: the label model's log-odds of the rows' votes, and what they are multiplied by.
            n_gold: how many of the last rows are gold.
        """
        base_model, scale = base or (None, 1.0)
        V, vote_scale = votes or (None, 0.0)
        model = EndModel(
            self.classifier,
            self.problem,
            seed=self.seed,
            base_model=base_model,
            scale=scale,
            vote_scale=vote_scale,
        )
        return model.fit(
            X,
            np.asarray(targets, np.float64),
            weights if self.can_weigh else None,
            V,
            n_gold=n_gold,
            show_progress=self.show_progress,
        )


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
