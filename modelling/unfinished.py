"""A prediction of many points in parts, so that one that was killed goes on where it stopped."""

import fcntl
import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from adaptml.database.keys import WHOLE, Range
from adaptml.errors import FileError, FrameError
from adaptml.files import replacing, write_text
from adaptml.frames import GONE
from adaptml.leftovers import clear
from adaptml.project import Project

KEPT_S = 7 * 24 * 3600.0  # what is older goes: the data may be others by now
_COMPLETE, _WRITTEN = "complete.json", "written.json"


@dataclass(frozen=True)
class Unfinished:
    """The parts of one prediction, in a folder of their own: Parquet files in the order of the points.

    Attributes:
        folder: where they lie.
    """

    folder: Path

    @property
    def files(self) -> list[Path]:
        """The parts, in their order."""
        return sorted(self.folder.glob("*.parquet"))

    def add(self, table: pa.Table) -> None:
        """One more part, whole or not at all.

        Raises:
            FileError: the disk is full.
        """
        with replacing(self.folder / f"{len(self.files):09d}.parquet") as temporary:
            pq.write_table(table, temporary)

    def rows(self) -> int:
        """How many points are predicted."""
        return sum(pq.read_metadata(file).num_rows for file in self.files)

    def last(self) -> pa.Table | None:
        """The last part; None where there is none."""
        files = self.files
        return pq.read_table(files[-1]) if files else None

    def tables(self) -> Iterator[pa.Table]:
        """All parts, one after the other."""
        return (pq.read_table(file) for file in self.files)

    def begin_anew(self) -> None:
        """Forget all parts."""
        for path in self.folder.iterdir():
            path.unlink()

    def complete(self, path: Path, facts: Mapping[str, Any]) -> None:
        """The predictions are together in a file: their parts go, and what is told of them stays."""
        write_text(json.dumps({"path": str(path), **facts}), self.folder / _COMPLETE)
        for file in self.files:
            file.unlink()

    def completed(self) -> dict[str, Any] | None:
        """What `complete` was told; None where it was not, or where the file is gone."""
        with suppress(OSError, ValueError):
            said: dict[str, Any] = json.loads((self.folder / _COMPLETE).read_text(encoding="utf-8"))
            if Path(said["path"]).is_file():
                return said
        return None

    @property
    def written(self) -> tuple[int, int]:
        """How many points are stored in the database too, and how many of them were new there."""
        with suppress(OSError, ValueError):
            rows, new = json.loads((self.folder / _WRITTEN).read_text(encoding="utf-8"))
            return int(rows), int(new)
        return 0, 0

    def note_written(self, rows: int, new: int) -> None:
        """So many points are stored, and so many of them were new."""
        write_text(json.dumps([rows, new]), self.folder / _WRITTEN)


@contextmanager
def unfinished(parent: Path, said: Mapping[str, Any]) -> Iterator[Unfinished]:
    """The parts that a prediction left that was killed, or none, for this process alone.

    They go when the block ends well, and stay where it fails and there are any.

    Args:
        parent: where the folder of the parts is.
        said: all that makes it this prediction and no other; plain values.

    Raises:
        FileError: the folder cannot be written.
    """
    key = sha256(json.dumps(dict(said), sort_keys=True).encode()).hexdigest()[:12]
    try:
        clear(old for old in parent.glob(".*.unfinished") if time.time() - old.stat().st_mtime > KEPT_S)
        folder, handle = _taken(parent, key)
    except OSError as error:
        reason = error.strerror or error
        raise FileError(
            f"{parent} cannot be written: {reason}; free space, or see who may write there"
        ) from error
    parts = Unfinished(folder)
    try:
        yield parts
        shutil.rmtree(folder)
    finally:
        with suppress(OSError):
            folder.rmdir()  # where nothing is in it
        os.close(handle)


def _taken(parent: Path, key: str) -> tuple[Path, int]:
    """A folder that no living process works in, and its lock; of two that do the same, each has its own."""
    for number in count(1):
        folder = parent / f".{key}-{number}.unfinished"
        folder.mkdir(parents=True, exist_ok=True)
        try:
            handle = os.open(folder, os.O_RDONLY)
        except FileNotFoundError:  # another one just finished
            return _taken(parent, key)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            continue
        if folder.exists() and folder.stat().st_ino == os.fstat(handle).st_ino:
            return folder, handle
        os.close(handle)
        return _taken(parent, key)
    raise AssertionError  # there is always a next number


class Wanted:
    """The points to predict, in their order: all rows of a table, of which no list is made, or a frame's."""

    def __init__(self, project: Project, table: str, frame: pd.DataFrame | None) -> None:
        """All rows of a table or, where one is given, the points of a frame.

        Raises:
            FrameError: the table has no row.
        """
        self._database, self._table, self._frame = project.database, table.strip(), frame
        if frame is None and not len(self):
            raise FrameError(f"{table} holds no data point to work on; name other data")

    def __len__(self) -> int:
        """How many they are."""
        return self._database.count(self._table) if self._frame is None else len(self._frame)

    @property
    def gone(self) -> int:
        """How many more were named that are gone from their tables."""
        return 0 if self._frame is None else int(self._frame.attrs.get(GONE, 0))

    def after(self, parts: Unfinished, rows: int) -> Iterator[tuple[list[str], list[str]]]:
        """Tables and ids of those that the parts do not hold yet, so many at a time at most."""
        frame = self._frame
        if frame is not None:
            for start in range(parts.rows(), len(frame), rows):
                chunk = frame[start : start + rows]
                yield chunk["table_name"].tolist(), chunk["id"].tolist()
            return
        last = parts.last()
        rest = WHOLE if last is None else Range(last["id"][-1].as_py(), None)
        for found in self._database.scan_stored(self._table, [], chunk_rows=rows, within=rest):
            yield [self._table] * len(found), list(found.ids)
