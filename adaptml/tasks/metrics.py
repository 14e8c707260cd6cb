"""The figure by which a task's models are compared: its values, how sure they are, and choosing by it.

A task file names it under `metric`; each name is a metric here:

    accuracy         share of points whose class is right (multiclass)
    macro_f1         mean of the classes' F1; a rare class counts as much as a frequent one
    f1_of_positive   F1 of the class `positive` (multiclass with two classes)
    f1_samples       mean over points of the F1 of the label set (multilabel)
    log_loss         mean of -log of the probability of the truth; lower is better

Every choice among models goes by `best`: the metric decides, and where its paired interval cannot tell two
models apart, the log loss does. A figure of what was chosen comes from `nested`, where no point's label has
a say in choosing the model that it is judged by.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from adaptml.bootstrap import bootstrap_draws, interval
from adaptml.evaluation import metric_names
from adaptml.reports.interval import wilson
from adaptml.tasks.metric_names import (
    ACCURACY,
    F1_OF_POSITIVE,
    F1_SAMPLES,
    LOG_LOSS,
    MACRO_F1,
    metric_problem,
)
from adaptml.tasks.problems import ProblemType

if TYPE_CHECKING:
    from adaptml.tasks.schema import Task

RARE = 0.1  # a class that holds less of gold is not seen in the accuracy
_TITLES = {MACRO_F1: "macro F1", F1_SAMPLES: "F1 over samples", LOG_LOSS: "log loss"}

Indicator = npt.NDArray[np.int8]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Outcome:
    """What a model says of n points.

    Attributes:
        probs: float64 (n, k), values in [0, 1].
        predicted: int8 (n, k), values in {0, 1}: the classes that it names.
    """

    probs: Floats
    predicted: Indicator

    def rows(self, chosen: npt.NDArray[np.generic]) -> "Outcome":
        """Some of the points."""
        return Outcome(self.probs[chosen], self.predicted[chosen])


@dataclass(frozen=True)
class Metric:
    """A figure that says how good predictions are.

    Attributes:
        name: as the task file writes it.
        problem: one class a point, or any number.
        positive: the column of the positive class, of `f1_of_positive`; else None.
        positive_name: its name.
        positive_key: its name among those of `adaptml.evaluation`; empty: the same.
    """

    name: str
    problem: ProblemType
    positive: int | None = None
    positive_name: str = ""
    positive_key: str = ""

    @property
    def title(self) -> str:
        """For people."""
        return f"F1 of {self.positive_name}" if self.positive_name else _TITLES.get(self.name, self.name)

    @property
    def logged(self) -> str:
        """Its name among those of `adaptml.evaluation`."""
        positive = f"f1/{self.positive_key or self.positive_name}"
        return {MACRO_F1: "f1_macro", F1_OF_POSITIVE: positive}.get(self.name, self.name)

    @property
    def sign(self) -> float:
        """1 where more is better, -1 where less is."""
        return -1.0 if self.name == LOG_LOSS else 1.0

    def counts_class(self, c: int) -> bool:
        """Whether the F1 of class `c` is a part of it that does not shrink where the class is rare."""
        return self.name == MACRO_F1 or (self.name == F1_OF_POSITIVE and c == self.positive)

    def value(self, Y: Indicator, said: Outcome) -> float:
        """The figure on n points of classes Y, int8 (n, k), values in {0, 1}."""
        return float(self.over(np.ones((1, len(Y))), Y, said)[0])

    def draws(self, Y: Indicator, said: Outcome, seed: int) -> Floats:
        """The figure in each of d bootstrap draws of the points, float64 (d,).

        The same seed and number of points draw the same points, so that two models' figures are paired.
        """
        return np.concatenate([self.over(counts, Y, said) for counts in bootstrap_draws(len(Y), seed)])

    def interval(self, Y: Indicator, said: Outcome, seed: int = 0) -> tuple[float, float]:
        """The ends of the figure's 95 % interval.

        Of a share, Wilson's (`adaptml.reports.interval`), which says something where all are right; of the
        others, the percentile bootstrap's.
        """
        if self.name == ACCURACY:
            low, high = wilson(self.problem.scores(Y, said.predicted).sum(), len(Y))
            return float(low), float(high)
        return interval(self.draws(Y, said, seed))

    def over(self, counts: Floats, Y: Indicator, said: Outcome) -> Floats:
        """The figure where each point is there as often as `counts` (d, n) says, float64 (d,)."""
        if self.name in (MACRO_F1, F1_OF_POSITIVE):
            hits = counts @ (Y & said.predicted)
            sizes = counts @ (Y.astype(np.int64) + said.predicted)
            f1 = np.divide(2 * hits, sizes, out=np.full(hits.shape, np.nan), where=sizes > 0)
            if self.positive is not None:
                return np.asarray(np.nan_to_num(f1[:, self.positive]), np.float64)
            known = ~np.isnan(f1)
            return np.asarray(np.nan_to_num(f1).sum(axis=1) / np.maximum(known.sum(axis=1), 1), np.float64)
        scores = (
            self.problem.losses(Y, said.probs)
            if self.name == LOG_LOSS
            else self.problem.scores(Y, said.predicted)
        )
        return np.asarray(counts @ scores / counts.sum(axis=1), np.float64)


def metric_of(task: "Task", Y: Indicator | None = None) -> Metric:
    """The metric that a task's models are compared by.

    What the task file says, else F1 over samples in multilabel, F1 of the positive class where there is one,
    macro F1 where the smallest class holds less than RARE of gold, and accuracy otherwise.

    Args:
        task: the task.
        Y: gold classes, int8 (g, k); None without gold.
    """
    names, has_positive = task.class_names, task.positive is not None
    name: str | None = task.metric
    # A run may be of another setting than the task file says.
    if name is None or metric_problem(name, exclusive=task.problem.exclusive, has_positive=has_positive):
        name = _default(task.problem, Y, has_positive=has_positive)
    if name == F1_OF_POSITIVE and task.positive is not None:
        column = names.index(task.positive)
        return Metric(name, task.problem, column, task.positive, metric_names(names)[column])
    return Metric(name, task.problem)


def accuracy_of(problem: ProblemType) -> Metric:
    """The problem's plain measure, which is told beside the metric: accuracy, or F1 over samples."""
    return Metric(problem.measure, problem)


def _default(problem: ProblemType, Y: Indicator | None, *, has_positive: bool) -> str:
    if not problem.exclusive:
        return problem.measure
    if has_positive:
        return F1_OF_POSITIVE
    rare = Y is not None and len(Y) and Y.mean(axis=0).min() < RARE
    return MACRO_F1 if rare else problem.measure


def constant(problem: ProblemType, known: Indicator, n: int) -> Outcome:
    """What a model says of n points that always names the most frequent class, with the classes' shares.

    Args:
        problem: one class a point, or any number.
        known: gold classes that it knows, int8 (g, k).
        n: number of points.
    """
    shares = problem.class_prior(known, known.shape[1])
    flags = np.zeros((n, len(shares)), np.int8)
    flags[:, int(shares.argmax())] = 1
    return Outcome(np.tile(shares, (n, 1)), flags)


@dataclass(frozen=True)
class Best:
    """The candidate that is chosen.

    Attributes:
        name: which.
        highest: the one of the best figure, from which the chosen one cannot be told apart.
        tied: all that cannot be told apart from it, in the order of the candidates.
    """

    name: str
    highest: str
    tied: tuple[str, ...]


def best(metric: Metric, Y: Indicator, candidates: Mapping[str, Outcome], seed: int = 0) -> Best:
    """The candidate of the best figure; among those that cannot be told from it, that of the lowest log loss.

    Args:
        metric: what decides.
        Y: classes of g points, int8 (g, k).
        candidates: name → what is said of these points by a model that has not seen them; the simplest first,
            which wins where all is equal.
        seed: of the bootstrap: two candidates cannot be told apart where the 95 % interval of the paired
            difference of their figures holds 0.
    """
    names = list(candidates)
    drawn: dict[str, list[Floats]] = {name: [] for name in names}
    for counts in bootstrap_draws(len(Y), seed):
        for name in names:
            drawn[name].append(metric.over(counts, Y, candidates[name]))
    draws = {name: metric.sign * np.concatenate(parts) for name, parts in drawn.items()}
    values = {name: metric.sign * metric.value(Y, candidates[name]) for name in names}
    highest = max(names, key=lambda name: values[name])
    tied = tuple(n for n in names if n == highest or interval(draws[highest] - draws[n])[0] <= 0)
    losses = {name: metric.problem.log_loss(Y, candidates[name].probs) for name in tied}
    return Best(min(tied, key=lambda name: losses[name]), highest, tied)


def nested(choose: Callable[[npt.NDArray[np.int64]], Outcome], fold: npt.NDArray[np.int64]) -> Outcome:
    """What is said of each point by what the other folds choose.

    Its figure is what choosing leads to; the figure of what was chosen on the very points that chose it
    is too high (Cawley and Talbot 2010, https://jmlr.org/papers/v11/cawley10a.html; Tsamardinos et al. 2018,
    https://doi.org/10.1007/s10994-018-5714-4, who too reuse the candidates' out-of-fold predictions).

    Args:
        choose: row numbers to choose by → what is said of all g points by what they choose; where all points
            are in one fold, it is asked with none.
        fold: of each point, int64 (g,).
    """
    parts = []
    for part in np.unique(fold):
        inside = np.flatnonzero(fold == part)
        parts.append((inside, choose(np.flatnonzero(fold != part)).rows(inside)))
    order = np.argsort(np.concatenate([inside for inside, _ in parts]))
    probs, predicted = (np.concatenate([one.probs for _, one in parts]), [one.predicted for _, one in parts])
    return Outcome(probs[order], np.concatenate(predicted)[order])


def brier(Y: Indicator, probs: Floats) -> float:
    """Mean squared distance of probabilities (n, k) from the truth (n, k), summed over the classes.

    Brier (1950), https://doi.org/10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2; in [0, 2].
    """
    return float(np.square(probs - Y).sum(axis=1).mean())


def in_words(metric: Metric, Y: Indicator, said: Outcome, seed: int = 0) -> str:
    """The figure with its interval for people, such as `accuracy 0.912 (0.871 to 0.948)`."""
    low, high = metric.interval(Y, said, seed)
    return f"{metric.title} {metric.value(Y, said):.3f} ({low:.3f} to {high:.3f})"


def both_in_words(metric: Metric, Y: Indicator, said: Outcome, seed: int = 0) -> str:
    """The same, and the problem's plain measure beside it where that is another."""
    plain = accuracy_of(metric.problem)
    told: Iterable[Metric] = (metric,) if plain.name == metric.name else (metric, plain)
    return ", ".join(in_words(one, Y, said, seed) for one in told)
