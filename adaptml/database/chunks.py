"""How many rows one statement reads or writes: bounded in rows, and in bytes, whatever a row is like."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from adaptml.errors import DatabaseUnavailableError

MAX_BYTES = 16 * 2**20  # of the values of one statement; a CrateDB with 1 GB answers with four times as many
READ_BYTES = (
    4 * 2**20
)  # of those of one that reads: more are no faster, and what is made of them is as long again
FIRST_ROWS = 256  # rows of the first answer, before anything is known of their size
GROWTH = 8  # a later answer has at most so many times the rows of the one before: rows may become longer
SAMPLED = 64  # rows of an answer that are measured
NUMBER_BYTES = 8

Row = TypeVar("Row", bound=Sequence[Any] | None)


class TooMuchAtOnceError(DatabaseUnavailableError):
    """The database has too little memory for what was asked at once: fewer rows may pass."""


class ChunkSize:
    """How many rows the next statement takes.

    Attributes:
        rows: their number, 1 or more.
    """

    def __init__(self, most: int) -> None:
        """Begin with few rows, as far as none has been seen.

        Args:
            most: rows a statement, at most.
        """
        self._most = most
        self.rows = min(most, FIRST_ROWS)

    def read(self, rows: Sequence[Sequence[Any] | None]) -> None:
        """Learn from an answer, whose rows may be missing, how long rows are."""
        there = [row for row in rows[:: max(1, len(rows) // SAMPLED)] if row is not None]
        if there:
            row_bytes = max(1.0, sum(map(_size, there)) / len(there))
            self.rows = max(1, min(self._most, GROWTH * self.rows, int(READ_BYTES / row_bytes)))

    def refused(self, rows: int, error: TooMuchAtOnceError) -> None:
        """Half as many rows from now on, and never more again.

        Args:
            rows: how many were too much.
            error: what the database said.

        Raises:
            TooMuchAtOnceError: one row is too much.
        """
        if rows == 1:
            raise error
        self._most = self.rows = max(1, rows // 2)


def read_by_ids(
    ids: Sequence[Any], most: int, ask: Callable[[Sequence[Any]], Sequence[Row]]
) -> Iterator[tuple[int, Sequence[Row]]]:
    """Ask for rows by id, chunk by chunk.

    Args:
        ids: n ids.
        most: ids a statement, at most.
        ask: ids → a row or None for each of them.

    Returns:
        For each chunk, the place of its first id, and its rows.

    Raises:
        TooMuchAtOnceError: the database has too little memory for one row.
    """
    size, start = ChunkSize(most), 0
    while start < len(ids):
        asked = ids[start : start + size.rows]
        try:
            rows = ask(asked)
        except TooMuchAtOnceError as error:
            size.refused(len(asked), error)
            continue
        if start + len(asked) < len(ids):
            size.read(rows)
        yield start, rows
        start += len(asked)


def write_frame(frame: pd.DataFrame, most: int, write: Callable[[pd.DataFrame], None]) -> None:
    """Write a frame's rows, chunk by chunk.

    Args:
        frame: n rows.
        most: rows a statement, at most.
        write: writes some of them.

    Raises:
        TooMuchAtOnceError: the database has too little memory for one row.
    """
    size, start = ChunkSize(most), 0
    size.rows = most  # how long these rows are is known
    while start < len(frame):
        chunk = frame.iloc[start : start + size.rows]
        chunk = chunk.iloc[: _fitting(chunk)]
        try:
            write(chunk)
        except TooMuchAtOnceError as error:
            size.refused(len(chunk), error)
            continue
        start += len(chunk)


def _fitting(frame: pd.DataFrame) -> int:
    """How many of a frame's first rows are MAX_BYTES together, 1 or more."""
    row_bytes = np.zeros(len(frame))
    for name in frame.columns:
        column = frame[name]
        numbers = isinstance(column.dtype, np.dtype) and column.dtype != object
        row_bytes += NUMBER_BYTES if numbers else np.fromiter(map(_size, column), np.int64, len(column))
    return max(1, int(np.searchsorted(np.cumsum(row_bytes), MAX_BYTES, side="right")))


def _size(value: Any) -> int:
    """Bytes of a value, roughly."""
    if isinstance(value, str | bytes):
        return len(value)
    if isinstance(value, np.ndarray):
        return value.nbytes
    # A row, or a list in it.
    return sum(map(_size, value)) if isinstance(value, tuple | list) else NUMBER_BYTES
