"""Ids of rows: those of a column, or made from rows; all are looked at before anything is written."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import Any

import numpy as np
import numpy.typing as npt

from adaptml.errors import MAX_LISTED, FrameError, listed
from adaptml.importing.chunks import Chunk
from adaptml.importing.kinds import as_text, readable

REFUSE, KEEP_FIRST, NUMBER = "refuse", "keep-first", "number"
ON_DUPLICATE = (REFUSE, KEEP_FIRST, NUMBER)
HASHED, NUMBERED = "a hash of the row", "the row's number"
# A spreadsheet keeps 15 digits of a number, and writes a longer one as 5.70306E+17 or with zeros at the end.
_ROUNDED = re.compile(r"-?\d(?:[.,]\d+)?[eE]\+?\d+")
_SPREADSHEET_DIGITS = 15
_ENOUGH_TO_TELL = 10  # long ids that all end in zeros: by chance, fewer than one in 10 ** 10
_POINT_ZERO = re.compile(r"-?\d+\.0")


class Ids:
    """Where the ids of rows come from, and what they are like.

    Attributes:
        column: the column that holds them, or None where they are made.
        source: in words.
        repeated: id → how many rows have it, where more than one has; known after `count`.
    """

    def __init__(self, column: str | None, *, numbered: bool = False) -> None:
        """Take them from a column, or make them.

        Args:
            column: name of a column, or None where none holds ids.
            numbered: they are the rows' numbers from 1, not a hash of the values.
        """
        self.column = column
        self.source = f"column {column}" if column is not None else NUMBERED if numbered else HASHED
        self.repeated: dict[str, int] = {}
        self._hashes: list[npt.NDArray[np.int64]] = []
        self._empty: list[int] = []
        self._rounded = Counter[str]()
        self._long = self._long_zero = 0
        self._point_zero = True

    def _of(self, chunk: Chunk, first_row: int) -> list[str]:
        """The id of every row as it is written there; empty where there is none."""
        if self.column is not None:
            values = chunk.columns.get(self.column, [None] * chunk.rows)
            return ["" if value is None else as_text(value) for value in values]
        if self.source == NUMBERED:
            return [str(row) for row in range(first_row, first_row + chunk.rows)]
        return _hashes(chunk)

    def see(self, chunk: Chunk, first_row: int) -> None:
        """Look at the ids of the next rows.

        Args:
            chunk: the rows.
            first_row: number of the first one, from 1.
        """
        if self.source == NUMBERED:
            return
        ids = self._of(chunk, first_row)
        self._hashes.append(np.fromiter(map(hash, ids), np.int64, len(ids)))
        if self.column is None:
            return
        _check_characters(ids, self.source, first_row)
        self._empty += [first_row + place for place, value in enumerate(ids) if not value.strip()]
        self._rounded.update(filter(_ROUNDED.fullmatch, ids))
        self._point_zero = self._point_zero and all(map(_POINT_ZERO.fullmatch, ids))
        long = [value for value in ids if len(value) > _SPREADSHEET_DIGITS and value.isdecimal()]
        self._long += len(long)
        self._long_zero += sum(not value[_SPREADSHEET_DIGITS:].strip("0") for value in long)

    def check(self) -> None:
        """Refuse ids that are missing or were rounded.

        Raises:
            FrameError: with their number and the first five.
        """
        if self._empty:
            raise FrameError(
                f"{_rows(len(self._empty))} no id in {self.source}: {_first(self._empty)}; give every row an "
                "id, or name another column with --id"
            )
        if self._rounded or (self._long >= _ENOUGH_TO_TELL and self._long == self._long_zero):
            rounded = self._rounded.total() or self._long
            shown = f": {listed(list(self._rounded))}" if self._rounded else ", all ending in zeros"
            raise FrameError(
                f"{_rows(rounded)} an id in {self.source} that a spreadsheet rounded{shown}; export the "
                "table again with this column as text, or name another column with --id"
            )

    def candidates(self) -> frozenset[int]:
        """Hashes that more than one id has: mostly of ids that are repeated."""
        if not self._hashes:
            return frozenset()
        found = np.sort(np.concatenate(self._hashes))
        self._hashes = [found]
        return frozenset(found[1:][found[1:] == found[:-1]].tolist())

    def count(
        self, chunks: Iterable[tuple[int, Chunk]], candidates: frozenset[int], on_duplicate: str
    ) -> None:
        """Count the repeated ids.

        Args:
            chunks: all rows again, each chunk with the number of its first row.
            candidates: hashes of ids to count.
            on_duplicate: `refuse` refuses them; with `keep-first` only the first row of each id is taken, and
                with `number` the second one is called `id-2`.

        Raises:
            FrameError: repeated ids that are refused, or numbers that would make an id that is there already.
        """
        counts = Counter[str]()
        for first_row, chunk in chunks:
            counts.update(value for value in self._of(chunk, first_row) if hash(value) in candidates)
        self.repeated = {value: count for value, count in counts.items() if count > 1}
        hashes, self._hashes = self._hashes[0], []
        if self.repeated and on_duplicate == REFUSE:
            more = sum(self.repeated.values()) - len(self.repeated)
            what = (
                "equal to an earlier row" if self.column is None else f"with a repeated id in {self.source}"
            )
            shown = "" if self.column is None else f" ({_repeated(self.repeated)})"
            raise FrameError(
                f"rows {what}: {more:,}{shown}; expected each once: --on-duplicate keep-first leaves them "
                "out, --on-duplicate number calls the second one of an id id-2"
            )
        if on_duplicate == NUMBER:
            made = [f"{value}-{n}" for value, count in counts.items() for n in range(2, count + 1)]
            taken = np.isin(np.fromiter(map(hash, made), np.int64, len(made)), hashes)
            if taken.any():
                raise FrameError(
                    f"{made[int(taken.argmax())]!r} is an id of the file already, and "
                    "repeated ids cannot be numbered: take --on-duplicate keep-first, or give rows other ids"
                )

    def of(self, chunk: Chunk, first_row: int, seen: Counter[str], on_duplicate: str) -> list[str | None]:
        """The id that every row gets in the table; None for a row that is left out.

        Args:
            chunk: the rows.
            first_row: number of the first one, from 1.
            seen: repeated ids of the rows before, and how often; they are counted on here.
            on_duplicate: as in `count`.
        """
        ids: Sequence[str] = self._of(chunk, first_row)
        if self.repeated:
            return [self._unique(value, seen, on_duplicate) for value in ids]
        if self.column is not None and self._point_zero:
            return [value.removesuffix(".0") for value in ids]
        return list(ids)

    def _unique(self, value: str, seen: Counter[str], on_duplicate: str) -> str | None:
        plain = value.removesuffix(".0") if self.column is not None and self._point_zero else value
        if value not in self.repeated:
            return plain
        seen[value] += 1
        if seen[value] == 1:
            return plain
        return None if on_duplicate == KEEP_FIRST else f"{plain}-{seen[value]}"


def _check_characters(ids: Sequence[str], source: str, first_row: int) -> None:
    """Refuse ids that some database does not take as they are."""
    for place in () if readable(ids)[1] == 0 else range(len(ids)):
        if readable(ids[place : place + 1])[1]:
            raise FrameError(
                f"the id {ids[place]!r} in {source}, row {first_row + place:,}, holds a character that "
                "databases refuse; expected text without NUL and surrogates: correct it, or name another "
                "column with --id"
            )


def _hashes(chunk: Chunk) -> list[str]:
    """A hash of the values of every row: equal for equal rows, whatever the order of the columns."""
    parts = []
    for name in sorted(chunk.columns):
        texts = ["" if value is None else as_text(value) for value in chunk.columns[name]]
        parts.append([f"{name}\x1e{len(text)}\x1e{text}\x1f" if text else "" for text in texts])
    rows: list[Any] = list(zip(*parts, strict=True))
    return [blake2b("".join(row).encode("utf-8", "surrogatepass"), digest_size=8).hexdigest() for row in rows]


def _rows(count: int) -> str:
    return "1 row has" if count == 1 else f"{count:,} rows have"


def _first(rows: Sequence[int]) -> str:
    shown = ", ".join(f"{row:,}" for row in rows[:MAX_LISTED])
    return f"row{'s' if len(rows) > 1 else ''} {shown}{', …' if len(rows) > MAX_LISTED else ''}"


def _repeated(counts: dict[str, int]) -> str:
    return listed([f"{value!r} {count:,} times" for value, count in counts.items()])
