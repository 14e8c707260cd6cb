"""Lists of text as a database keeps them, as JSON: keywords are looked for in most of them as they are."""

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.int64]
QUOTE, BETWEEN, LINE = '"', '", "', "\n"
_START, _END = '["', '"]'
_LINES = f"{_END}{LINE}{_START}"
_EMPTY, _OF_NOTHING = "[]", '[""]'
_FIRST_LETTER = 32


class StoredLists(Sequence[Any]):
    """A column of r cells, whose values are made when they are first asked for.

    It is a sequence of the values. What the cells hold is not known: `apart` says whether it is sure.
    """

    def __init__(self, cells: Sequence[Any], values: Callable[[Numbers | None], Sequence[Any]]) -> None:
        """Keep the cells.

        Args:
            cells: r of them.
            values: makes the values of some rows (all for None).
        """
        self._cells, self._made = cells, values

    @cached_property
    def _values(self) -> Sequence[Any]:
        return self._made(None)

    def __len__(self) -> int:
        return len(self._cells)

    def __getitem__(self, row: Any) -> Any:
        """The value of a row, or of several."""
        return self._values[row]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._values)

    def apart(self) -> tuple[Numbers, str | None, Numbers]:
        """Rows whose cells are lists of plain text, without an escaped letter, as they are; and the others.

        Returns:
            Numbers of the rows; their cells as one text, LINE between two; numbers of the others. In the text
            each item has a QUOTE on either side, BETWEEN is what stands between two items of a cell, and no
            item has a QUOTE or a LINE; an empty list is as one of an empty text. There is None in place of
            the text where a cell is not what JSON's usual writers make of a list of text.
        """
        cells, rows, others = self._cells, np.arange(len(self._cells)), np.empty(0, np.int64)
        try:
            text = LINE.join(cells)
            is_plain = "\\" not in text
        except TypeError:  # a missing value
            is_plain = False
        if not is_plain:
            plain = np.array([isinstance(c, str) and "\\" not in c for c in cells], np.bool_)
            rows, others = np.flatnonzero(plain), np.flatnonzero(~plain)
            cells = [cells[i] for i in rows.tolist()]
            text = LINE.join(cells)
        if _EMPTY in text:
            text = LINE.join([_OF_NOTHING if cell == _EMPTY else cell for cell in cells])
        return rows, text if _are_lists(text, len(rows)) else None, others

    def some(self, rows: Numbers) -> Sequence[Any]:
        """The values of some rows."""
        return self._made(rows)


def _are_lists(text: str, n: int) -> bool:
    """Whether each of n lines is a list of text as JSON's usual writers make it; none has a backslash."""
    if not (text.startswith(_START) and text.endswith(_END)):
        return False
    letters = np.frombuffer(text.encode("utf-8", "surrogatepass"), np.uint8)
    lines = np.flatnonzero(letters == ord(LINE))
    # JSON has control characters only escaped; those that are here stand between two cells.
    if len(lines) != n - 1 or np.count_nonzero(letters < _FIRST_LETTER) != n - 1:
        return False
    if any((letters[lines + i] != ord(letter)).any() for i, letter in enumerate(_LINES, -2)):
        return False
    quotes = letters == ord(QUOTE)
    between = np.zeros(len(letters), np.bool_)  # where BETWEEN begins
    between[:-3] = quotes[:-3] & (letters[1:-2] == ord(",")) & (letters[2:-1] == ord(" ")) & quotes[3:]
    first, last = np.append(1, lines + 2), np.append(lines - 2, len(letters) - 2)  # quotes of each line
    # A quote that belongs to two things, as in `["]` and `[", "]`, is left to the reader of JSON.
    if (first >= last).any() or (between[:-3] & between[3:]).any():
        return False
    if between[first].any() or between[last - 3].any():
        return False
    return bool(np.count_nonzero(quotes) == 2 * (np.count_nonzero(between) + n))
