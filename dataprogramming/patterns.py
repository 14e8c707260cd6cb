"""The distinct rows of a label matrix: many points have the same votes."""

import numpy as np
import numpy.typing as npt

from dataprogramming.label_models.core import LabelMatrix

BATCH_ROWS = 100_000


def vote_patterns(L: LabelMatrix) -> tuple[LabelMatrix, npt.NDArray[np.int64]]:
    """The distinct rows, in the order in which they come first, and which of them each row is.

    Batch by batch, so that no copy of the whole matrix is made.

    Args:
        L: label matrix (n, m), m above 0.

    Returns:
        The u distinct rows, int8 (u, m), and the number of each row's, int64 (n,).

    >>> patterns, which = vote_patterns(np.array([[0, -1], [1, 0], [0, -1]], np.int8))
    >>> patterns.tolist(), which.tolist()
    ([[0, -1], [1, 0]], [0, 1, 0])
    """
    place: dict[bytes, int] = {}
    which = np.empty(len(L), np.int64)
    for start in range(0, len(L), BATCH_ROWS):
        rows = np.ascontiguousarray(L[start : start + BATCH_ROWS])
        _, first, inverse = np.unique(
            rows.view(f"S{L.shape[1]}").ravel(), return_index=True, return_inverse=True
        )
        numbers = np.empty(len(first), np.int64)
        for i in np.argsort(first):
            numbers[i] = place.setdefault(rows[first[i]].tobytes(), len(place))
        which[start : start + BATCH_ROWS] = numbers[inverse.ravel()]
    return np.frombuffer(b"".join(place), np.int8).reshape(len(place), L.shape[1]), which
