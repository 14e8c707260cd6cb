"""CSV and TSV, also with other delimiters, and packed with gzip."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from adaptml.errors import FrameError, listed, one_line
from adaptml.importing.chunks import Chunk, batched
from adaptml.importing.dialect import (
    MAX_FIELD_CHARS,
    delimiter_of,
    described,
    encoding_of,
    opened_text,
    reader_of,
)


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
        self._delimiter = delimiter_of(path, self._encoding, delimiter)
        kind = "TSV" if self._delimiter == "\t" else "CSV"
        self.said = f"{kind}, {described(self._encoding, self._delimiter)}"
        header = next(self._rows(), [])
        if not header:
            raise FrameError(f"{path} is empty; expected a first line with the columns' names, then rows")
        self.columns = distinct(header)

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
        with opened_text(self.path, self._encoding) as text:
            reader = reader_of(text, self._delimiter)
            try:
                yield from reader
            except csv.Error as error:
                raise FrameError(self._broken(error, reader.line_num)) from error  # type: ignore[attr-defined]

    def _broken(self, error: csv.Error, line: int) -> str:
        reason = one_line(error)
        if "field larger" in reason:
            reason = f"a value of over {MAX_FIELD_CHARS:,} characters"
        elif "unexpected end" in reason:
            reason = "a quotation mark that is opened is not closed"
        return (
            f"{self.path} cannot be read at line {line}: {reason}; expected values that hold a delimiter, "
            'a quotation mark or a line break in "…", with "" for a quotation mark in them'
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

    def _line_of(self, place: int) -> int:
        """The line on which the row of that place, counted from 0 below the header, begins."""
        with opened_text(self.path, self._encoding) as text:
            reader = reader_of(text, self._delimiter)
            next(reader)
            line = reader.line_num + 1  # type: ignore[attr-defined]
            for row in reader:
                place -= bool(row)
                if place < 0:
                    break
                line = reader.line_num + 1  # type: ignore[attr-defined]
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
