"""What a job prints: no colours, controls or secrets, in a file that keeps its beginning and end."""

import codecs
import os
import re
from pathlib import Path

from adaptml.masking import masked

HEAD_BYTES = TAIL_BYTES = 2**20
MAX_LINE_CHARS = 8_000
# Escape sequences of terminals: CSI, OSC, and the two-character ones.
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class Lines:
    """Bytes of a pipe into clean text, whole lines at a time."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""

    def take(self, data: bytes, *, end: bool = False) -> str:
        """The lines that are complete now; with `end`, whatever is left too."""
        text = self._rest + self._decoder.decode(data, end)
        whole, newline, self._rest = text.rpartition("\n")
        if end or len(self._rest) > MAX_LINE_CHARS:
            whole, newline, self._rest = whole + newline + self._rest, "", ""
        return masked(clean(whole + newline))


def clean(text: str) -> str:
    """Text without escape sequences; a line that was drawn over itself becomes lines."""
    text = _ESCAPES.sub("", text).replace("\r\n", "\n").replace("\r", "\n")
    return _CONTROLS.sub("", text)


class Log:
    """A file of at most 2 MB and a line; a place in it is counted in bytes of all that was ever written.

    Attributes:
        path: the file, for its owner alone.
        cut: how many bytes were left out of its middle.
    """

    def __init__(self, path: Path, cut: int = 0) -> None:
        self.path, self.cut = path, cut

    def add(self, data: bytes) -> None:
        """Append; where the file becomes too long, its middle goes."""
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with open(os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab") as file:  # noqa: PTH123
            file.write(data)
            size = file.tell()
        if size > HEAD_BYTES + 2 * TAIL_BYTES:
            self._cut_middle()

    def _cut_middle(self) -> None:
        whole = self.path.read_bytes()
        self.cut += len(whole) - len(self._mark) - HEAD_BYTES - TAIL_BYTES
        temporary = self.path.with_suffix(".new")
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:  # noqa: PTH123
            file.write(whole[:HEAD_BYTES] + self._mark + whole[-TAIL_BYTES:])
        temporary.replace(self.path)

    @property
    def _mark(self) -> bytes:
        return f"\n… {self.cut:>15,} bytes left out …\n".encode() if self.cut else b""

    @property
    def size(self) -> int:
        """Bytes ever written."""
        return self.path.stat().st_size - len(self._mark) + self.cut if self.path.exists() else 0

    def read(self, after: int = 0, most: int = 2 * HEAD_BYTES) -> tuple[str, int]:
        """What was written after a place.

        Args:
            after: the place; 0 is the beginning.
            most: bytes to read at once.

        Returns:
            The text, and the place behind it. In the middle that was left out it is the line that says so.
        """
        if not self.path.exists():
            return "", after
        tail = HEAD_BYTES + self.cut
        if self.cut and HEAD_BYTES <= after < tail:
            return self._mark.decode(), tail
        at, most = (
            (after, min(most, HEAD_BYTES - after)) if self.cut and after < HEAD_BYTES else (after, most)
        )
        with self.path.open("rb") as file:
            file.seek(at - self.cut + len(self._mark) if at >= tail else at)
            data = file.read(most)
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        text = decoder.decode(data)
        left = len(decoder.getstate()[0])  # half a character: it comes with the next read
        return (
            (text, after + len(data) - left) if text else (data.decode("utf-8", "replace"), after + len(data))
        )
