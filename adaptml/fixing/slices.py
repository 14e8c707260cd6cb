"""Slices on which a model is worse than on the rest of gold, and which of them may be chance."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from adaptml.tasks.metric_names import ACCURACY, F1_OF_POSITIVE, LOG_LOSS, MACRO_F1
from adaptml.tasks.metrics import Metric, Outcome, accuracy_of

FEWEST = 10  # points of a slice, and of the rest
DRAWS = 10_000  # of a permutation test
ROUNDING = 1e-9

Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Indicator = npt.NDArray[np.int8]


@dataclass(frozen=True, eq=False)
class Slice:
    """Gold points with something in common.

    Attributes:
        name: what that is, for people.
        mask: which of the g gold points, bool (g,).
        conditions: what finds such rows in the data table: column, operator and value of each
            `adaptml.browsing.conditions.Condition`; empty where nothing does.
    """

    name: str
    mask: Mask
    conditions: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True)
class Compared:
    """A slice against the rest.

    Attributes:
        slice: the slice.
        metric: what is compared.
        value, low, high: the metric on its points and its 95 % interval.
        rest: the metric on all others.
        q: see `WeakSlice`.
    """

    slice: Slice
    metric: Metric
    value: float
    low: float
    high: float
    rest: float
    q: float


def compare_slices(
    metric: Metric, Y: Indicator, said: Outcome, slices: Sequence[Slice]
) -> tuple[list[Compared], int]:
    """The slices on which the metric is worse than on the rest, the surest first.

    Where a slice or the rest has one class only, their F1 cannot be compared: it is the accuracy.

    A slice's p is one-sided: of shares by Fisher's exact test, of means of other scores by Mann and
    Whitney's, of F1, which is no mean over points, by a permutation test: how often as many points drawn at
    random are so much worse than the rest. Of many slices some look weak by chance: q is p adjusted by
    Benjamini and Hochberg (1995, https://doi.org/10.1111/j.2517-6161.1995.tb02031.x) over all slices that
    were looked at.

    Args:
        metric: what decides.
        Y: classes of g gold points, int8 (g, k), values in {0, 1}.
        said: what a model says of them that has not seen their labels.
        slices: of these points; those with fewer than `FEWEST` points, or all but so few, and those of the
            same points as another, are not looked at.

    Returns:
        The weak slices, and how many were looked at.
    """
    looked_at = _worth_looking_at(slices)
    if not looked_at:
        return [], 0
    from scipy.stats import false_discovery_control

    metrics = [_comparable(metric, Y, one.mask) for one in looked_at]
    p = [_p(by, Y, said, one.mask) for by, one in zip(metrics, looked_at, strict=True)]
    found = []
    for one, by, q in zip(looked_at, metrics, false_discovery_control(p).tolist(), strict=True):
        inside, outside = np.flatnonzero(one.mask), np.flatnonzero(~one.mask)
        value, rest = (by.value(Y[rows], said.rows(rows)) for rows in (inside, outside))
        if by.sign * value < by.sign * rest:
            low, high = by.interval(Y[inside], said.rows(inside))
            found.append(Compared(one, by, value, low, high, rest, q))
    return sorted(found, key=lambda one: (one.q, one.metric.sign * (one.value - one.rest))), len(looked_at)


def _worth_looking_at(slices: Sequence[Slice]) -> list[Slice]:
    found: dict[bytes, Slice] = {}
    for one in slices:
        n = int(one.mask.sum())
        if min(n, len(one.mask) - n) >= FEWEST:
            found.setdefault(np.packbits(one.mask).tobytes(), one)
    return list(found.values())


def _comparable(metric: Metric, Y: Indicator, mask: Mask) -> Metric:
    """The metric, or the problem's plain measure where a slice or the rest is of one class."""
    if metric.name not in (MACRO_F1, F1_OF_POSITIVE):
        return metric
    one_class = [(Y[rows] == Y[rows][0]).all() for rows in (mask, ~mask)]
    return accuracy_of(metric.problem) if any(one_class) else metric


def _p(metric: Metric, Y: Indicator, said: Outcome, mask: Mask) -> float:
    """How likely points that are no worse than the rest look at least so bad."""
    from scipy.stats import fisher_exact, mannwhitneyu

    if metric.name in (MACRO_F1, F1_OF_POSITIVE):
        return _permuted(metric, Y, said, mask)
    is_loss, problem = metric.name == LOG_LOSS, metric.problem
    scores = -problem.losses(Y, said.probs) if is_loss else problem.scores(Y, said.predicted)
    mine, rest = scores[mask], scores[~mask]
    if metric.name == ACCURACY:
        table = [[mine.sum(), (1 - mine).sum()], [rest.sum(), (1 - rest).sum()]]
        return float(fisher_exact(table, alternative="less").pvalue)
    if (scores == scores[0]).all():
        return 1.0
    return float(mannwhitneyu(mine, rest, alternative="less").pvalue)


def _permuted(metric: Metric, Y: Indicator, said: Outcome, mask: Mask) -> float:
    """By what points are and are taken for, of which there are few kinds: draws are counts of these kinds."""
    kinds, kind, sizes = np.unique(
        np.hstack([Y, said.predicted]), axis=0, return_inverse=True, return_counts=True
    )
    Y_kinds, predicted = np.hsplit(kinds, 2)
    of_kinds = Outcome(predicted.astype(np.float64), predicted)

    def worse(counts: npt.NDArray[np.int64]) -> Floats:
        rest = metric.over((sizes - counts).astype(np.float64), Y_kinds, of_kinds)
        return rest - metric.over(counts.astype(np.float64), Y_kinds, of_kinds)

    mine = np.bincount(kind.ravel()[mask], minlength=len(kinds))
    drawn = np.random.default_rng(0).multivariate_hypergeometric(sizes, int(mask.sum()), DRAWS)
    as_bad = int((worse(drawn) >= worse(mine[None])[0] - ROUNDING).sum())
    return (1 + as_bad) / (1 + DRAWS)
