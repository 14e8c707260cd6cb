"""What end models learn from, weak labels and gold, and the learner that learns from them."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
from sklearn.base import clone

from adaptml.folds import FOLDS
from adaptml.tasks import ProblemType
from adaptml.tasks import folds as spread_folds
from adaptml.tasks.metrics import Outcome
from modelling.algorithms import Classifier, EndModel, takes_weights
from modelling.algorithms.core import Floats, Matrix
from modelling.algorithms.fitting import named, told_apart
from modelling.algorithms.logistic_regression import C_TIMES_ROWS
from modelling.algorithms.many_rows import ManyRows, OneBlock, below

GOLD_WEIGHT = 5.0
STRONGER = 10.0
TIE = 1e-9  # probabilities that are no further apart are the same

Indicator = npt.NDArray[np.int8]
Rows = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


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

    @property
    def can_penalise(self) -> bool:
        """Whether its penalty follows the number of rows, and could be stronger than usual."""
        params = self.classifier.get_params()
        return params.get("C_times_rows") == C_TIMES_ROWS and params["C"] is None

    def penalised(self) -> "Learner":
        """The same with a penalty that is STRONGER times the usual one."""
        C = C_TIMES_ROWS / STRONGER
        return replace(self, classifier=clone(self.classifier).set_params(C_times_rows=C))

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

    def can_learn_of(self, says: Outcome) -> bool:
        """Whether what is said of points names two classes or more, or in multilabel tells any apart."""
        targets = self.targets(says)[~self.ties(says)]
        return named(targets).sum() > 1 if self.problem.exclusive else bool(told_apart(targets).any())

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
