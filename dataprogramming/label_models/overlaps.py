"""How often the votes of labelling functions meet: all that Snorkel's label model asks of a label matrix."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from dataprogramming.label_models.core import Floats, LabelMatrix
from dataprogramming.patterns import CastVotes, Counts, as_patterns

BATCH_ROWS = 100_000


@dataclass(frozen=True)
class Overlaps:
    """How often votes meet, for the (LF, class) pairs that occur: an LF seldom votes for every class.

    Attributes:
        pairs: int64 (a,), rising: pair i * k + v stands for the votes of LF i for class v.
        O: sparse float64 (a, a): the share of the rows that have the votes of both pairs.
        n: number of rows.
        m: number of LFs.
        k: number of classes, or of codes where votes name sets of them too.
    """

    pairs: npt.NDArray[np.int64]
    O: sparse.csr_array  # noqa: E741 - the name that the paper and Snorkel give it
    n: int
    m: int
    k: int

    @property
    def lfs(self) -> npt.NDArray[np.int64]:
        """The LF of each pair (a,)."""
        return self.pairs // self.k

    @property
    def classes(self) -> npt.NDArray[np.int64]:
        """The class of each pair (a,)."""
        return self.pairs % self.k

    @property
    def rates(self) -> Floats:
        """The share of the rows that have the votes of each pair (a,), above 0."""
        return np.asarray(self.O.diagonal())

    @property
    def coverage(self) -> Floats:
        """The share of the rows on which each LF votes (m,)."""
        return np.asarray(np.bincount(self.lfs, self.rates, self.m), np.float64)


def overlaps(cast: CastVotes, k: int) -> Overlaps:
    """Count how often votes meet, in batches of sparse rows.

    Args:
        cast: votes on n rows, n above 0, values in {-1, 0 … k-1}.
        k: number of classes, or of codes.
    """
    found = as_patterns(cast)
    n, m = len(found), found.rows.shape[1]
    counts = sparse.csr_array((m * k, m * k), dtype=np.int64)
    for start in range(0, len(found.rows), BATCH_ROWS):
        votes = one_hot(found.rows[start : start + BATCH_ROWS], k)
        counts += votes.T @ _times(votes, found.counts[start : start + BATCH_ROWS])
    pairs = np.flatnonzero(counts.diagonal())
    return Overlaps(pairs, counts[pairs][:, pairs] / n, n, m, k)


def _times(votes: sparse.csr_array, counts: Counts) -> sparse.csr_array:
    """Rows of votes, each times how often it occurs."""
    data = votes.data * np.repeat(counts, np.diff(votes.indptr))
    return sparse.csr_array((data, votes.indices, votes.indptr), shape=votes.shape)


def one_hot(L: LabelMatrix, k: int) -> sparse.csr_array:
    """Votes as a sparse matrix (n, m * k) of ones."""
    rows, lfs = np.nonzero(L >= 0)
    columns = lfs * k + L[rows, lfs].astype(np.int64)
    ends = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=len(L)))])
    ones = np.ones(len(rows), np.int64)
    return sparse.csr_array((ones, columns, ends), shape=(len(L), L.shape[1] * k))
