"""Near-duplicates by the cosine of vectors, compared exactly, block by block."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from adaptml.features.cosine import Matrix, unit_rows

# As cleanlab's Datalab has it: much nearer than points usually are to their nearest, whatever the encoder.
SHARE_OF_MEDIAN = 0.13
ROUNDING = 1e-6  # of float32: the same vector twice
MOST_PRODUCTS = 200_000_000_000  # of two numbers: about half a minute
GOLD_ROWS, OTHER_ROWS = 256, 8_192  # a block of cosines: 8 MB

Codes = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Pairs:
    """Pairs of a gold point and another point that is nearly the same.

    Attributes:
        gold: places among the gold points, int64 (m,).
        other: places among the gold points and, behind them, the training points, int64 (m,).
        cosines: float64 (m,), in [-1, 1].
        distance: pairs are at most so far apart (1 - cosine).
    """

    gold: Codes
    other: Codes
    cosines: npt.NDArray[np.float64]
    distance: float


def near_duplicates(gold: Matrix, training: Matrix, labels: Codes) -> Pairs:
    """The near-duplicates of gold points among gold and training points.

    Of each gold point, and of gold and training each, the nearest with the same label and the nearest with
    another label are looked at, so that a text that is there a thousand times is a few pairs.

    Args:
        gold: vectors float32 (g, d).
        training: vectors float32 (n, d).
        labels: a number for the label set of each point, gold first, int64 (g + n,).

    >>> vectors = np.array([[1, 0], [0, 1], [1, 0.0001], [0.7, 0.7], [0.6, 0.8]], np.float32)
    >>> found = near_duplicates(vectors[:2], vectors[2:], np.array([0, 1, 1, 0, 0]))
    >>> found.gold.tolist(), found.other.tolist()
    ([0], [2])
    """
    g = len(gold)
    A = unit_rows(gold)
    nearest = np.full((g, 2, 2), -np.inf, np.float32)  # gold point x of training x has another label
    places = np.zeros((g, 2, 2), np.int64)
    for of_training, vectors in enumerate((gold, training)):
        first = g * of_training
        for start in range(0, len(vectors), OTHER_ROWS):
            B = unit_rows(vectors[start : start + OTHER_ROWS])
            theirs = first + start + np.arange(len(B))
            for row in range(0, g, GOLD_ROWS):
                block = slice(row, row + GOLD_ROWS)
                _take_nearest(
                    A[block] @ B.T, np.arange(row, min(row + GOLD_ROWS, g)), theirs, labels,
                    nearest[block, of_training], places[block, of_training],
                )  # fmt: skip
    distance = _distance(nearest)
    near = np.nonzero(1 - nearest <= distance)
    rows, found, cosines = near[0], places[near], nearest[near]
    once = ~((found < g) & (found < rows) & _both_ways(rows, found))
    return Pairs(rows[once], found[once], np.clip(cosines[once].astype(np.float64), -1, 1), float(distance))


def chosen_to_compare(n: int, g: int, d: int, seed: int) -> Codes:
    """Places of the training points that gold is compared with: all, or a random sample of many.

    Args:
        n: training points.
        g: gold points.
        d: numbers of a vector.
        seed: the same seed chooses the same.
    """
    most = max(1, MOST_PRODUCTS // max(g * d, 1))
    if n <= most:
        return np.arange(n)
    return np.sort(np.random.default_rng(seed).choice(n, most, replace=False))


def _take_nearest(
    cosines: Matrix, ours: Codes, theirs: Codes, labels: Codes, nearest: Matrix, places: Codes
) -> None:
    """Where a block has something nearer than what was found before, put it in its place."""
    cosines[ours[:, None] == theirs[None, :]] = -np.inf
    differs = labels[ours][:, None] != labels[theirs][None, :]
    for other_label in (0, 1):
        among = np.where(differs == bool(other_label), cosines, -np.inf)
        best = among.argmax(axis=1)
        values = among[np.arange(len(ours)), best]
        nearer = values > nearest[:, other_label]
        nearest[nearer, other_label] = values[nearer]
        places[nearer, other_label] = theirs[best[nearer]]


def _distance(nearest: Matrix) -> float:
    """How far apart near-duplicates are at most."""
    found = nearest.reshape(len(nearest), -1).max(axis=1, initial=-np.inf)
    found = found[np.isfinite(found)]
    usual = float(np.median(1 - found)) if len(found) else 0.0
    return max(SHARE_OF_MEDIAN * usual, ROUNDING)


def _both_ways(rows: Codes, found: Codes) -> npt.NDArray[np.bool_]:
    """Which pairs are also there the other way round."""
    there = set(zip(rows.tolist(), found.tolist(), strict=True))
    return np.array([(b, a) in there for a, b in zip(rows.tolist(), found.tolist(), strict=True)], dtype=bool)
