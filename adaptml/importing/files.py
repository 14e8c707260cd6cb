"""From the files that somebody names to what rows are read from."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adaptml.errors import FrameError
from adaptml.importing import arrays
from adaptml.importing.chunks import Source
from adaptml.importing.columnar import Columnar
from adaptml.importing.delimited import Delimited
from adaptml.importing.excel import Excel
from adaptml.importing.folder import Folder
from adaptml.importing.json_files import JsonFile


@dataclass(frozen=True)
class How:
    """How files are to be read, where it is not to be found out.

    Attributes:
        encoding: of text files.
        delimiter: of CSV files.
        sheet: of Excel files.
        media: the folder whose files annotators are shown, and encoders read.
    """

    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None
    media: Path = Path("media")


def _delimited(path: Path, how: How) -> Source:
    return Delimited(path, how.encoding, how.delimiter)


def _json(path: Path, how: How) -> Source:
    return JsonFile(path, how.encoding)


def _columnar(path: Path, _how: How) -> Source:
    return Columnar(path)


def _excel(path: Path, how: How) -> Source:
    return Excel(path, how.sheet)


_TEXTS: dict[str, Callable[[Path, How], Source]] = {
    **dict.fromkeys((".csv", ".tsv", ".tab", ".txt"), _delimited),
    **dict.fromkeys((".json", ".jsonl", ".ndjson"), _json),
}
# End of a file's name → what reads it; texts also before .gz.
READERS = _TEXTS | {
    **dict.fromkeys((".parquet", ".pq", ".arrow", ".feather", ".ipc"), _columnar),
    **dict.fromkeys((".xlsx", ".xlsm"), _excel),
}


def open_source(path: Path, how: How) -> Source:
    """What the rows of one file or folder are read from, by the end of its name.

    Raises:
        FrameError: no such file, another format, or a file that cannot be read.
    """
    if path.is_dir():
        return Folder(path, how.media)
    if not path.is_file():
        raise FrameError(
            f"no file {path}; expected a file of rows ({', '.join(READERS)}): see how it is spelt"
        )
    reader = _reader(path)
    return reader(path, how)


def check_kind(name: str) -> None:
    """Refuse a file by the end of its name.

    Args:
        name: of a file, which need not be there.

    Raises:
        FrameError: it ends otherwise than files of rows do.
    """
    _reader(Path(name))


def _reader(path: Path) -> Callable[[Path, How], Source]:
    packed = path.suffix.lower() == ".gz"
    suffix = Path(path.stem).suffix.lower() if packed else path.suffix.lower()
    reader = (_TEXTS if packed else READERS).get(suffix)
    if reader is None:
        expected = f"{', '.join(_TEXTS)} before .gz" if packed else ", ".join(READERS)
        raise FrameError(f"{path} ends in {suffix or 'nothing'!r}; expected {expected}: convert or rename it")
    return reader


def read_rows(path: Path) -> dict[str, list[Any]]:
    """All rows of one file in memory: name of a column → its values.

    Raises:
        FrameError: as `open_source`.
    """
    source = open_source(path, How())
    columns: dict[str, list[Any]] = {name: [] for name in source.columns or ()}
    done = 0
    for chunk in source.chunks():
        for name in columns.keys() | chunk.columns.keys():
            values = columns.setdefault(name, [None] * done)
            values.extend(chunk.columns.get(name, [None] * chunk.rows))
        done += chunk.rows
    return columns


def open_sources(paths: Sequence[Path], how: How) -> list[Source]:
    """What the rows of several files of the same columns are read from, with the arrays that lie beside them.

    Raises:
        FrameError: as `open_source`; arrays without a table.
    """
    beside = [path for path in paths if path.suffix.lower() in arrays.SUFFIXES]
    missing = [path for path in beside if not path.is_file()]
    tables = [path for path in paths if path not in beside]
    if missing or not tables:
        what = (
            f"no file {missing[0]}"
            if missing
            else f"{beside[0]} alone names no rows"
            if beside
            else "no files"
        )
        raise FrameError(f"{what}; expected such as: adaptml import posts.csv vectors.npy posts")
    sources = [open_source(path, how) for path in tables]
    return [arrays.Beside(sources, beside)] if beside else sources
