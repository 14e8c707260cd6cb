"""What a task's labelling functions have voted already, and keeping what they vote now."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import RLock
from types import TracebackType
from typing import Self
from urllib.parse import quote

import numpy as np
import numpy.typing as npt
from snorkel.labeling import LabelingFunction

from adaptml.database import StoredRows
from adaptml.database.cell_forms import UnknownCellError
from adaptml.errors import FileError
from adaptml.tasks import Labels
from dataprogramming.fingerprints import Fingerprint, fingerprints
from dataprogramming.row_hashes import Hashes, row_hashes
from dataprogramming.vote_store import (
    SEGMENT_ROWS,
    UNKNOWN,
    CastVotes,
    Places,
    VoteStore,
    evict,
    is_of_another_format,
    remove_store,
    stored_bytes,
)

MOST_BYTES = 2 << 30  # of all kept votes of a project
CHANGED = "it changed something of its own while it voted, so a vote may depend on the rows before"


@dataclass(frozen=True)
class Reuse:
    """How much of a label matrix was there already.

    Attributes:
        kept: votes that were taken from the store.
        computed: votes that were computed.
        uncertain: name of a labelling function that is computed anew each time → why.
        problems: what is wrong with the store, one sentence each; votes are right all the same.
        n_bytes: size of all kept votes of the project.
    """

    kept: int
    computed: int
    uncertain: Mapping[str, str]
    problems: Sequence[str]
    n_bytes: int

    def lines(self) -> list[str]:
        """All that, one sentence each."""
        size = f"{self.n_bytes / 1e6:,.1f} MB"
        return [
            f"{self.kept:,} kept from before, {self.computed:,} computed; all that are kept take {size}",
            *(f"{name} is computed anew each time: {why}" for name, why in self.uncertain.items()),
            *self.problems,
        ]


@dataclass(eq=False)
class Chunk:
    """Votes on the rows of a chunk, as they become known.

    Attributes:
        rows: the r rows.
        votes: int8 (r, m), UNKNOWN where a vote has to be computed.
        hashes: of the rows; None where they cannot be told apart.
        places: of the rows in the store, -1 for new ones.
        new: which votes were computed, bool (r, m).
        n_new: how many of each labelling function's, int64 (m,).
    """

    rows: StoredRows
    votes: CastVotes
    hashes: Hashes | None
    places: Places
    new: npt.NDArray[np.bool_] = field(init=False)
    n_new: npt.NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        self.new = self.votes == UNKNOWN
        self.n_new = self.new.sum(axis=0)

    def missing(self) -> list[tuple[npt.NDArray[np.int64], list[int]]]:
        """What has to be computed: rows, and the labelling functions of which just these are missing."""
        patterns: dict[bytes, list[int]] = {}
        for j in np.flatnonzero(self.n_new):
            patterns.setdefault(np.packbits(self.new[:, j]).tobytes(), []).append(int(j))
        return [(np.flatnonzero(self.new[:, numbers[0]]), numbers) for numbers in patterns.values()]


class KeptVotes:
    """The votes of a task's labelling functions, looked up and kept while a block lasts."""

    def __init__(
        self,
        folder: Path,
        lfs: Sequence[LabelingFunction],
        labels: Labels,
        task_folder: Path | None,
        *,
        fresh: bool = False,
    ) -> None:
        """Tell the labelling functions apart; nothing is read yet.

        Args:
            folder: of the task's stores, one a table.
            lfs: the m labelling functions, as they were loaded.
            labels: the task's classes.
            task_folder: the task's folder, or None.
            fresh: look nothing up, and keep what is computed.
        """
        self.folder, self.fresh = folder, fresh
        self._lfs, self._labels, self._task_folder = lfs, labels, task_folder
        self._prints = fingerprints(lfs, labels, task_folder)
        self._problems: dict[str, None] = {}
        self._kept = self._computed = 0
        self._tables: dict[str, _Table] = {}
        self._lock = RLock()  # processes at work are given chunks in other threads

    @property
    def certain(self) -> bool:
        """Whether every vote can be kept, and is looked up."""
        return not self.fresh and all(print_.digest is not None for print_ in self._prints)

    @property
    def prints(self) -> Sequence[Fingerprint]:
        """Fingerprints of the labelling functions."""
        return self._prints

    def reuse(self) -> Reuse:
        """How much was there already, so far."""
        n_bytes = stored_bytes(self.folder.parent)
        return Reuse(self._kept, self._computed, self._uncertain(), list(self._problems), n_bytes)

    def _uncertain(self) -> dict[str, str]:
        """Name of a labelling function that is computed anew each time → why."""
        return {
            lf.name: print_.reason
            for lf, print_ in zip(self._lfs, self._prints, strict=True)
            if print_.digest is None
        }

    @property
    def counts(self) -> tuple[int, int]:
        """Votes that were taken from the store, and that were computed, so far."""
        return self._kept, self._computed

    def reuse_since(self, before: tuple[int, int]) -> Reuse:
        """What `reuse` says of what came after some `counts`; the size of the store is not looked at."""
        kept, computed = self.counts
        return Reuse(kept - before[0], computed - before[1], self._uncertain(), list(self._problems), 0)

    def add(self, reuse: Reuse) -> None:
        """Count what another process looked up and kept."""
        self._kept, self._computed = self._kept + reuse.kept, self._computed + reuse.computed
        self._problems |= dict.fromkeys(reuse.problems)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Keep what was computed, also where a labelling function has failed in the end."""
        try:
            self.flush()
        finally:
            self._tables = {}

    def flush(self) -> None:
        """Write what waits; what was looked up stays at hand."""
        with self._lock:
            for table in self._tables.values():
                self._flush(table)

    def look_up(self, rows: StoredRows) -> Chunk:
        """What is known of the votes on some rows."""
        with self._lock:
            try:
                hashes = row_hashes(rows)
            except UnknownCellError as error:
                self._say(f"votes on table {rows.table!r} are computed anew each time: {error}")
                unknown = np.full((len(rows), len(self._lfs)), UNKNOWN, np.int8)
                return Chunk(rows, unknown, None, np.full(len(rows), -1))
            return self.look_up_hashed(rows, hashes)

    def look_up_hashed(self, rows: StoredRows, hashes: Hashes) -> Chunk:
        """What is known of the votes on some rows (r,) with these hashes; their cells are not looked at."""
        with self._lock:
            store = self._table(rows.table).store
            places = store.places(hashes)
            digests = [None if self.fresh else print_.digest for print_ in self._prints]
            return Chunk(rows, store.votes(digests, places), hashes, places)

    def keep(self, chunk: Chunk) -> None:
        """Take over the votes of a chunk that were computed; they are written a segment at a time."""
        with self._lock:
            computed = int(chunk.n_new.sum())
            self._computed += computed
            self._kept += chunk.new.size - computed
            if chunk.hashes is not None:
                table = self._table(chunk.rows.table)
                table.take(chunk)
                if table.n_waiting >= SEGMENT_ROWS:
                    self._flush(table)

    def tidy(self, whole: Collection[str]) -> None:
        """Drop votes on rows that are gone, where a whole table was read, and what does not fit.

        Args:
            whole: tables of which every row was looked up.
        """
        with self._lock:
            try:
                for name, table in self._tables.items():
                    self._flush(table)
                    table.store.tidy(table.used if name in whole else None)
            except FileError as error:
                self.cannot_keep(error)
            evict(self.folder.parent, MOST_BYTES)

    def store_folder(self, table: str) -> Path:
        """Where the votes on a table are kept."""
        return self.folder / quote(table, safe="")

    def cannot_keep(self, error: FileError) -> None:
        """Tell that something could not be written, which costs time at the next run."""
        self._say(f"{error}; these are computed again the next time")

    def _table(self, name: str) -> "_Table":
        if name not in self._tables:
            folder = self.store_folder(name)
            if is_of_another_format(folder):
                self._say(f"the votes kept in {folder} are of another version: all are computed anew")
                remove_store(folder)
            self._tables[name] = _Table(VoteStore(folder))
        return self._tables[name]

    def _flush(self, table: "_Table") -> None:
        """Write what waits; a full disk costs time at the next run, not this run's votes."""
        if not table.n_waiting:
            return
        self._drop_changed()
        try:
            table.write([print_.digest for print_ in self._prints])
        except FileError as error:
            self.cannot_keep(error)
        table.forget()

    def _say(self, problem: str) -> None:
        """Tell a problem, once."""
        self._problems[problem] = None

    def _drop_changed(self) -> None:
        """A labelling function that is another one after it has voted keeps something in mind."""
        now = fingerprints(self._lfs, self._labels, self._task_folder)
        self._prints = [
            before if before.digest in (after.digest, None) else Fingerprint(None, CHANGED)
            for before, after in zip(self._prints, now, strict=True)
        ]


class _Table:
    """One table's store, and what waits to be written."""

    def __init__(self, store: VoteStore) -> None:
        self.store = store
        self.used = np.zeros(len(store), dtype=bool)
        self.forget()

    def forget(self) -> None:
        """Nothing waits."""
        self._new: list[tuple[Hashes, CastVotes]] = []
        self._known: list[tuple[Places, Places, CastVotes]] = []
        self.n_waiting = 0

    def take(self, chunk: Chunk) -> None:
        """Let the computed votes of a chunk wait."""
        is_new = chunk.places < 0
        self.used[chunk.places[~is_new]] = True
        if chunk.hashes is not None and is_new.any():
            self._new.append((chunk.hashes[is_new], chunk.votes[is_new]))
            self.n_waiting += int(is_new.sum())
        numbers = np.flatnonzero(chunk.n_new > is_new.sum())  # of a new row all are
        if len(numbers):
            again = ~is_new
            self._known.append((chunk.places[again], numbers, chunk.votes[np.ix_(again, numbers)]))
            self.n_waiting += int(again.sum())

    def write(self, digests: Sequence[str | None]) -> None:
        """Write what waits; labelling functions without a digest are left out.

        Raises:
            FileError: it cannot be written.
        """
        certain = {digest: j for j, digest in enumerate(digests) if digest is not None}
        if self._new and certain:
            hashes = np.concatenate([hashes for hashes, _ in self._new])
            votes = np.concatenate([votes for _, votes in self._new])
            self.store.add(hashes, {digest: votes[:, j] for digest, j in certain.items()})
        for digest, j in certain.items():
            parts = [(p, votes[:, numbers == j].ravel()) for p, numbers, votes in self._known if j in numbers]
            if parts:
                places, cast = map(np.concatenate, zip(*parts, strict=True))
                self.store.put(digest, places, cast)
