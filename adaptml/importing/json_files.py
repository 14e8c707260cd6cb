"""JSON and JSON Lines: an array of objects, or one object after the other; also packed with gzip."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from adaptml.errors import FrameError, listed
from adaptml.importing.chunks import Chunk, batched
from adaptml.importing.dialect import described, encoding_of, opened_text
from adaptml.importing.kinds import shortened
from adaptml.importing.plain import flattened, in_columns

_READ_CHARS = 1_000_000
_GAPS = re.compile(r"[ \t\r\n,]*")
_LONGEST_WORD = 10  # characters of JSON that mean nothing without the last one, such as -Infinity
_EXPECTED = 'expected an object for each row, in an array or one on each line: [{"id": "1", "txt": "…"}, …]'


class JsonFile:
    """A file of objects, which are rows. What is inside an object's objects becomes columns of its own."""

    typed = True
    columns = None

    def __init__(self, path: Path, encoding: str | None = None) -> None:
        """Find out how it is written.

        Raises:
            FrameError: the file cannot be read.
        """
        self.path = path
        self.name = path.name
        self._encoding = encoding_of(path, encoding)
        self._in_array = self._first_character() == "["
        self.said = f"{'JSON' if self._in_array else 'JSON Lines'}, {described(self._encoding)}"

    def _first_character(self) -> str:
        with opened_text(self.path, self._encoding) as text:
            return text.read(_READ_CHARS).lstrip()[:1]

    def chunks(self) -> Iterator[Chunk]:
        """All rows."""
        row = 1
        for found in batched(self._values(), lambda value: value[1]):
            if row == 1 and len(found) == 1:
                self._check_only(found[0][0])
            rows = [self._row(value, row + place) for place, (value, _) in enumerate(found)]
            row += len(rows)
            yield Chunk(len(rows), in_columns(rows))

    def _check_only(self, value: Any) -> None:
        """One object of objects is a table in another form: by column, by key, or with something around."""
        if isinstance(value, dict) and any(
            isinstance(part, list) and part and isinstance(part[0], dict) for part in value.values()
        ):
            raise FrameError(
                f"{self.path} is one object around its rows ({listed(list(value))}); {_EXPECTED}: take out "
                "the array of rows"
            )
        if isinstance(value, dict) and value and all(isinstance(part, dict) for part in value.values()):
            raise FrameError(
                f"{self.path} is one object of objects ({listed(list(value))}); {_EXPECTED}: write it by "
                'row, in pandas with orient="records"'
            )

    def _row(self, value: Any, row: int) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise FrameError(f"{self.path}, row {row:,} is {type(value).__name__}; {_EXPECTED}")
        return flattened(value)

    def _values(self) -> Iterator[tuple[Any, int]]:
        """Every value of the array, or of the file, with the number of its characters."""
        decoder = json.JSONDecoder()
        with opened_text(self.path, self._encoding) as text:
            rest = _Rest(text)
            if self._in_array:
                rest.begins()
                rest.at += 1
            while rest.begins() and not (self._in_array and rest.next == "]"):
                try:
                    value, end = decoder.raw_decode(rest.buffer, rest.at)
                except (ValueError, RecursionError) as error:
                    if _is_cut_off(error, len(rest.buffer)) and rest.more():
                        continue
                    raise self._broken(rest, error) from error
                yield value, end - rest.at
                rest.at = end
            if self._in_array and not rest.next:
                raise self._broken(rest, ValueError("the array is not closed"))

    def _broken(self, rest: "_Rest", error: Exception) -> FrameError:
        shown = shortened(rest.buffer[rest.at : rest.at + 60])
        reason = "nested too deeply" if isinstance(error, RecursionError) else getattr(error, "msg", error)
        return FrameError(f"{self.path} is no JSON at line {rest.line:,}, {shown!r}: {reason}; {_EXPECTED}")


def _is_cut_off(error: Exception, length: int) -> bool:
    """Whether a value may only lack its end, which is still to be read."""
    if not isinstance(error, json.JSONDecodeError):
        return False
    return error.msg.startswith("Unterminated") or error.pos >= length - _LONGEST_WORD


class _Rest:
    """What is still to be read of a text.

    Attributes:
        buffer: a part of it, in memory.
        at: the place in the buffer up to which it was read.
    """

    def __init__(self, text: TextIO) -> None:
        self._text = text
        self._read_chars = _READ_CHARS
        self._lines = 1  # before the buffer
        self.buffer = ""
        self.at = 0

    @property
    def next(self) -> str:
        """The next character; empty at the end."""
        return self.buffer[self.at : self.at + 1]

    @property
    def line(self) -> int:
        """The line on which it goes on."""
        return self._lines + self.buffer.count("\n", 0, self.at)

    def more(self) -> bool:
        """Read on: for the same value each time twice as much, so that a long one is not looked at often."""
        self._read_chars = _READ_CHARS if self.at else 2 * self._read_chars
        self._lines = self.line
        found = self._text.read(self._read_chars)
        self.buffer, self.at = self.buffer[self.at :] + found, 0
        return bool(found)

    def begins(self) -> bool:
        """Go to the next character that is no gap; whether there is one."""
        while True:
            gap = _GAPS.match(self.buffer, self.at)
            self.at = gap.end() if gap else self.at
            if self.next or not self.more():
                return bool(self.next)
