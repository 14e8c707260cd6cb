"""One table of classes: how far rules reach each of them, and what they say beside what gold says."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from dataprogramming.label_models.core import LabelMatrix
from dataprogramming.votes import Votes


def class_table(votes: Votes) -> pd.DataFrame:
    """A row per class.

    Args:
        votes: on n points, with those on gold points as their `gold`, where there are some.

    Returns:
        Frame of k rows: `class`; `covered`, points with a vote for it, and `voted`, points on which it has
        the most votes, ties shared equally (float), both of n points; with gold also `gold`, gold points of
        the class, and `found`, how many of these have a vote for it.
    """
    counts = _votes_by_class(votes.L, len(votes.class_names))
    most = counts.max(axis=1, keepdims=True, initial=0)
    wins = (counts == most) & (counts > 0)
    columns: dict[str, object] = {
        "class": list(votes.class_names),
        "covered": (counts > 0).sum(axis=0),
        "voted": (wins / np.maximum(wins.sum(axis=1, keepdims=True), 1)).sum(axis=0),
    }
    if votes.gold is not None and votes.gold.Y is not None:
        true = votes.gold.Y > 0
        cast = _votes_by_class(votes.gold.L, len(votes.class_names)) > 0
        columns |= {"gold": true.sum(axis=0), "found": (true & cast).sum(axis=0)}
    return pd.DataFrame(columns)


def _votes_by_class(L: LabelMatrix, k: int) -> npt.NDArray[np.int64]:
    """How many rules vote for each class on each point: int64 (n, k)."""
    rows, lfs = np.nonzero(L >= 0)
    counted = np.bincount(rows * k + L[rows, lfs], minlength=len(L) * k)
    return counted.reshape(len(L), k)
