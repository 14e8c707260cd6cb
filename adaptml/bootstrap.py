"""Bootstrap intervals: how sure a mean over points is, and a difference of two such means.

Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapter 13: the percentile interval.
"""

import numpy as np
import numpy.typing as npt

DRAWS = 2000
LEVEL = 0.95
INTERVAL = "95 % interval"

Floats = npt.NDArray[np.float64]


def bootstrap_means(scores: Floats, seed: int) -> Floats:
    """Means over points that are drawn with replacement: float64 (DRAWS,).

    Args:
        scores: of n points, float64 (n,).
        seed: the same seed and n draw the same points, so that two models' means are paired.
    """
    picks = np.random.default_rng(seed).integers(0, len(scores), size=(DRAWS, len(scores)))
    return np.asarray(scores[picks].mean(axis=1), np.float64)


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
