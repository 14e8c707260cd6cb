"""Slices on which a model is worse than on the rest of gold, and which of them may be chance."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from adaptml.bootstrap import bootstrap_means, interval
from adaptml.reports.interval import wilson

FEWEST = 10  # points of a slice, and of the rest

Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]


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
        value, low, high: the mean score of its points and its 95 % interval.
        rest: the mean score of all others.
        q: see `WeakSlice`.
    """

    slice: Slice
    value: float
    low: float
    high: float
    rest: float
    q: float


def compare_slices(scores: Floats, slices: Sequence[Slice], *, shares: bool) -> tuple[list[Compared], int]:
    """The slices whose mean score is below that of the rest, the surest first.

    A slice's p is one-sided: by Fisher's exact test where points are right or wrong, else by Mann and
    Whitney's. Of many slices some look weak by chance: q is p adjusted by Benjamini and Hochberg (1995,
    https://doi.org/10.1111/j.2517-6161.1995.tb02031.x) over all slices that were looked at.

    Args:
        scores: how well each point is predicted, float64 (g,), in [0, 1].
        slices: of these points; those with fewer than `FEWEST` points, or all but so few, and those of the
            same points as another, are not looked at.
        shares: whether scores are 0 or 1.

    Returns:
        The weak slices, and how many were looked at.
    """
    looked_at = _worth_looking_at(slices)
    if not looked_at:
        return [], 0
    from scipy.stats import false_discovery_control

    q = false_discovery_control([_p(scores[s.mask], scores[~s.mask], shares) for s in looked_at])
    found = []
    for one, adjusted in zip(looked_at, q.tolist(), strict=True):
        mine, rest = scores[one.mask], float(scores[~one.mask].mean())
        if mine.mean() < rest:
            low, high = _interval(mine, shares)
            found.append(Compared(one, float(mine.mean()), low, high, rest, adjusted))
    return sorted(found, key=lambda one: (one.q, one.value - one.rest)), len(looked_at)


def _worth_looking_at(slices: Sequence[Slice]) -> list[Slice]:
    found: dict[bytes, Slice] = {}
    for one in slices:
        n = int(one.mask.sum())
        if min(n, len(one.mask) - n) >= FEWEST:
            found.setdefault(np.packbits(one.mask).tobytes(), one)
    return list(found.values())


def _p(mine: Floats, rest: Floats, shares: bool) -> float:
    """How likely points that are no worse than the rest look at least so bad."""
    from scipy.stats import fisher_exact, mannwhitneyu

    if shares:
        table = [[mine.sum(), (1 - mine).sum()], [rest.sum(), (1 - rest).sum()]]
        return float(fisher_exact(table, alternative="less").pvalue)
    if (np.concatenate([mine, rest]) == rest[0]).all():
        return 1.0
    return float(mannwhitneyu(mine, rest, alternative="less").pvalue)


def _interval(scores: Floats, shares: bool) -> tuple[float, float]:
    if shares:
        low, high = wilson(scores.sum(), len(scores))
        return float(low), float(high)
    return interval(bootstrap_means(scores, seed=0))
