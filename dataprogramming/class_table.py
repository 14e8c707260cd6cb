"""One table of classes: how far rules reach each of them, and what they say beside what gold says."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from dataprogramming.votes import Votes


def class_table(votes: Votes) -> pd.DataFrame:
    """A row per class. A vote for a set is for each of its classes; they share it where votes are added up.

    Args:
        votes: on n points, with those on gold points as their `gold`, where there are some.

    Returns:
        Frame of k rows: `class`; `covered`, points with a vote for it, and `voted`, points on which it has
        the most votes, ties shared equally (float), both of n points; with gold also `gold`, gold points of
        the class, and `found`, how many of these have a vote for it.
    """
    counts = _votes_by_class(votes)
    most = counts.max(axis=1, keepdims=True, initial=0)
    wins = (counts == most) & (counts > 0)
    columns: dict[str, object] = {
        "class": list(votes.class_names),
        "covered": (counts > 0).sum(axis=0),
        "voted": (wins / np.maximum(wins.sum(axis=1, keepdims=True), 1)).sum(axis=0),
    }
    if votes.gold is not None and votes.gold.Y is not None:
        true = votes.gold.Y > 0
        cast = _votes_by_class(votes.gold) > 0
        columns |= {"gold": true.sum(axis=0), "found": (true & cast).sum(axis=0)}
    return pd.DataFrame(columns)


def _votes_by_class(votes: Votes) -> npt.NDArray[np.float64]:
    """How many rules vote for each class on each point: float64 (n, k)."""
    members = votes.codes.members[:-1]
    rows, lfs = np.nonzero(votes.L >= 0)
    v = len(members)
    by_code = np.bincount(rows * v + votes.L[rows, lfs], minlength=len(votes) * v).reshape(len(votes), v)
    return np.asarray(by_code @ (members / members.sum(axis=1, keepdims=True)))
