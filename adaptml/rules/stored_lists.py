"""Lists of text as a database keeps them, as JSON: keywords are looked for in most of them as they are."""

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.int64]
_START, _BETWEEN, _END = '["', '", "', '"]'
_EMPTY, _OF_NOTHING = "[]", '[""]'
_FIRST_LETTER = 32


class StoredLists(Sequence[Any]):
    """A column of r cells, whose values are made when they are first asked for.

    It is a sequence of the values. What the cells hold is not known: `joined` says whether it is sure.
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

    def apart(self) -> tuple[Numbers, Numbers]:
        """Rows whose cells may be lists of plain text, without an escaped letter; and the others."""
        if set(map(type, self._cells)) == {str} and "\\" not in "".join(self._cells):
            return np.arange(len(self._cells)), np.empty(0, np.int64)
        plain = np.array([isinstance(c, str) and "\\" not in c for c in self._cells], np.bool_)
        return np.flatnonzero(plain), np.flatnonzero(~plain)

    def joined(self, rows: Numbers, token: str, row: str) -> str | None:
        """The items of some lists that `apart` named, as one text, without making lists of them.

        Args:
            rows: their numbers.
            token: stands between two items: a control character.
            row: stands between two lists: another one.

        Returns:
            The text, in which an empty list is as one empty text; None where a cell is not what JSON's usual
            writers make of a list of text.
        """
        every = len(rows) == len(self._cells)
        cells = self._cells if every else [self._cells[i] for i in rows.tolist()]
        if _EMPTY in cells:
            cells = [_OF_NOTHING if cell == _EMPTY else cell for cell in cells]
        text = "\n".join(cells)
        letters = np.frombuffer(text.encode("utf-8", "surrogatepass"), np.uint8)
        # JSON has control characters only escaped; those that are here stand between two cells.
        if not (text.startswith(_START) and text.endswith(_END)):
            return None
        if np.count_nonzero(letters < _FIRST_LETTER) != len(cells) - 1:
            return None
        text = text[len(_START) : -len(_END)].replace(f"{_END}\n{_START}", row).replace(_BETWEEN, token)
        is_whole = '"' not in text and "\n" not in text and text.count(row) == len(cells) - 1
        return text if is_whole else None

    def some(self, rows: Numbers) -> Sequence[Any]:
        """The values of some rows."""
        return self._made(rows)
