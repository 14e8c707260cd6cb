"""The distinct rows of a label matrix: many points have the same votes."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from dataprogramming.label_models.core import LabelMatrix, covered

BATCH_ROWS = 100_000
Which = npt.NDArray[np.int32]
Counts = npt.NDArray[np.int64]
_ODD = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, eq=False)
class VotePatterns:
    """The votes of m labelling functions on n rows, each distinct row of the label matrix once.

    Of ten million rows and fifty rules this is a tenth of the label matrix, and what is asked of it is asked
    of the distinct rows alone.

    Attributes:
        rows: int8 (u, m), in the order in which they come first.
        which: int32 (n,), the number of each row's.

    Example:
        >>> found = vote_patterns(np.array([[0, -1], [1, 0], [0, -1]], np.int8))
        >>> found.rows.tolist(), found.which.tolist(), found.counts.tolist()
        ([[0, -1], [1, 0]], [0, 1, 0], [2, 1])
    """

    rows: LabelMatrix
    which: Which

    def __len__(self) -> int:
        """Number n of rows."""
        return len(self.which)

    @cached_property
    def counts(self) -> Counts:
        """How often each distinct row occurs, int64 (u,)."""
        return np.bincount(self.which, minlength=len(self.rows))

    @cached_property
    def covered(self) -> npt.NDArray[np.bool_]:
        """Which of the distinct rows have a vote, bool (u,)."""
        return covered(self.rows)

    @property
    def is_covered(self) -> npt.NDArray[np.bool_]:
        """Which of the n rows have a vote, bool (n,)."""
        return np.asarray(self.covered[self.which])

    def matrix(self, rows: slice = slice(None)) -> LabelMatrix:
        """The label matrix, or some rows of it: int8 (r, m)."""
        return np.asarray(self.rows[self.which[rows]])


class PatternsAdded:
    """Votes as they come, part by part, and their patterns in the end."""

    def __init__(self, m: int) -> None:
        """Nothing yet.

        Args:
            m: number of labelling functions.
        """
        self._m = m
        self._place: dict[bytes, int] = {}
        self._which: list[Which] = []

    def add(self, L: LabelMatrix) -> None:
        """Add the next rows of a label matrix (r, m)."""
        for start in range(0, len(L), BATCH_ROWS):
            self.add_patterns(_distinct(np.ascontiguousarray(L[start : start + BATCH_ROWS])))

    def add_patterns(self, part: VotePatterns) -> None:
        """Add the next rows, of which the patterns are known."""
        m, place = self._m, self._place
        text = np.ascontiguousarray(part.rows).tobytes()
        numbers = [place.setdefault(text[i * m : (i + 1) * m], len(place)) for i in range(len(part.rows))]
        self._which.append(np.array(numbers, np.int32)[part.which])

    def found(self) -> VotePatterns:
        """The patterns of all rows."""
        rows = np.frombuffer(b"".join(self._place), np.int8).reshape(len(self._place), self._m)
        return VotePatterns(rows, np.concatenate([np.empty(0, np.int32), *self._which]))


CastVotes = LabelMatrix | VotePatterns  # the votes on n rows, in either form


def as_patterns(cast: CastVotes) -> VotePatterns:
    """Votes in the form in which each distinct row is there once."""
    return cast if isinstance(cast, VotePatterns) else vote_patterns(cast)


def vote_patterns(L: LabelMatrix) -> VotePatterns:
    """The distinct rows of a label matrix (n, m), batch by batch, so that no copy of it is made."""
    added = PatternsAdded(L.shape[1])
    added.add(L)
    return added.found()


def _distinct(L: LabelMatrix) -> VotePatterns:
    """The distinct rows of some rows, told apart by a hash, or one by one where two rows share one."""
    codes, hashes = pd.factorize(_hashes(L))
    first = np.empty(len(hashes), np.int64)
    first[codes[::-1]] = np.arange(len(L))[::-1]
    rows, which = L[first], codes.astype(np.int32)
    if np.array_equal(rows[which], L):
        return VotePatterns(rows, which)
    place: dict[bytes, int] = {}
    which = np.array([place.setdefault(row.tobytes(), len(place)) for row in L], np.int32)
    return VotePatterns(np.frombuffer(b"".join(place), np.int8).reshape(len(place), -1), which)


def _hashes(L: LabelMatrix) -> npt.NDArray[np.uint64]:
    """A number for each row (r,), the same for equal rows and seldom for others."""
    words = np.zeros((len(L), -(-L.shape[1] // 8)), np.uint64)
    words.view(np.int8)[:, : L.shape[1]] = L
    found = np.zeros(len(L), np.uint64)
    for word in words.T:
        found = (found ^ word) * _ODD
        found ^= found >> np.uint64(32)
    return found
