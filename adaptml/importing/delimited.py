"""CSV and TSV, also with other delimiters, and packed with gzip."""

import contextlib
import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from adaptml.errors import FrameError, listed, one_line
from adaptml.importing.chunks import Chunk, batched
from adaptml.importing.dialect import (
    MAX_FIELD_CHARS,
    declared_delimiter,
    delimiter_of,
    described,
    encoding_of,
    opened_text,
    reader_of,
)
from adaptml.importing.kinds import NUMBER, READS_AS


class Delimited:
    """A file of delimited text, whose first row names the columns. A blank line is no row."""

    typed = False

    def __init__(self, path: Path, encoding: str | None = None, delimiter: str | None = None) -> None:
        """Find out how it is written.

        Args:
            path: the file.
            encoding: in place of the one that is found out.
            delimiter: likewise; `tab`, `comma`, `semicolon`, `bar` and `\\t` are taken, too.

        Raises:
            FrameError: the file cannot be read, or has no columns.
        """
        self.path = path
        self.name = path.name
        self._encoding = encoding_of(path, encoding)
        declared = declared_delimiter(path, self._encoding)
        self._lines_before = int(declared is not None)
        self._delimiter = delimiter_of(path, self._encoding, delimiter or declared)
        kind = "TSV" if self._delimiter == "\t" else "CSV"
        self.said = f"{kind}, {described(self._encoding, self._delimiter)}"
        header = next(self._rows(), [])
        if not header:
            raise FrameError(f"{path} is empty; expected a first line with the columns' names, then rows")
        self.columns = distinct(header)
        if any(map(READS_AS[NUMBER], header)):  # perhaps no names at all
            self.said += f"; the columns' names, from its first line: {listed(self.columns)}"

    def chunks(self) -> Iterator[Chunk]:
        """All rows, as text."""
        rows = self._rows()
        next(rows)
        done = 0
        for found in batched(rows, _size):
            if any(len(row) != len(self.columns) for row in found):
                found = [row for row in found if row]
                self._check_width(found, done)
            done += len(found)
            if found:
                yield Chunk(len(found), dict(zip(self.columns, zip(*found, strict=True), strict=True)))

    def _rows(self) -> Iterator[list[str]]:
        """Every row with the first, and blank lines as empty ones."""
        with self._opened() as reader:
            try:
                yield from reader
            except csv.Error as error:
                raise FrameError(self._broken(error)) from error

    @contextmanager
    def _opened(self) -> Iterator[Iterator[list[str]]]:
        with opened_text(self.path, self._encoding) as text:
            for _ in range(self._lines_before):
                text.readline()
            yield reader_of(text, self._delimiter)

    def _broken(self, error: csv.Error) -> str:
        reason = one_line(error)
        if "field larger" in reason:
            reason = f"a value of over {MAX_FIELD_CHARS:,} characters"
        elif "unexpected end" in reason:
            reason = "a quotation mark that is opened is not closed"
        return (
            f"{self.path} cannot be read from line {self._line_of(None)} on: {reason}; expected values that "
            'hold a delimiter, a quotation mark or a line break in "…", with "" for a quotation mark in them'
        )

    def _check_width(self, rows: Sequence[Sequence[str]], before: int) -> None:
        """Refuse the first row that has more or fewer values than there are columns."""
        for place, row in enumerate(rows):
            if len(row) != len(self.columns):
                raise FrameError(
                    f"{self.path}, line {self._line_of(before + place)}: {len(row)} values; expected "
                    f"{len(self.columns)} ({listed(self.columns)}): quote a value that holds the delimiter, "
                    "or name the delimiter with --delimiter"
                )

    def _line_of(self, place: int | None) -> int:
        """The line on which a row begins.

        Args:
            place: the row's, counted from 0 below the first; None for the one that cannot be read.
        """
        left = None if place is None else place + 1
        line = self._lines_before + 1
        with self._opened() as reader, contextlib.suppress(csv.Error):
            for row in reader:
                if left is not None and row:
                    if not left:
                        break
                    left -= 1
                line = self._lines_before + reader.line_num + 1  # type: ignore[attr-defined]
        return int(line)


def _size(row: Sequence[str]) -> int:
    return sum(map(len, row))


def distinct(header: Sequence[str]) -> list[str]:
    """The names of the columns; one that is empty or repeated gets its place's number."""
    names: list[str] = []
    for place, name in enumerate(header, start=1):
        free = name.strip() or f"column_{place}"
        while free in names:
            free = f"{free}_{place}"
        names.append(free)
    return names
