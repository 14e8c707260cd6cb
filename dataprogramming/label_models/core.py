"""What every label model works with: the label matrix and gold labels."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from adaptml.tasks import ABSTAIN

LabelMatrix = npt.NDArray[np.int8]
Indicator = npt.NDArray[np.int8]
Floats = npt.NDArray[np.float64]
MIN_GOLD = 20  # gold points with votes; below, label models differ by chance more than by merit


@dataclass(frozen=True)
class Gold:
    """Data points whose classes are known.

    Attributes:
        L: label matrix (g, m), values in {-1, 0 … k-1}.
        Y: classes (g, k), values in {0, 1}; exactly one 1 a row in multiclass.
    """

    L: LabelMatrix
    Y: Indicator

    def rows(self, chosen: npt.NDArray[np.int64]) -> "Gold":
        """Some of the points."""
        return Gold(self.L[chosen], self.Y[chosen])

    def __len__(self) -> int:
        return len(self.L)


def truth(gold: Gold | None) -> Indicator | None:
    """The classes of the gold points, or None without gold."""
    return None if gold is None else gold.Y


def covered(L: LabelMatrix) -> npt.NDArray[np.bool_]:
    """Which rows (n,) have at least one vote."""
    return np.asarray((L != ABSTAIN).any(axis=1))


def correct_votes(gold: Gold) -> npt.NDArray[np.int64]:
    """How many votes of each LF (m,) are for a class that the point has."""
    rows, lfs = np.nonzero(gold.L >= 0)
    right = gold.Y[rows, gold.L[rows, lfs]] > 0
    return np.bincount(lfs[right], minlength=gold.L.shape[1])


def votes_table(m: int, k: int) -> Floats:
    """A table (m, k + 1, k) in which each vote adds 1 to its own class and silence adds nothing."""
    table = np.zeros((m, k + 1, k))
    table[:, 1:, :] = np.eye(k)
    return table
