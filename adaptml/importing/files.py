"""From the files that somebody names to what rows are read from."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from adaptml.errors import FrameError
from adaptml.importing.chunks import Source
from adaptml.importing.delimited import Delimited


@dataclass(frozen=True)
class How:
    """How files are to be read, where it is not to be found out.

    Attributes:
        encoding: of text files.
        delimiter: of CSV files.
        sheet: of Excel files.
    """

    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None


def _delimited(path: Path, how: How) -> Source:
    return Delimited(path, how.encoding, how.delimiter)


_READERS: dict[str, Callable[[Path, How], Source]] = {
    ".csv": _delimited,
    ".tsv": _delimited,
    ".tab": _delimited,
    ".txt": _delimited,
}


def open_source(path: Path, how: How) -> Source:
    """What the rows of one file are read from, by the end of its name.

    Raises:
        FrameError: no such file, another format, or a file that cannot be read.
    """
    if not path.exists():
        raise FrameError(f"no file {path}; expected a file of rows ({_known()}): see how it is spelt")
    suffix = next((s.lower() for s in reversed(path.suffixes) if s.lower() != ".gz"), "")
    reader = _READERS.get(suffix)
    if reader is None:
        raise FrameError(
            f"{path} ends in {suffix or 'nothing'!r}; expected {_known()}: convert it or rename it"
        )
    return reader(path, how)


def _known() -> str:
    return ", ".join(_READERS)


def open_sources(paths: Sequence[Path], how: How) -> list[Source]:
    """What the rows of several files of the same columns are read from.

    Raises:
        FrameError: as `open_source`.
    """
    return [open_source(path, how) for path in paths]
