"""Paired bootstrap intervals: how sure a mean over gold points is, and a difference of two such means.

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


def interval(means: Floats) -> tuple[float, float]:
    """The ends of the interval that holds LEVEL of the means (d,)."""
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)
