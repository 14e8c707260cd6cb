"""Rows as they come out of a file: column by column, a bounded number at a time."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol, TypeVar

Row = TypeVar("Row")

CHUNK_ROWS = 5_000
CHUNK_BYTES = 4_000_000  # roughly: that of the values in one chunk
_FIRST_ROWS = 64  # until it is known how long rows are


@dataclass(frozen=True)
class Chunk:
    """Some rows that follow each other.

    Attributes:
        rows: their number.
        columns: name, as the file has it → a value for each row: None, str, bool, int, float, a list, or a
            numpy array of numbers. Where the file has no types, all are str.
    """

    rows: int
    columns: dict[str, Sequence[Any]]


class Source(Protocol):
    """What rows are read from, as often as it is asked."""

    @property
    def name(self) -> str:
        """Of the file or folder, for messages."""

    @property
    def said(self) -> str:
        """What was found out about it, such as `CSV, UTF-8, comma`."""

    @property
    def typed(self) -> bool:
        """Whether its values have types of their own, so that a text is never a number."""

    @property
    def columns(self) -> Sequence[str] | None:
        """Names of its columns; None where rows need not have the same ones, as in JSON."""

    def chunks(self) -> Iterator[Chunk]:
        """All rows, from the first.

        Raises:
            FrameError: the file cannot be read; one line with its name and the place.
        """


def batched(rows: Iterator[Row], size: Callable[[Row], int]) -> Iterator[list[Row]]:
    """Rows in lists of at most `CHUNK_ROWS` and about `CHUNK_BYTES`, by the size of those before."""
    count = _FIRST_ROWS
    while found := list(islice(rows, count)):
        yield found
        mean = max(1, sum(map(size, found)) // len(found))
        count = max(1, min(CHUNK_ROWS, CHUNK_BYTES // mean, 4 * count))
