"""Krippendorff's alpha for any distance between label sets, with missing values and an interval.

Krippendorff (2004), Content Analysis, 2nd ed., chapter 11: alpha = 1 - D_o / D_e, with
n_u the number of labels of point u, n their sum, n_c how often label set c was given, d the distance:

    D_o = 1/n · Σ_u Σ_{i≠j} d(label_iu, label_ju) / (n_u - 1)
    D_e = 1/(n·(n-1)) · Σ_c Σ_c' n_c · n_c' · d(c, c')
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from adaptml.bootstrap import interval
from adaptml.errors import AnnotationError
from adaptml.feedback import annotators_in
from labelstudio.label_sets import DISTANCES, MISSING, Codes, Distance, Floats, Ratings, encode

Cell = str | Collection[str] | None

RESAMPLES = 1000
_CHUNK_CELLS = 2_000_000  # weights held at once while resampling: 16 MB


@dataclass(frozen=True)
class Alpha:
    """Krippendorff's alpha and its bootstrap interval.

    Attributes:
        value: at most 1; 1 is perfect agreement, 0 what chance would give. None where it is not
            defined: everyone gave one and the same label set, or no two labels can be compared.
        low: lower end of the 95 % interval; None where `value` is, or no interval was asked for.
        high: its upper end.
        undefined: resamples that were left out because alpha is not defined in them.

    Example:
        >>> adaptml.krippendorff_alpha([["cat", "cat"], ["dog", "dog"]])
        Alpha(value=1.0, low=None, high=None, undefined=0)
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    undefined: int = 0


def patterns(ratings: Ratings) -> tuple[Ratings, Codes]:
    """The distinct points (at least one is given), whoever said what, and how often each comes."""
    codes = np.sort(ratings.codes, axis=1)
    codes = codes[np.lexsort(codes.T[::-1])]
    first = np.append(True, (codes[1:] != codes[:-1]).any(axis=1))
    starts = np.flatnonzero(first)
    return Ratings(codes[starts], ratings.sets), np.diff(starts, append=len(codes))


def distances_to_others(ratings: Ratings, distance: Distance) -> Floats:
    """How far each label lies from the other labels of its point, on average.

    Args:
        ratings: n points with at least two annotators each.
        distance: a function of the label sets, such as `nominal` or `masi`.

    Returns:
        float array (n, m), values in [0, 1]; 0 where an annotator gave no label.
    """
    d = np.pad(distance(ratings.sets), ((0, 1), (0, 1)))  # the last row and column stand for MISSING
    total = np.column_stack([d[column[:, None], ratings.codes].sum(axis=1) for column in ratings.codes.T])
    averages: Floats = total / (ratings.n_by_point - 1)[:, None]
    return averages


def expected_disagreement(ratings: Ratings, distance: Distance) -> float:
    """D_e above: the mean distance of two labels drawn from all labels without looking at the points."""
    n_c = np.bincount(ratings.codes[ratings.codes != MISSING], minlength=len(ratings.sets))
    total = float(n_c @ distance(ratings.sets) @ n_c)
    return total / (n_c.sum() * (n_c.sum() - 1)) if total else 0.0


def krippendorff_alpha(
    labels: pd.DataFrame | Sequence[Sequence[Cell]],
    distance: str = "nominal",
    *,
    seed: int | None = None,
    resamples: int = RESAMPLES,
) -> Alpha:
    """Krippendorff's alpha: how far annotators agree beyond what chance would give.

    Points that fewer than two annotators labelled are left out.

    Args:
        labels: n rows, one per point, of m cells, one per annotator: a class name, a collection of class
            names (the label set; its order means nothing, an empty one is "about none of the classes"), or
            None for a point that the annotator never labelled. A frame may also have `table_name` and `id`.
        distance: `nominal` (label sets are equal or not) or `masi` (label sets that share a class agree in
            part: Passonneau 2006, "Measuring Agreement on Set-valued Items", LREC).
        seed: seed of the bootstrap interval; None for no interval.
        resamples: how often the points are drawn again for the interval.

    Returns:
        `value`, at most 1: 1 is perfect agreement, 0 what chance would give; None where alpha is not defined.
        `low` and `high` are the ends of the 95 % interval, None without a seed.

    Raises:
        AnnotationError: a distance that does not exist, or rows of unequal length.

    Source:
        Krippendorff (2004), Content Analysis, 2nd ed., chapter 11.

    Example:
        >>> found = krippendorff_alpha([["cat", "cat"], ["cat", "dog"], ["dog", "dog"]])
        >>> round(found.value, 3)
        0.444
    """
    if distance not in DISTANCES:
        raise AnnotationError(f"distance {distance!r} does not exist; expected one of {', '.join(DISTANCES)}")
    if isinstance(labels, pd.DataFrame):
        labels = labels[annotators_in(labels)].to_numpy(dtype=object).tolist()
    lengths = sorted({len(row) for row in labels})
    if len(lengths) > 1:
        raise AnnotationError(
            f"the rows of labels have {lengths[0]} to {lengths[-1]} cells; expected one cell per annotator "
            "in every row, None for a point that the annotator never labelled"
        )
    rows = [[_label_set(cell) for cell in row] for row in labels]
    class_names = sorted({name for row in rows for cell in row if cell is not None for name in cell})
    return alpha_of(encode(rows, class_names), DISTANCES[distance], seed, resamples)


def _label_set(cell: object) -> list[str] | None:
    """A cell as a label set; a missing value (None, NaN) is none."""
    if isinstance(cell, str):
        return [cell]
    if isinstance(cell, Collection | np.ndarray):
        return [str(name) for name in cell]
    return None


def alpha_of(
    ratings: Ratings, distance: Distance, seed: int | None = None, resamples: int = RESAMPLES
) -> Alpha:
    """Krippendorff's alpha over all points with at least two annotators; others are left out.

    Args:
        ratings: n points, m annotators, missing values allowed.
        distance: a function of the label sets, such as `nominal` or `masi`.
        seed: seed of the bootstrap; None for no interval.
        resamples: how often the points are drawn again, with replacement (Efron's percentile bootstrap
            over points: the interval says how much alpha would move with other points from the same
            source, labelled by the same annotators).
    """
    ratings = ratings.pairable()
    if not len(ratings.codes):
        return Alpha(None)
    # Points whose annotators said the same count as one point that occurs several times.
    distinct, times = patterns(ratings)
    observed = distances_to_others(distinct, distance).sum(axis=1)
    parts = (observed, distinct.codes, distance(ratings.sets))
    value = float(_alphas(times[None, :].astype(np.float64), *parts)[0])
    if np.isnan(value):
        return Alpha(None)
    if seed is None:
        return Alpha(value)
    values = _resampled(parts, times, seed, resamples)
    defined = values[~np.isnan(values)]
    low, high = interval(defined) if len(defined) else (None, None)
    return Alpha(value, low, high, int(np.isnan(values).sum()))


def _alphas(weights: Floats, observed: Floats, codes: Codes, d: Floats) -> Floats:
    """Alpha for each row of `weights` (r, n): how often each point counts. NaN where it is not defined."""
    points, _ = given = np.nonzero(codes != MISSING)
    sets = codes[given]
    n_c = np.stack([np.bincount(sets, weights=row[points], minlength=len(d)) for row in weights]).astype(
        float
    )
    return _from_counts(n_c, weights @ observed, d)


def _from_counts(n_c: Floats, observed: Floats, d: Floats) -> Floats:
    """Alpha (r,) of how often each label set was given (r, q) and n · D_o (r,); NaN if undefined."""
    expected = ((n_c @ d) * n_c).sum(axis=1) / (n_c.sum(axis=1) - 1)
    ratio = np.divide(observed, expected, out=np.full(len(n_c), np.nan), where=expected > 0)
    alphas: Floats = 1.0 - ratio
    return alphas


def alphas_of_draws(ratings: Ratings, r: int, distance: Distance) -> Floats:
    """Alpha of each of r draws at once.

    Args:
        ratings: the points of all draws, one draw after the other and as many in each; m annotators, at least
            two, of whom nobody left out a point.
        r: how many draws there are.
        distance: as for `alpha_of`.

    Returns:
        float array (r,), values at most 1; NaN where alpha is not defined.
    """
    q = len(ratings.sets)
    observed = distances_to_others(ratings, distance).reshape(r, -1).sum(axis=1)
    codes = ratings.codes.reshape(r, -1) + q * np.arange(r)[:, None]
    n_c = np.bincount(codes.ravel(), minlength=r * q).reshape(r, q).astype(np.float64)
    return _from_counts(n_c, observed, distance(ratings.sets))


def _resampled(parts: tuple[Floats, Codes, Floats], times: Codes, seed: int, resamples: int) -> Floats:
    """Alpha of each resample of the points, in bounded memory.

    Drawing n points with replacement is one multinomial draw of how often each pattern comes.
    """
    rng = np.random.default_rng(seed)
    n = int(times.sum())
    chunk = max(1, _CHUNK_CELLS // len(times))
    values = []
    for start in range(0, resamples, chunk):
        rows = min(chunk, resamples - start)
        weights = rng.multinomial(n, times / n, size=rows).astype(np.float64)
        values.append(_alphas(weights, *parts))
    return np.concatenate(values)
