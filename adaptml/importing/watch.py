"""What a column holds, found out on all of its values."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from adaptml.errors import FrameError
from adaptml.importing.kinds import (
    BOOLEAN,
    INTEGER,
    IS,
    KINDS,
    LIST,
    MISSING,
    NUMBER,
    READS_AS,
    TEXT,
    VECTOR,
    as_list,
    is_array,
    is_missing,
    is_number,
    shortened,
)


class Watch:
    """What the values of one column have been like so far.

    Attributes:
        name: of the column.
        example: the first value that was not missing, as a short text.
        chars: how many characters the texts of the first rows have.
    """

    def __init__(self, name: str) -> None:
        """Begin with no value seen.

        Args:
            name: of the column, for messages.
        """
        self.name = name
        self.example = ""
        self.chars = 0
        self._empty = self._words = self._values = 0
        self._length: int | None = None  # of the vectors
        self._left = {INTEGER, NUMBER, BOOLEAN, LIST, VECTOR}
        self._first_not: dict[str, tuple[int, Any]] = {}

    @property
    def kind(self) -> str:
        """What all values are; text where all are missing."""
        return next((kind for kind in KINDS if kind in self._left and self._values), TEXT)

    def missing(self, kind: str) -> int:
        """How many values are missing in a column of that kind."""
        return self._empty + (0 if kind == TEXT else self._words)

    def misfit(self, kind: str) -> str | None:
        """Why the column cannot be of a kind: a value with its row; None where it can."""
        if kind not in self._first_not:
            return None
        row, value = self._first_not[kind]
        return f"row {row:,} holds {shortened(value)!r}"

    def skip(self, rows: int) -> None:
        """Rows in which the column does not occur."""
        self._empty += rows

    def see(self, values: Sequence[Any], first_row: int, *, typed: bool) -> None:
        """Look at the next values.

        Args:
            values: as a `Chunk` has them.
            first_row: the number of the first one's row, from 1.
            typed: they have types of their own: a text that looks like a number is a text.

        Raises:
            FrameError: a number that is infinite, or, in a vector, none.
        """
        empty = sum(value is None or (type(value) is str and not value) for value in values)
        self._empty += empty
        if empty == len(values):
            return
        if not self.example:
            self._see_first(values)
        if not self._left:
            return  # a text, as most columns are
        words = sum(type(value) is str and value in MISSING and bool(value) for value in values)
        self._words += words
        self._values += len(values) - empty - words
        for kind in (INTEGER, NUMBER, BOOLEAN):
            if kind in self._left:
                self._see_scalars(kind, values, first_row, typed=typed)
        if LIST in self._left:
            self._see_lists(values, first_row)

    def _see_first(self, values: Sequence[Any]) -> None:
        texts = [value for value in values if type(value) is str]
        self.chars = sum(map(len, texts))
        self.example = (
            next(
                (
                    shortened(value)
                    for value in values
                    if value is not None and not (type(value) is str and not value)
                ),
                "",
            )
            or " "
        )

    def _drop(self, kind: str, row: int, value: Any) -> None:
        if kind in self._left:
            self._left.discard(kind)
            self._first_not[kind] = row, value

    def _see_scalars(self, kind: str, values: Sequence[Any], first_row: int, *, typed: bool) -> None:
        for place, value in enumerate(values):
            if value is None or (type(value) is str and value in MISSING):
                continue
            reads = type(value) is str
            fits = not typed and READS_AS[kind](value) if reads else IS[kind](value)
            if not fits:
                self._drop(kind, first_row + place, value)
                return
            if type(value) is float and kind == NUMBER and not np.isfinite(value):
                raise FrameError(
                    f"column {self.name!r} holds an infinite number, in row {first_row + place:,}; "
                    "expected finite numbers: correct it there"
                )

    def _see_lists(self, values: Sequence[Any], first_row: int) -> None:
        for place, value in enumerate(values):
            if is_missing(value):
                continue
            # An array is looked at as a whole: item by item it takes many times as long.
            items, row = value if is_array(value) else as_list(value), first_row + place
            if items is None:
                self._drop(LIST, row, value)
                self._drop(VECTOR, row, value)
                return
            if VECTOR in self._left:
                self._see_vector(items, row, value)

    def _see_vector(self, items: Any, row: int, value: Any) -> None:
        """A vector is as long in every row, and all of its numbers are finite."""
        numbers = is_array(items) or all(map(is_number, items))
        if not len(items) or not numbers or len(items) != (self._length or len(items)):
            self._drop(VECTOR, row, value)
            return
        self._length = len(items)
        with np.errstate(over="ignore"):
            finite = np.isfinite(np.asarray(items, dtype=np.float32)).all()
        if not finite:
            raise FrameError(
                f"column {self.name!r} holds a vector with a number that is infinite or NaN, in row {row:,}; "
                "expected finite numbers of 32 bits: correct it there"
            )
