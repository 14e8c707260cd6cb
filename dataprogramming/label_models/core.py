"""What every label model works with: the label matrix, gold labels, the class balance."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from adaptml.tasks import ABSTAIN, Setting
from dataprogramming.label_models.scoring import FittedModel

LabelMatrix = npt.NDArray[np.int8]
Indicator = npt.NDArray[np.int8]
Floats = npt.NDArray[np.float64]


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


def covered(L: LabelMatrix) -> npt.NDArray[np.bool_]:
    """Which rows (n,) have at least one vote."""
    return np.asarray((L != ABSTAIN).any(axis=1))


def correct_votes(gold: Gold) -> npt.NDArray[np.int64]:
    """How many votes of each LF (m,) are for a class that the point has."""
    rows, lfs = np.nonzero(gold.L >= 0)
    right = gold.Y[rows, gold.L[rows, lfs]] > 0
    return np.bincount(lfs[right], minlength=gold.L.shape[1])


def class_shares(gold: Gold | None, k: int) -> Floats:
    """Share of each class (k,) where a point has exactly one: sums to 1, all above 0; equal without gold.

    Laplace's rule of succession, (count + 1) / (n + k), so that a class without gold keeps a chance.
    """
    counts = np.zeros(k) if gold is None else gold.Y.sum(axis=0, dtype=np.float64)
    return np.asarray((counts + 1) / (counts.sum() + k), np.float64)


def class_rates(gold: Gold | None, k: int) -> Floats:
    """Share of points that each class applies to (k,), each on its own: (count + 1) / (n + 2)."""
    if gold is None:
        return np.full(k, 0.5)
    return np.asarray((gold.Y.sum(axis=0) + 1) / (len(gold) + 2), np.float64)


def row_scores(setting: Setting, Y: Indicator, named: Indicator) -> Floats:
    """How well each row's classes are named, float64 (g,): right or not in multiclass, else the row's F1.

    A row without classes of which none was named counts 1. The mean is accuracy, or F1 over samples.
    """
    hits = (Y & named).sum(axis=1)
    if setting is Setting.MULTICLASS:
        return np.asarray(hits, np.float64)
    either = Y.sum(axis=1) + named.sum(axis=1)
    return np.where(either == 0, 1.0, 2 * hits / np.maximum(either, 1))


def votes_table(m: int, k: int) -> Floats:
    """A table (m, k + 1, k) in which each vote adds 1 to its own class and silence adds nothing."""
    table = np.zeros((m, k + 1, k))
    table[:, 1:, :] = np.eye(k)
    return table


def additive(
    name: str, link: str, balance: Floats, table: Floats, weights: Floats, n_epochs: int = 0
) -> FittedModel:
    """A model that names the most probable class."""
    return FittedModel(name, link, "argmax", balance, table, np.full(len(balance), 0.5), weights, n_epochs)
