"""More rows of numbers than are held in memory at once: on disk, in blocks of rows drawn at random.

A block is a random sample of all rows, so that what learns from one block after the other learns of all
classes at any time, however the table is sorted. Columns of mostly zeros are kept sparse, the others as they
are: rows of the encoder `hybrid` take 4 kB in place of 19.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.utils.validation import check_array

from adaptml.errors import FileError
from modelling.memory import Memory

BLOCK_ROWS = 4_096
LABEL_ROWS = 50_000
SPARSE_BELOW = 0.25  # share of numbers that are not 0 under which zeros are left out
Matrix = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]
_DENSE, _VALUES, _PLACES = "dense", "values", "places"


@dataclass(frozen=True)
class Split:
    """Which of d columns are kept as they are, and which without their zeros.

    Attributes:
        dense: the former, int64 (m,), sorted.
        sparse: the latter, int64 (d - m,), sorted.
    """

    dense: Rows
    sparse: Rows

    @classmethod
    def of(cls, X: Matrix) -> "Split":
        """What suits columns such as those of X (n, d)."""
        full = np.count_nonzero(X, axis=0) >= SPARSE_BELOW * max(1, len(X))
        return cls(np.flatnonzero(full), np.flatnonzero(~full))

    @property
    def width(self) -> int:
        """Number of columns."""
        return len(self.dense) + len(self.sparse)


@dataclass(frozen=True, eq=False)
class Block:
    """Some of the rows.

    Attributes:
        rows: their numbers, int64 (b,).
        columns: how they are kept.
        dense: columns that are kept as they are, float32 (b, m).
        sparse: the other columns, a sparse float32 matrix (b, d - m).
    """

    rows: Rows
    columns: Split
    dense: Matrix
    sparse: Any

    def matrix(self) -> Matrix:
        """The rows as they were given, float32 (b, d)."""
        X = np.zeros((len(self.rows), self.columns.width), np.float32)
        X[:, self.columns.dense] = self.dense
        sparse_rows, places = self.sparse.nonzero()
        X[sparse_rows, self.columns.sparse[places]] = self.sparse.data
        return X

    def followed_by(self, X: Matrix, rows: Rows) -> "Block":
        """The same and further rows below, float32 (t, d); the numbers of all, int64 (b + t,)."""
        dense = np.vstack([self.dense, X[:, self.columns.dense]])
        more = sparse.csr_matrix(X[:, self.columns.sparse])
        return Block(rows, self.columns, dense, sparse.vstack([self.sparse, more], format="csr"))

    def csr(self) -> Any:
        """The rows as a sparse float32 matrix (b, d)."""
        whole = sparse.hstack([sparse.csr_matrix(self.dense), self.sparse], format="csr")
        order = np.argsort(np.concatenate([self.columns.dense, self.columns.sparse]))
        return whole[:, order]

    def times(self, W: Matrix) -> Matrix:
        """Product with weights (d, k): float32 (b, k)."""
        found = self.dense @ W[self.columns.dense]
        return np.asarray(found + self.sparse @ W[self.columns.sparse])

    def transposed_times(self, G: Matrix) -> Matrix:
        """Product of the transpose with G (b, k): float32 (d, k)."""
        found = np.empty((self.columns.width, G.shape[1]), np.float32)
        found[self.columns.dense] = self.dense.T @ G
        found[self.columns.sparse] = self.sparse.T @ G
        return found


@dataclass(frozen=True, eq=False)
class ManyRows:
    """Rows of numbers, float32 (n, d), that are read a block at a time.

    Attributes:
        folder: where they lie; who made it removes it.
        columns: how they are kept.
        rows: block → the numbers of its rows; together they are 0 … n - 1.
        filled: block → how many numbers of each of its rows are kept in the sparse columns.
        memory: how much may be taken where all rows are needed at once.
        more: further rows (t, d) in memory, numbered from n on; None for none.
    """

    folder: Path
    columns: Split
    rows: Sequence[Rows]
    filled: Sequence[Rows]
    memory: Memory
    more: Matrix | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of rows and columns."""
        return len(self), self.columns.width

    def __len__(self) -> int:
        return self._on_disk + (0 if self.more is None else len(self.more))

    @property
    def _on_disk(self) -> int:
        return sum(map(len, self.rows))

    @property
    def n_filled(self) -> int:
        """How many numbers are kept."""
        more = 0 if self.more is None else self.more.size
        return self._on_disk * len(self.columns.dense) + int(sum(map(np.sum, self.filled))) + more

    def followed_by(self, more: Matrix) -> "ManyRows":
        """The same rows and some more behind them, float32 (t, d), which are spread over the blocks."""
        return replace(self, more=more if self.more is None else np.vstack([self.more, more]))

    def blocks(self, order: Sequence[int] | None = None) -> Iterator[Block]:
        """Blocks in some order, a new one each; default: all, as they lie."""
        for number in range(len(self.rows)) if order is None else order:
            yield self._with_more(number, self._read(number))

    def numbers(self, block: int) -> Rows:
        """Numbers of the rows of a block, int64 (b,), in the order that `blocks` gives."""
        return np.concatenate([self.rows[block], self._on_disk + self._share(block)])

    def sample(self, n: int) -> tuple[Rows, Matrix]:
        """Row numbers (s,), sorted, and rows (s, d), of n rows on disk at random, or of all of them."""
        alone, rows, parts, missing = replace(self, more=None), [], [], n
        for block in alone.blocks():
            rows.append(block.rows[:missing])
            parts.append(block.matrix()[:missing])
            missing -= len(rows[-1])
            if missing <= 0:
                break
        order = np.argsort(found := np.concatenate(rows))
        return found[order], np.vstack(parts)[order]

    def in_memory(self, *, as_sparse: bool) -> Any:
        """All rows in their order, (n, d): as a sparse matrix, or as an array."""
        if as_sparse:
            rows = np.concatenate([block.rows for block in self.blocks()])
            return sparse.vstack([block.csr() for block in self.blocks()], format="csr")[np.argsort(rows)]
        X = np.empty(self.shape, np.float32)
        for block in self.blocks():
            X[block.rows] = block.matrix()
        return X

    def _read(self, number: int) -> Block:
        rows, filled = self.rows[number], self.filled[number]
        dense = np.fromfile(_file(self.folder, number, _DENSE), np.float32).reshape(len(rows), -1)
        starts = np.concatenate([[0], np.cumsum(filled)])
        values = np.fromfile(_file(self.folder, number, _VALUES), np.float32)
        places = np.fromfile(_file(self.folder, number, _PLACES), np.int32)
        shape = (len(rows), len(self.columns.sparse))
        return Block(rows, self.columns, dense, sparse.csr_matrix((values, places, starts), shape))

    def _with_more(self, number: int, block: Block) -> Block:
        """A block with its share of the rows that are in memory."""
        if self.more is None:
            return block
        return block.followed_by(self.more[self._share(number)], self.numbers(number))

    def _share(self, number: int) -> Rows:
        """Places of the rows in memory that come with a block."""
        return np.arange(number, 0 if self.more is None else len(self.more), len(self.rows))


@dataclass(frozen=True, eq=False)
class OneBlock:
    """Rows in memory as many rows come: one block.

    Attributes:
        block: all rows, in their order.
        given: the same as they were given, float32 (n, d), sparse or not; None where they were put together.
    """

    block: Block
    given: Any = None
    more: None = None

    @classmethod
    def of(cls, X: Any) -> "OneBlock":
        """The rows of a matrix (n, d), sparse or not.

        Raises:
            ValueError: numbers that are not finite, or no matrix.
        """
        X = check_array(X, accept_sparse="csr", dtype=np.float32)
        n, d = X.shape
        if sparse.issparse(X):
            columns, dense, kept = Split(np.arange(0), np.arange(d)), np.empty((n, 0), np.float32), X
        else:
            columns = Split.of(X)
            dense, kept = np.ascontiguousarray(X[:, columns.dense]), sparse.csr_matrix(X[:, columns.sparse])
        return cls(Block(np.arange(n), columns, dense, kept), X)

    def followed_by(self, more: Matrix) -> "OneBlock":
        """The same rows and some more below them, float32 (t, d)."""
        return OneBlock(self.block.followed_by(more, np.arange(len(self) + len(more))))

    def matrix(self) -> Any:
        """The rows, float32 (n, d), as they were given."""
        return self.block.matrix() if self.given is None else self.given

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of rows and columns."""
        return len(self), self.block.columns.width

    def __len__(self) -> int:
        return len(self.block.rows)

    @property
    def rows(self) -> Sequence[Rows]:
        """The numbers of the rows of the one block."""
        return [self.block.rows]

    def blocks(self, order: Sequence[int] | None = None) -> Iterator[Block]:  # noqa: ARG002
        """The one block."""
        yield self.block

    def numbers(self, block: int) -> Rows:  # noqa: ARG002
        """Numbers of its rows, int64 (n,)."""
        return self.block.rows


def write_many_rows(
    chunks: Iterable[Matrix], n: int, folder: Path, seed: int, memory: Memory | None = None
) -> ManyRows:
    """Write rows that come a chunk at a time.

    Args:
        chunks: float32 (c, d) each, together n rows.
        n: how many rows, at least 1.
        folder: where; what is written there stays.
        seed: which rows come together in a block.
        memory: see `ManyRows`; default: what is free.

    Raises:
        FileError: the disk is full, or the folder cannot be written.
    """
    n_blocks = -(-n // BLOCK_ROWS)
    block_of = np.random.default_rng(seed).permutation(n) // BLOCK_ROWS
    rows: list[list[Rows]] = [[] for _ in range(n_blocks)]
    filled: list[list[Rows]] = [[] for _ in range(n_blocks)]
    columns, done = None, 0
    try:
        for X in chunks:
            columns = columns or Split.of(X)
            order = np.argsort(block_of[done : done + len(X)], kind="stable")
            of_chunk = block_of[done + order]
            dense, kept = X[np.ix_(order, columns.dense)], sparse.csr_matrix(X[np.ix_(order, columns.sparse)])
            counts = np.diff(kept.indptr).astype(np.int64)
            starts = np.flatnonzero(np.diff(of_chunk, prepend=-1))
            for start, end in pairwise([*starts.tolist(), len(X)]):
                number, some = of_chunk[start], slice(kept.indptr[start], kept.indptr[end])
                rows[number].append(done + order[start:end])
                filled[number].append(counts[start:end])
                _append(folder, number, dense[start:end], kept.data[some], kept.indices[some])
            done += len(X)
    except OSError as error:
        reason = error.strerror or error
        raise FileError(
            f"{folder} cannot hold the features of {n:,} data points: {reason}; free space, or name another "
            "folder for temporary files (TMPDIR)"
        ) from error
    if columns is None or done != n:
        raise AssertionError(f"{done} rows came, and {n} were announced")
    numbers, counts = ([np.concatenate(of_block) for of_block in one] for one in (rows, filled))
    return ManyRows(folder, columns, numbers, counts, memory or Memory.of(None))


def below(X: Any, more: Matrix) -> Any:
    """Rows (n, d), as an array, `ManyRows` or `OneBlock`, and below them further ones (t, d)."""
    return np.vstack([X, more]) if isinstance(X, np.ndarray) else X.followed_by(more)


def slices(n: int) -> Iterator[slice]:
    """All of n rows, so many at a time that what is worked out of their labels takes little memory."""
    return (slice(start, min(start + LABEL_ROWS, n)) for start in range(0, n, LABEL_ROWS))


def _append(folder: Path, number: int, dense: Matrix, values: Matrix, places: npt.NDArray[np.int32]) -> None:
    """Append rows to the files of a block."""
    for kind, numbers in ((_DENSE, dense), (_VALUES, values), (_PLACES, places)):
        with _file(folder, number, kind).open("ab") as file:
            file.write(np.ascontiguousarray(numbers).data)


def _file(folder: Path, number: int, kind: str) -> Path:
    return folder / f"{number}.{kind}"
