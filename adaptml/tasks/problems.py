"""Problem types: what a data point can be, one class or any number, and all that follows from it.

    Multiclass  exactly one class a point; probabilities of a point sum to 1
    Multilabel  any number of classes a point, also none; each class is a question of its own

A task file names its problem type under the key `setting`. Everything that differs between the two is a
method or an attribute here, so that no other module asks which of them it deals with.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from adaptml.errors import TaskError, listed

if TYPE_CHECKING:
    from matplotlib.figure import Figure

THRESHOLD = 0.5
LOWEST = 1e-3  # probabilities are kept this far from 0 and 1 where their logarithm is taken

Indicator = npt.NDArray[np.int8]
Floats = npt.NDArray[np.float64]


class ProblemType(ABC):
    """What a data point can be.

    Attributes:
        name: as the task file writes it.
        exclusive: whether a point has exactly one class.
        measure: the metric that models are compared by, a name of `evaluate`'s.
        measure_title: the same for people.
        choice: Label Studio's word for it, an attribute of its control.
        instruction: what annotators are told.
        distances: the distances between label sets that agreement is measured with; the first one decides.
    """

    name: ClassVar[str]
    exclusive: ClassVar[bool]
    measure: ClassVar[str]
    measure_title: ClassVar[str]
    choice: ClassVar[str]
    instruction: ClassVar[str]
    distances: ClassVar[tuple[str, ...]]

    def __str__(self) -> str:
        return self.name

    @abstractmethod
    def usable(self, Y: Indicator) -> npt.NDArray[np.bool_]:
        """Which points (n,) have labels that fit: label sets Y (n, k), values in {0, 1}."""

    @abstractmethod
    def decide(self, probs: Floats, thresholds: float | Floats = THRESHOLD) -> Indicator:
        """The classes that probabilities stand for.

        Args:
            probs: float64 (n, k), values in [0, 1].
            thresholds: of each class; only classes that do not exclude each other have any.

        Returns:
            int8 (n, k), values in {0, 1}.
        """

    @abstractmethod
    def scores(self, Y: Indicator, predicted: Indicator) -> Floats:
        """How well each point's classes are predicted: float64 (n,) in [0, 1]; the mean is `measure`."""

    @abstractmethod
    def losses(self, Y: Indicator, probs: Floats) -> Floats:
        """-log of the probability of each point's truth, float64 (n,)."""

    def log_loss(self, Y: Indicator, probs: Floats) -> float:
        """Mean of -log of the probability of the truth; lower is better."""
        return float(self.losses(Y, probs).mean())

    @abstractmethod
    def log_odds(self, probs: Floats) -> Floats:
        """Probabilities (n, k) on the scale where evidence adds up, float64 (n, k)."""

    @abstractmethod
    def entropy(self, probs: Floats) -> Floats:
        """How unsure each point's probabilities are, float64 (n,), in nats."""

    @abstractmethod
    def confidence(self, Y: Indicator, probs: Floats) -> Floats:
        """How sure probabilities (n, k) are of the label sets Y (n, k), float64 (n,), values in [0, 1]."""

    @abstractmethod
    def decisions(self, Y: Indicator, probs: Floats) -> tuple[Floats, npt.NDArray[np.bool_]]:
        """What probabilities claim, and whether it is so: what calibration is counted on.

        Args:
            Y: the truth, int8 (n, k), values in {0, 1}.
            probs: float64 (n, k), values in [0, 1].

        Returns:
            The probability of each claim, float64 (m,), and whether it is true, bool (m,).
        """

    @abstractmethod
    def class_prior(self, Y: Indicator | None, k: int) -> Floats:
        """Smoothed share of points of each class, float64 (k,) in (0, 1); all alike without gold."""

    @abstractmethod
    def evaluate(
        self,
        class_names: Sequence[str],
        Y: Indicator,
        predicted: Indicator,
        probs: Floats | None = None,
        positive: str | None = None,
    ) -> dict[str, float]:
        """Metrics by name; see `adaptml.evaluation.evaluate`."""

    @abstractmethod
    def confusion_plot(
        self, class_names: Sequence[str], Y: Indicator, predicted: Indicator, title: str
    ) -> "Figure":
        """Counts and row percentages of true classes against predicted ones."""


class Multiclass(ProblemType):
    """Exactly one class a point.

    >>> MULTICLASS.decide(np.array([[0.4, 0.3, 0.3]])).tolist()
    [[1, 0, 0]]
    """

    name = "multiclass"
    exclusive = True
    measure = "accuracy"
    measure_title = "accuracy"
    choice = "single"
    instruction = "Choose exactly one."
    distances = ("nominal",)

    def usable(self, Y: Indicator) -> npt.NDArray[np.bool_]:
        """Points with exactly one class."""
        return np.asarray(np.equal(Y.sum(axis=1), 1))

    def decide(self, probs: Floats, thresholds: float | Floats = THRESHOLD) -> Indicator:  # noqa: ARG002
        """The most probable class; of equally probable ones the first."""
        flags = np.zeros(probs.shape, dtype=np.int8)
        flags[np.arange(len(probs)), probs.argmax(axis=1)] = 1
        return flags

    def scores(self, Y: Indicator, predicted: Indicator) -> Floats:
        """1 where the class is right, else 0."""
        return np.asarray((Y & predicted).sum(axis=1), np.float64)

    def losses(self, Y: Indicator, probs: Floats) -> Floats:
        """That of the point's class."""
        return np.asarray(-np.log(_clipped(probs)[Y == 1]))

    def log_odds(self, probs: Floats) -> Floats:
        """Logarithms: classes share what a softmax needs."""
        return np.asarray(np.log(_clipped(probs)))

    def entropy(self, probs: Floats) -> Floats:
        """Of the point's distribution."""
        return np.asarray(_surprise(probs).sum(axis=1))

    def confidence(self, Y: Indicator, probs: Floats) -> Floats:
        """The probability of the class; of the least sure decision where a point has none."""
        least = np.where(Y == 1, probs, 1 - probs).min(axis=1)
        return np.asarray(np.where(Y.any(axis=1), np.where(Y == 1, probs, 1.0).min(axis=1), least))

    def decisions(self, Y: Indicator, probs: Floats) -> tuple[Floats, npt.NDArray[np.bool_]]:
        """One claim a point: it is of its most probable class."""
        return probs.max(axis=1), self.scores(Y, self.decide(probs)) == 1

    def class_prior(self, Y: Indicator | None, k: int) -> Floats:
        """Sums to 1: Laplace's rule of succession, (count + 1) / (n + k)."""
        counts = np.zeros(k) if Y is None else Y.sum(axis=0, dtype=np.float64)
        return np.asarray((counts + 1) / (counts.sum() + k), np.float64)

    def evaluate(
        self,
        class_names: Sequence[str],
        Y: Indicator,
        predicted: Indicator,
        probs: Floats | None = None,
        positive: str | None = None,
    ) -> dict[str, float]:
        """Metrics by name; see `adaptml.evaluation`."""
        from adaptml.evaluation import evaluate_multiclass

        return evaluate_multiclass(class_names, Y, predicted, probs, positive)

    def confusion_plot(
        self, class_names: Sequence[str], Y: Indicator, predicted: Indicator, title: str
    ) -> "Figure":
        """One matrix (k, k)."""
        from adaptml.plots import confusion_plot

        return confusion_plot(class_names, Y, predicted, title)


class Multilabel(ProblemType):
    """Any number of classes a point.

    >>> MULTILABEL.decide(np.array([[0.5, 0.2, 0.9]])).tolist()
    [[0, 0, 1]]
    """

    name = "multilabel"
    exclusive = False
    measure = "f1_samples"
    measure_title = "F1 over samples"
    choice = "multiple"
    instruction = "Choose all that apply."
    distances = ("masi", "nominal")

    def usable(self, Y: Indicator) -> npt.NDArray[np.bool_]:
        """All points."""
        return np.ones(len(Y), dtype=bool)

    def decide(self, probs: Floats, thresholds: float | Floats = THRESHOLD) -> Indicator:
        """Every class that is more probable than its threshold, as scikit-learn's classifiers decide."""
        return (probs > thresholds).astype(np.int8)

    def scores(self, Y: Indicator, predicted: Indicator) -> Floats:
        """F1 of the label set; 1 where there is no true and no predicted class.

        >>> MULTILABEL.scores(np.array([[1, 1], [0, 0]]), np.array([[1, 0], [0, 0]])).round(2).tolist()
        [0.67, 1.0]
        """
        sizes = Y.sum(axis=1) + predicted.sum(axis=1)
        return np.where(sizes == 0, 1.0, 2 * (Y & predicted).sum(axis=1) / np.maximum(sizes, 1))

    def losses(self, Y: Indicator, probs: Floats) -> Floats:
        """Mean over the classes."""
        clipped = _clipped(probs)
        return np.asarray(-np.log(np.where(Y == 1, clipped, 1 - clipped)).mean(axis=1))

    def log_odds(self, probs: Floats) -> Floats:
        """log(p / (1 - p)) of each class."""
        clipped = _clipped(probs)
        return np.asarray(np.log(clipped) - np.log1p(-clipped))

    def entropy(self, probs: Floats) -> Floats:
        """Summed over the classes, each of which applies or does not."""
        return np.asarray((_surprise(probs) + _surprise(1.0 - probs)).sum(axis=1))

    def confidence(self, Y: Indicator, probs: Floats) -> Floats:
        """That of the least sure decision: p for a class that was given and 1 - p for one that was not."""
        return np.asarray(np.where(Y == 1, probs, 1 - probs).min(axis=1))

    def decisions(self, Y: Indicator, probs: Floats) -> tuple[Floats, npt.NDArray[np.bool_]]:
        """A claim for each point and class: the point has the class; point by point."""
        return probs.ravel(), Y.ravel() == 1

    def class_prior(self, Y: Indicator | None, k: int) -> Floats:
        """Of each class on its own: (count + 1) / (n + 2)."""
        if Y is None:
            return np.full(k, 0.5)
        return np.asarray((Y.sum(axis=0) + 1) / (len(Y) + 2), np.float64)

    def evaluate(
        self,
        class_names: Sequence[str],
        Y: Indicator,
        predicted: Indicator,
        probs: Floats | None = None,
        positive: str | None = None,
    ) -> dict[str, float]:
        """Metrics by name; see `adaptml.evaluation`."""
        from adaptml.evaluation import evaluate_multilabel

        if positive is not None:
            raise ValueError(f"positive class {positive!r} needs a multiclass task of two classes")
        return evaluate_multilabel(class_names, Y, predicted, probs)

    def confusion_plot(
        self, class_names: Sequence[str], Y: Indicator, predicted: Indicator, title: str
    ) -> "Figure":
        """A yes/no matrix per class."""
        from adaptml.plots import confusion_plots_per_class

        return confusion_plots_per_class(class_names, Y, predicted, title)


MULTICLASS, MULTILABEL = Multiclass(), Multilabel()
PROBLEM_TYPES: dict[str, ProblemType] = {problem.name: problem for problem in (MULTICLASS, MULTILABEL)}


def problem_type(name: str) -> ProblemType:
    """A problem type by its name.

    Raises:
        TaskError: there is none of that name.
    """
    if name not in PROBLEM_TYPES:
        raise TaskError(f"setting is {name!r}; expected {' or '.join(PROBLEM_TYPES)}")
    return PROBLEM_TYPES[name]


def folds(Y: Indicator, n_folds: int, seed: int) -> npt.NDArray[np.int64]:
    """A fold 0 … n_folds-1 for each point (n,): shuffled, then points of like label sets spread evenly.

    Args:
        Y: int8 (n, k), values in {0, 1}.
        n_folds: at least 2; with fewer points, some folds stay empty.
        seed: the same labels and seed give the same folds.
    """
    shuffled = np.random.default_rng(seed).permutation(len(Y))
    _, kinds = np.unique(Y, axis=0, return_inverse=True)
    order = shuffled[np.argsort(kinds.ravel()[shuffled], kind="stable")]
    found = np.empty(len(Y), np.int64)
    found[order] = np.arange(len(Y)) % n_folds
    return found


def indicator(labels: Sequence[Sequence[str]], class_names: Sequence[str]) -> Indicator:
    """Label sets as an indicator matrix.

    Args:
        labels: n label sets, each a list of class names.
        class_names: k names in the task's order.

    Returns:
        int8 array (n, k), values in {0, 1}.

    Raises:
        TaskError: names that are no class of the task.

    >>> indicator([["b"], [], ["a", "b"]], ["a", "b"]).tolist()
    [[0, 1], [0, 0], [1, 1]]
    """
    place = {name: i for i, name in enumerate(class_names)}
    unknown = sorted({name for names_ in labels for name in names_} - set(place))
    if unknown:
        raise TaskError(
            f"labels {listed(unknown)} are no classes of the task; its classes are {listed(class_names, 20)}"
        )
    matrix = np.zeros((len(labels), len(class_names)), dtype=np.int8)
    for row, names_ in enumerate(labels):
        matrix[row, [place[name] for name in names_]] = 1
    return matrix


def names(matrix: npt.NDArray[Any], class_names: Sequence[str]) -> list[list[str]]:
    """The label sets of an indicator matrix (n, k): the inverse of `indicator`.

    >>> names(np.array([[0, 1], [1, 1]]), ["a", "b"])
    [['b'], ['a', 'b']]
    """
    return [[name for name, flag in zip(class_names, row, strict=True) if flag] for row in matrix]


def _clipped(probs: Floats) -> Floats:
    return np.clip(probs, LOWEST, 1 - LOWEST)


def _surprise(probs: Floats) -> Floats:
    p = np.clip(probs, 1e-12, 1.0)
    return np.asarray(-p * np.log(p))
