"""Bootstrap intervals: how sure a mean over points is, and a difference of two such means.

Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapter 13: the percentile interval.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

DRAWS = 2000
LEVEL = 0.95
INTERVAL = "95 % interval"

CHUNK = 4_000_000  # numbers that are drawn at once, at most

Floats = npt.NDArray[np.float64]


def bootstrap_draws(n: int, seed: int) -> Iterator[Floats]:
    """How often each of n points is there in DRAWS draws with replacement, some draws at a time.

    Args:
        n: number of points, at least 1.
        seed: the same seed and n draw the same points.

    Yields:
        float64 (d, n), whole numbers; each row sums to n. All d together are DRAWS.
    """
    rng, rows = np.random.default_rng(seed), max(1, CHUNK // n)
    for start in range(0, DRAWS, rows):
        d = min(rows, DRAWS - start)
        picks = rng.integers(0, n, size=(d, n)) + n * np.arange(d)[:, None]
        yield np.bincount(picks.ravel(), minlength=d * n).reshape(d, n).astype(np.float64)


def bootstrap_means(scores: Floats, seed: int) -> Floats:
    """Means over points that are drawn with replacement: float64 (DRAWS,).

    Args:
        scores: of n points, float64 (n,).
        seed: the same seed and n draw the same points, so that two models' means are paired.
    """
    return np.concatenate([counts @ scores / len(scores) for counts in bootstrap_draws(len(scores), seed)])


def interval(draws: Floats) -> tuple[float, float]:
    """The ends of the interval that holds LEVEL of what was drawn.

    Args:
        draws: a figure in each of d draws of the points, float64 (d,).

    >>> low, high = interval(np.arange(0.0, 101.0))
    >>> f"{low:.1f} to {high:.1f}"
    '2.5 to 97.5'
    """
    low, high = np.quantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)
