"""What every label model works with: the label matrix and gold labels."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from adaptml.tasks import ABSTAIN

LabelMatrix = npt.NDArray[np.int8]
Indicator = npt.NDArray[np.int8]
Floats = npt.NDArray[np.float64]
Sets = tuple[tuple[int, ...], ...]
MIN_GOLD = 20  # gold points with votes; below, label models differ by chance more than by merit


@dataclass(frozen=True)
class Gold:
    """Data points whose classes are known.

    Attributes:
        L: label matrix (g, m), values in {-1, 0 … k-1}; k + i votes for one of the classes of the i-th set.
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


def correct_votes(gold: Gold, sets: Sets = ()) -> npt.NDArray[np.int64]:
    """How many votes of each LF (m,) are for a class that the point has, or for a set with one of them."""
    rows, lfs = np.nonzero(gold.L >= 0)
    named = named_classes(gold.Y.shape[1], sets)[gold.L[rows, lfs]]
    right = (named * gold.Y[rows]).any(axis=1)
    return np.bincount(lfs[right], minlength=gold.L.shape[1])


def named_classes(k: int, sets: Sets = ()) -> Floats:
    """Which classes each code of a vote names: (k + s, k), values in {0, 1}; code k + i is for sets[i]."""
    named = np.zeros((k + len(sets), k))
    named[:k] = np.eye(k)
    for i, classes in enumerate(sets):
        named[k + i, list(classes)] = 1
    return named


def votes_table(m: int, k: int, sets: Sets = ()) -> Floats:
    """A table (m, k + s + 1, k) in which a vote adds 1, split evenly where it is for a set."""
    named = named_classes(k, sets)
    table = np.zeros((m, len(named) + 1, k))
    table[:, 1:, :] = named / named.sum(axis=1, keepdims=True)
    return table
