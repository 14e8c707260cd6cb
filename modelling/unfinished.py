"""A prediction of many points in parts, so that one that was killed goes on where it stopped.

A part is a file of predictions; where workers write these into a staged table, and no file is wanted, what is
kept of all parts is how many points and of which classes they are.
"""

import fcntl
import json
import os
import shutil
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from adaptml.database import Database
from adaptml.database.keys import WHOLE, Range
from adaptml.database.splitting import split
from adaptml.database.staging import drop_stage, make_stage, new_stage
from adaptml.errors import DatabaseError, FileError, FrameError
from adaptml.files import replacing, write_text
from adaptml.frames import GONE
from adaptml.leftovers import clear
from adaptml.project import Project
from adaptml.tasks import Task

Points = tuple[list[str], list[str]]  # table names and ids
KEPT_S = 7 * 24 * 3600.0  # what is older goes: the data may be others by now
_COMPLETE, _WRITTEN, _STAGED = "complete.json", "written.json", "staged.json"


@dataclass(frozen=True)
class Done:
    """How far a prediction is.

    Attributes:
        rows: how many points are predicted.
        last: id of the last of them.
        counts: class → how many of them it was predicted for.
        ways: of a model that takes votes, where they came from → of how many points.
    """

    rows: int = 0
    last: str | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    ways: Mapping[str, int] = field(default_factory=dict)

    def and_then(self, more: "Done") -> "Done":
        """The same after some more points."""
        counts, ways = Counter(self.counts), Counter(self.ways)
        counts.update(more.counts)
        ways.update(more.ways)
        last = self.last if more.last is None else more.last
        return Done(self.rows + more.rows, last, dict(counts), dict(ways))


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
        noted = self.noted()
        return sum(pq.read_metadata(file).num_rows for file in self.files) if noted is None else noted.rows

    def last(self) -> str | None:
        """Id of the last point that is predicted; None where there is none."""
        noted, files = self.noted(), self.files
        if noted is not None:
            return noted.last
        return pq.read_table(files[-1], columns=["id"])["id"][-1].as_py() if files else None

    def note(self, stage: str, done: Done | None) -> None:
        """So far it is in a staged table; None where there are files of it, which say so themselves."""
        said = {"stage": stage, "done": None if done is None else asdict(done)}
        write_text(json.dumps(said), self.folder / _STAGED)

    def noted(self) -> Done | None:
        """What `note` was told last of how far it is."""
        said = (self._said(_STAGED) or {}).get("done")
        return None if said is None else Done(**said)

    @property
    def stage(self) -> str | None:
        """Name of the table in which workers stage what they predict; None where they do not."""
        said = self._said(_STAGED)
        return None if said is None else str(said["stage"])

    def staged(self, project: Project, task: Task) -> str:
        """The same, made if there is none; it is noted first, so that there is none that nobody knows of."""
        stage = self.stage
        if stage is None:
            self.begin_anew()  # parts that are not in the table would be missing there
            stage = new_stage()
            self.note(stage, None)
            make_stage(project.results, task, stage)
        return stage

    def tables(self) -> Iterator[pa.Table]:
        """All parts, one after the other."""
        return (pq.read_table(file) for file in self.files)

    def begin_anew(self) -> None:
        """Forget all parts."""
        for path in self.folder.iterdir():
            path.unlink()

    def complete(self, path: Path | None, facts: Mapping[str, Any]) -> None:
        """All predictions are there, in a file or staged: their parts go, and what is told of them stays."""
        said = {"path": None if path is None else str(path), **facts}
        write_text(json.dumps(said), self.folder / _COMPLETE)
        for file in self.files:
            file.unlink()

    def completed(self) -> dict[str, Any] | None:
        """What `complete` was told; None where it was not, or where the file is gone."""
        said: dict[str, Any] | None = self._said(_COMPLETE)
        return said if said and (said["path"] is None or Path(said["path"]).is_file()) else None

    @property
    def written(self) -> tuple[int, int]:
        """How many points are stored in the database too, and how many of them were new there."""
        rows, new = self._said(_WRITTEN) or (0, 0)
        return int(rows), int(new)

    def note_written(self, rows: int, new: int) -> None:
        """So many points are stored, and so many of them were new."""
        write_text(json.dumps([rows, new]), self.folder / _WRITTEN)

    def _said(self, name: str) -> Any:
        """What a file of the folder holds; None where there is none, or not all of it."""
        with suppress(OSError, ValueError):
            return json.loads((self.folder / name).read_text(encoding="utf-8"))
        return None


@contextmanager
def unfinished(project: Project, said: Mapping[str, Any]) -> Iterator[Unfinished]:
    """The parts that a prediction left that was killed, or none, for this process alone.

    They go when the block ends well, and stay where it fails and there are any.

    Args:
        project: in whose home folder they are.
        said: all that makes it this prediction and no other; plain values.

    Raises:
        FileError: the folder cannot be written.
    """
    key = sha256(json.dumps(dict(said), sort_keys=True).encode()).hexdigest()[:12]
    parent = project.settings.home / "predictions"
    try:
        _clear_old(project, parent)
        folder, handle = _taken(parent, key)
    except OSError as error:
        reason = error.strerror or error
        raise FileError(
            f"{parent} cannot be written: {reason}; free space, or see who may write there"
        ) from error
    parts = Unfinished(folder)
    try:
        with _stage_of(project, parts):
            yield parts
        shutil.rmtree(folder)
    finally:
        with suppress(OSError):
            folder.rmdir()  # where nothing is in it
        os.close(handle)


@contextmanager
def _stage_of(project: Project, parts: Unfinished) -> Iterator[None]:
    """A block after which the staged table goes, unless it fails and there is something in it."""
    if parts.stage is not None and not any(parts.written) and not project.results.has_table(parts.stage):
        parts.begin_anew()  # `forget` has removed it, or it is another database
    try:
        yield
    except BaseException:
        if parts.stage is not None and not parts.rows() and parts.completed() is None:
            with suppress(DatabaseError):  # what is wrong is being said; it goes when it is old
                drop_stage(project.results, parts.stage)
                parts.begin_anew()
        raise
    if parts.stage is not None:
        drop_stage(project.results, parts.stage)


def _clear_old(project: Project, parent: Path) -> None:
    """Remove what is old, and the staged tables of it."""
    old = []
    for path in parent.glob(".*.unfinished"):
        with suppress(FileNotFoundError):  # another one just finished
            if time.time() - path.stat().st_mtime > KEPT_S:
                old.append(path)
    stages = {path: Unfinished(path).stage for path in old}
    clear(old)
    for path, stage in stages.items():
        if stage is not None and not path.exists():
            drop_stage(project.results, stage)


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

    @property
    def table(self) -> str | None:
        """The table of which they are all rows; None where they are a frame's."""
        return self._table if self._frame is None else None

    def after(self, parts: Unfinished, rows: int) -> Iterator[Points]:
        """Tables and ids of those that the parts do not hold yet, so many at a time at most."""
        if self._frame is None:
            return points_of_range(self._database, self._table, self._rest(parts), rows)
        return self._of_frame(self._frame, parts.rows(), rows)

    def chunks_after(self, parts: Unfinished, rows: int) -> Iterator[Sequence[Any]]:
        """The same for workers, which read the ids of a table themselves: of one, low and high of ranges."""
        if self._frame is None:
            return map(list, split(self._database, self._table, rows, self._rest(parts)))
        return self._of_frame(self._frame, parts.rows(), rows)

    @staticmethod
    def _rest(parts: Unfinished) -> Range:
        last = parts.last()
        return WHOLE if last is None else Range(last, None)

    @staticmethod
    def _of_frame(frame: pd.DataFrame, start: int, rows: int) -> Iterator[Points]:
        for first in range(start, len(frame), rows):
            chunk = frame[first : first + rows]
            yield chunk["table_name"].tolist(), chunk["id"].tolist()


def points_of_range(database: Database, table: str, within: Range, rows: int) -> Iterator[Points]:
    """Tables and ids of the rows of a range, so many at a time at most."""
    for found in database.scan_stored(table, [], chunk_rows=rows, within=within):
        yield [table] * len(found), list(found.ids)
