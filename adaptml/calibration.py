"""How far probabilities can be believed: of what was said with 0.8, about 80 % should be true."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from adaptml.tasks import ProblemType

N_BINS = 10

Indicator = npt.NDArray[np.int8]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Bin:
    """The claims whose probabilities lie between two borders.

    Attributes:
        low, high: the borders, in [0, 1]; a claim at `high` is in the next bin, one of 1 in the last.
        n: how many claims.
        mean: their mean probability.
        true: how many of them are true.
    """

    low: float
    high: float
    n: int
    mean: float
    true: int

    @property
    def share(self) -> float:
        """The share of the claims that is true."""
        return self.true / self.n


@dataclass(frozen=True)
class Calibration:
    """What probabilities claimed, beside what was true.

    Attributes:
        n: how many claims: one a point in multiclass, that it is of its most probable class; one for each
            point and class in multilabel, that the point has the class.
        bins: those with claims, the lowest first.
    """

    n: int
    bins: Sequence[Bin]

    @property
    def error(self) -> float:
        """The expected calibration error, in [0, 1]: the mean distance of said and true, weighted by claims.

        Naeini et al. (2015), https://doi.org/10.1609/aaai.v29i1.9602; Guo et al. (2017),
        https://arxiv.org/abs/1706.04599. NaN without claims.
        """
        if not self.n:
            return float("nan")
        return sum(one.n * abs(one.mean - one.share) for one in self.bins) / self.n

    @property
    def sentence(self) -> str:
        """Whether the probabilities are too high or too low on the whole, plainly; empty without claims."""
        if not self.n:
            return ""
        said = sum(one.n * one.mean for one in self.bins) / self.n
        true = sum(one.true for one in self.bins) / self.n
        return f"On average {said:.3f} was said and {true:.3f} was true, of {self.n:,} claims."


def calibration(problem: ProblemType, Y: Indicator, probs: Floats, n_bins: int = N_BINS) -> Calibration:
    """Count claims in bins of equal width: what a reliability diagram shows.

    Murphy and Winkler (1977), https://doi.org/10.2307/2346866.

    Args:
        problem: says what is claimed.
        Y: the truth of n points, int8 (n, k), values in {0, 1}.
        probs: what was said of them by something that had not seen their truth, float64 (n, k), in [0, 1].
        n_bins: how many bins there are between 0 and 1.

    >>> from adaptml.tasks import MULTICLASS
    >>> Y = np.array([[1, 0], [1, 0], [0, 1]], dtype=np.int8)
    >>> found = calibration(MULTICLASS, Y, np.array([[0.9, 0.1], [0.2, 0.8], [0.1, 0.9]]))
    >>> [(one.n, one.true) for one in found.bins], f"{found.error:.3f}"
    ([(1, 0), (2, 2)], '0.333')
    """
    said, true = problem.decisions(Y, probs)
    # A probability at a border belongs to the upper bin, also where binary fractions fall just short of it.
    places = np.minimum((said * n_bins + 1e-9).astype(np.int64), n_bins - 1)
    counts = np.bincount(places, minlength=n_bins)
    sums, right = (np.bincount(places, weights=of, minlength=n_bins) for of in (said, true.astype(float)))
    bins = [
        Bin(i / n_bins, (i + 1) / n_bins, int(counts[i]), float(sums[i] / counts[i]), int(right[i]))
        for i in np.flatnonzero(counts).tolist()
    ]
    return Calibration(len(said), bins)
