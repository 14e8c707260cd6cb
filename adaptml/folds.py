"""The folds of gold, the same in every step: a point's fold is a hash of its key and never changes.

`label` fits label models that have not seen a fold, `train` and `compare` judge end models on it. As all of
them cut gold alike, what they know of a point never includes the point's own label; and a point that is
annotated tomorrow leaves the folds of all others as they are.
"""

from collections.abc import Mapping
from hashlib import blake2b

import numpy as np
import numpy.typing as npt
import pandas as pd

FOLDS = 5
Folds = npt.NDArray[np.int64]


def folds_of_keys(keys: pd.DataFrame) -> Folds:
    """The fold of each data point: int64 (n,), values in {0 … FOLDS-1}.

    Args:
        keys: frame with `table_name` and `id` (n rows). With few points, a fold may be without any.

    >>> folds_of_keys(pd.DataFrame({"table_name": "posts", "id": ["1", "2", "3", "4", "5"]})).tolist()
    [1, 4, 4, 1, 2]
    """
    # Not what the parts of gold that tune and judge are made of: a fold must hold points of both.
    pairs = zip(keys["table_name"], keys["id"], strict=True)
    digests = (blake2b(f"{table}\0{key}".encode(), digest_size=8, person=b"folds") for table, key in pairs)
    found = (int.from_bytes(digest.digest(), "big") % FOLDS for digest in digests)
    return np.fromiter(found, np.int64, len(keys))


def held_out_parts(fold: Folds) -> Mapping[int, tuple[Folds, Folds]]:
    """Fold → the row numbers of the other folds, and its own; only folds that have points.

    Args:
        fold: of each point, int64 (n,).
    """
    return {int(f): (np.flatnonzero(fold != f), np.flatnonzero(fold == f)) for f in np.unique(fold)}
