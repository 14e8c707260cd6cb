"""How a text file is written: its encoding, its byte-order mark, and what divides its columns."""

import codecs
import csv
import gzip
import io
import re
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import BinaryIO, TextIO

from adaptml.errors import FrameError, one_line

SAMPLE_BYTES = 1_000_000
SAMPLE_ROWS = 200
MAX_FIELD_CHARS = 2**26  # one value; csv's own limit is 131,072
DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
ONE_COLUMN = "\x1f"  # ASCII's own unit separator, for files that have no delimiter
_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",  # before UTF-16, whose mark it begins with
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
# Encodings that people's files have; charset-normalizer knows many more, and takes them for these at times.
_USUAL = [
    "cp1252",
    "cp1250",
    "cp1251",
    "cp1253",
    "cp1254",
    "cp1255",
    "cp1256",
    "cp1257",
    "cp1258",
    "cp874",
    "iso8859_2",
    "koi8_r",
    "koi8_u",
    "cp932",
    "euc_jp",
    "gb18030",
    "big5",
    "cp949",
    "mac_roman",
]


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """A file's bytes, unpacked where its name ends in .gz.

    Raises:
        FrameError: it cannot be opened or is damaged.
    """
    try:
        with gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb") as file:
            yield file  # type: ignore[misc]
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or one_line(error)
        raise FrameError(f"{path} cannot be read: {reason}; name a whole, readable file") from error


@contextmanager
def opened_text(path: Path, encoding: str) -> Iterator[TextIO]:
    """A file's text, with its line ends as they are.

    Raises:
        FrameError: it cannot be opened, is damaged, or has bytes that the encoding does not.
    """
    with opened(path) as binary, io.TextIOWrapper(binary, encoding, newline="") as text:
        try:
            yield text
        except UnicodeDecodeError as error:
            wrong = " ".join(f"{byte:02x}" for byte in error.object[error.start : error.start + 4])
            raise FrameError(
                f"{path} is not {encoding} throughout: the bytes {wrong} are none of its characters; "
                "name its encoding with --encoding"
            ) from error


def encoding_of(path: Path, given: str | None = None) -> str:
    """The encoding of a file: the given one, that of its byte-order mark, UTF-8, or the likeliest other.

    Raises:
        FrameError: no encoding of that name, or the file cannot be read.
    """
    if given is not None:
        try:
            known = codecs.lookup(given).name
        except LookupError as error:
            raise FrameError(
                f"no encoding {given!r}; expected such as utf-8, utf-16, latin-1 or cp1252"
            ) from error
        return "utf-8-sig" if known == "utf-8" else known
    with opened(path) as file:
        start = file.read(SAMPLE_BYTES)
        for mark, name in _MARKS.items():
            if start.startswith(mark):
                return name
        if b"\0" in start:
            return _of_two_bytes(start)
        wrong = _first_not_utf8(file, start)
    return "utf-8" if wrong is None else _likeliest(wrong)


def _of_two_bytes(start: bytes) -> str:
    """UTF-16 without its mark, where every other byte of Latin text is zero; else UTF-8, zeros and all."""
    even, odd = start[::2].count(0), start[1::2].count(0)
    if max(even, odd) * 4 < len(start) // 2:
        return "utf-8"
    return "utf-16-le" if odd > even else "utf-16-be"


def _first_not_utf8(file: BinaryIO, start: bytes) -> bytes | None:
    """The first block of a file that is not UTF-8; None where all of it is."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    block = start
    while block:
        try:
            decoder.decode(block)
        except UnicodeDecodeError:
            return block
        block = file.read(SAMPLE_BYTES)
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return start
    return None


def _likeliest(block: bytes) -> str:
    """The likeliest encoding of bytes that are not UTF-8; cp1252 where it is as likely as another."""
    from charset_normalizer import from_bytes

    matches = from_bytes(block, cp_isolation=list(_USUAL))
    best = matches.best()
    if best is None:
        return "latin-1"
    as_likely = [m for m in matches if (m.chaos, m.coherence) == (best.chaos, best.coherence)]
    western = any("cp1252" in match.could_be_from_charset for match in as_likely)
    return "cp1252" if western else best.encoding


def reader_of(text: TextIO, delimiter: str) -> Iterator[list[str]]:
    """The rows of a delimited text; `csv.reader`, strict about quotes."""
    csv.field_size_limit(MAX_FIELD_CHARS)
    return csv.reader(text, delimiter=delimiter, strict=True)


def delimiter_of(path: Path, encoding: str, given: str | None = None) -> str:
    """What divides the columns: the given character, or that with which most rows are as long as the first.

    Raises:
        FrameError: more than one character is given.
    """
    if given is not None:
        named = {name: character for character, name in DELIMITERS.items()} | {"\\t": "\t"}
        character = named.get(given, given)
        if len(character) != 1 or character in '"\r\n':
            raise FrameError(f"delimiter {given!r} is not one character; expected such as , ; | or tab")
        return character
    scores = {candidate: _score(path, encoding, candidate) for candidate in DELIMITERS}
    best = max(scores, key=lambda candidate: scores[candidate])
    return best if scores[best][1] > 1 else ONE_COLUMN


def declared_delimiter(path: Path, encoding: str) -> str | None:
    """The delimiter of a first line such as `sep=;`, as Excel writes it; None where there is none."""
    with opened_text(path, encoding) as text:
        found = re.fullmatch("sep=(.)", text.readline(20).rstrip("\r\n"))
    return found[1] if found else None


def _score(path: Path, encoding: str, delimiter: str) -> tuple[float, int]:
    """The share of the first rows that have as many values as the first row, and that number."""
    lengths: Counter[int] = Counter()
    width = 0
    with opened_text(path, encoding) as text:
        try:
            for row in islice(reader_of(text, delimiter), SAMPLE_ROWS):
                width = width or len(row)
                lengths[len(row)] += 1
        except csv.Error:
            lengths[-1] += 1
    lengths.pop(0, None)  # empty lines
    share = lengths[width] / lengths.total() if width > 1 else 0.0
    return share, width


def described(encoding: str, delimiter: str | None = None) -> str:
    """An encoding and a delimiter in words.

    >>> described("utf-8", ";")
    'UTF-8, semicolon'
    """
    said = {"utf-8-sig": "UTF-8", "utf-8": "UTF-8", "utf-16": "UTF-16"}.get(encoding, encoding)
    if delimiter is None:
        return said
    named = "one column" if delimiter == ONE_COLUMN else DELIMITERS.get(delimiter, repr(delimiter))
    return f"{said}, {named}"
