"""Votes on disk, per labelling function and row, so that only what is new or changed is computed.

A store is a folder for one task and table. Rows are known by their hash (`row_hashes`), labelling functions
by their fingerprint; nothing else is asked, so a vote that is found is the vote that would be computed. Rows
lie in segments in the order in which they came, which is mostly that of their ids:

    <segment>/rows.npz        hashes of its rows, uint64 (r,); the segment's name is a hash of them
    <segment>/<digest>.npz    votes of one labelling function on them, int8 (r,), UNKNOWN for no vote yet
    format                    the version of all this

Every file is written beside its place and renamed, and has a checksum (that of zip files): a process that is
killed, or two at once, leave nothing half-written, and what cannot be read is computed anew.
"""

import os
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cached_property, lru_cache
from hashlib import blake2b
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

import numpy as np
import numpy.typing as npt

from adaptml.errors import FileError
from adaptml.files import new_folder, replacing, write_text
from dataprogramming.row_hashes import Hashes

UNKNOWN = -2  # a vote that was not computed yet, or that failed
FORMAT = "1"
SEGMENT_ROWS = 100_000
RUN_ROWS = 1_000  # so many in the order in which they are kept need not be looked up one by one
OTHERS = 0.1  # share of other rows among rows that count as kept in this order
FEW_ROWS = 16
SMALL_SEGMENTS = 8  # so many are merged into one
STALE_S = 3_600.0  # an unfinished folder of this age belongs to no process at work
_FORMAT, _ROWS, _UNFINISHED = "format", "rows", ".unfinished-"
_CACHED_BYTES = 256 << 20
_UNREADABLE = (OSError, ValueError, KeyError, EOFError, BadZipFile)

CastVotes = npt.NDArray[np.int8]
Places = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


class VoteStore:
    """The votes kept for one task and table, as they were when this was made.

    A row that is known has a place: those of the first segment come first. What `add` and `tidy` change is
    seen by the next `VoteStore` of the folder.
    """

    def __init__(self, folder: Path) -> None:
        """Read which rows are known; a folder that is not there knows none.

        Args:
            folder: the store's own.
        """
        self.folder = folder
        found = {
            path.parent.name: _read(path, np.uint64) for path in sorted(folder.glob(f"[!.]*/{_ROWS}.npz"))
        }
        rows = {name: hashes for name, hashes in found.items() if hashes is not None}
        self.segments = list(rows)
        self._starts = np.cumsum([0, *map(len, rows.values())])
        self._hashes = np.concatenate([np.empty(0, np.uint64), *rows.values()])
        self._next = 0  # where the row after the last one that was looked up is kept
        self._cache: dict[tuple[str, str], CastVotes | None] = {}
        self._cached_bytes = 0

    def __len__(self) -> int:
        """Number of rows."""
        return len(self._hashes)

    def places(self, hashes: Hashes) -> Places:
        """Where rows (r,) are: int64 (r,), -1 for one that is not known."""
        places = np.full(len(hashes), -1)
        start = 0
        while start < len(hashes):
            rest = hashes[start:]
            at = self._start(rest[0])
            end = self._starts[np.searchsorted(self._starts, at, side="right")] if at < len(self) else at
            kept = self._hashes[at : min(end, at + len(rest))]
            others = np.flatnonzero(kept != rest[: len(kept)])
            n, few = len(kept), len(others) <= len(kept) * OTHERS  # rows that were changed, in their places
            if not few:
                n, others = int(others[0]), others[:0]
            if n == 0 or (n < RUN_ROWS and not few):  # not in the order in which they were kept
                places[start:] = self._looked_up(rest)
                break
            places[start : start + n] = np.arange(at, at + n)
            places[start + others] = self._looked_up(rest[others])
            self._next = at + n
            start += n
        return places

    def _start(self, hashed: np.uint64) -> int:
        """Where a row is, or where it would be, were it as it was."""
        if self._next < len(self) and self._hashes[self._next] == hashed:
            return self._next
        found = np.flatnonzero(self._hashes == hashed)
        return int(found[0]) if len(found) else self._next

    def _looked_up(self, hashes: Hashes) -> Places:
        if not len(self):
            return np.full(len(hashes), -1)
        if len(hashes) <= FEW_ROWS:  # takes less than sorting
            found = [np.flatnonzero(self._hashes == one)[:1] for one in hashes]
            return np.array([int(at[0]) if len(at) else -1 for at in found], np.int64)
        order, ordered = self._by_hash
        at = np.minimum(np.searchsorted(ordered, hashes), len(self) - 1)
        return np.where(ordered[at] == hashes, order[at], -1)

    @cached_property
    def _by_hash(self) -> tuple[Places, Hashes]:
        """The rows' places in the order of their hashes, and the hashes so."""
        order = np.argsort(self._hashes, kind="stable")
        return order, self._hashes[order]

    def votes(self, digests: Sequence[str | None], places: Places) -> CastVotes:
        """The votes of some labelling functions (m; None for one without a digest) on rows (r,).

        Returns:
            int8 (r, m), UNKNOWN where there is none.
        """
        votes = np.full((len(places), len(digests)), UNKNOWN, np.int8, order="F")
        for segment, rows, inside in self._by_segment(places):
            for j, digest in enumerate(digests):
                kept = None if digest is None else self._column(segment, digest)
                if kept is not None:
                    votes[rows, j] = kept[inside]
        return votes

    def put(self, digest: str, places: Places, votes: CastVotes) -> None:
        """Keep one labelling function's votes on rows (r,) that are known; UNKNOWN ones change nothing.

        Raises:
            FileError: they cannot be written.
        """
        for segment, rows, inside in self._by_segment(places):
            kept = self._column(segment, digest)
            column = np.full(self._size(segment), UNKNOWN, np.int8) if kept is None else kept.copy()
            new = votes[rows]
            column[inside] = np.where(new == UNKNOWN, column[inside], new)
            if kept is None or not np.array_equal(column, kept):
                self._write_column(self.folder / self.segments[segment], digest, column)
                self._remember((self.segments[segment], digest), column)

    def add(self, hashes: Hashes, votes: Mapping[str, CastVotes]) -> None:
        """Keep rows (r,) that are not known, and the votes on them by each labelling function's digest.

        Raises:
            FileError: they cannot be written; nothing is kept then.
        """
        _, first = np.unique(hashes, return_index=True)
        first.sort()
        for start in range(0, len(first), SEGMENT_ROWS):
            rows = first[start : start + SEGMENT_ROWS]
            self._write_segment(hashes[rows], {digest: cast[rows] for digest, cast in votes.items()})

    def tidy(self, used: Mask | None = None) -> None:
        """Merge small segments; remove what processes that ended left unfinished.

        Args:
            used: which rows (n,) the whole table has now. The others are dropped from segments of which they
                are more than half. None where only a part of the table was read.

        Raises:
            FileError: segments cannot be written.
        """
        _remove_unfinished(self.folder)
        used = np.ones(len(self), dtype=bool) if used is None else used
        shares = [used[self._rows_of(s)].mean() for s in range(len(self.segments))]
        stale = [s for s, share in enumerate(shares) if share < 0.5]
        small = [s for s in range(len(self.segments)) if self._size(s) < SEGMENT_ROWS / 2 and s not in stale]
        chosen = sorted(stale + (small if len(small) >= SMALL_SEGMENTS else []))
        if not chosen:
            return
        places = np.concatenate([np.arange(len(self))[self._rows_of(s)] for s in chosen])
        places = places[used[places]]
        names = [self.segments[s] for s in chosen]
        found = {path.stem for name in names for path in (self.folder / name).glob("*.npz")} - {_ROWS}
        digests = sorted(found)
        votes = self.votes(digests, places)
        self.add(self._hashes[places], {digest: votes[:, j] for j, digest in enumerate(digests)})
        for name in names:
            shutil.rmtree(self.folder / name, ignore_errors=True)

    def _size(self, segment: int) -> int:
        return int(self._starts[segment + 1] - self._starts[segment])

    def _rows_of(self, segment: int) -> slice:
        return slice(self._starts[segment], self._starts[segment + 1])

    def _by_segment(self, places: Places) -> Iterator[tuple[int, Places | slice, Places | slice]]:
        """The segments that places are in: which, which of the places, and where in the segment.

        Places one after the other are slices, which numpy copies at once, unless there are too many of them.
        """
        known = places >= 0
        segments = np.searchsorted(self._starts, places, side="right") - 1
        breaks = np.flatnonzero((np.diff(places) != 1) | (np.diff(segments) != 0)) + 1
        if len(breaks) * RUN_ROWS <= len(places):
            for start, end in pairwise([0, *breaks.tolist(), len(places)]):
                if start < end and known[start]:
                    segment = int(segments[start])
                    first = int(places[start] - self._starts[segment])
                    yield segment, slice(start, end), slice(first, first + end - start)
            return
        for segment in np.unique(segments[known]):
            rows = np.flatnonzero(known & (segments == segment))
            yield int(segment), rows, places[rows] - self._starts[segment]

    def _column(self, segment: int, digest: str) -> CastVotes | None:
        key = (self.segments[segment], digest)
        if key not in self._cache:
            path = self.folder / key[0] / f"{digest}.npz"
            column = _read(path, np.int8)
            if column is not None and len(column) != self._size(segment):
                column = None
            if column is not None:
                _touch(path)
            self._remember(key, column)
        return self._cache[key]

    def _remember(self, key: tuple[str, str], column: CastVotes | None) -> None:
        if self._cached_bytes > _CACHED_BYTES:
            self._cache.clear()
            self._cached_bytes = 0
        self._cache[key] = column
        self._cached_bytes += 0 if column is None else column.nbytes

    def _write_segment(self, hashes: Hashes, votes: Mapping[str, CastVotes]) -> None:
        """A segment appears with all its files at once; one that another process wrote meanwhile stays."""
        name = blake2b(hashes.tobytes(), digest_size=8).hexdigest()
        unfinished: Path | None = None
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            if not (self.folder / _FORMAT).is_file():
                write_text(FORMAT, self.folder / _FORMAT)
            unfinished = new_folder(self.folder, _UNFINISHED)
            np.savez(unfinished / f"{_ROWS}.npz", hashes)
            for digest, cast in votes.items():
                np.savez(unfinished / f"{digest}.npz", cast)
            with suppress(FileExistsError):
                _rename(unfinished, self.folder / name)
        except OSError as error:
            raise _cannot_be_kept(self.folder, error) from error
        finally:
            if unfinished is not None:
                shutil.rmtree(unfinished, ignore_errors=True)

    def _write_column(self, segment: Path, digest: str, column: CastVotes) -> None:
        if not segment.is_dir():  # merged by another process meanwhile
            return
        with replacing(segment / f"{digest}.npz") as temporary:
            np.savez(temporary, column)


def as_slice(places: Places) -> Places | slice:
    """Places one after the other as a slice, which numpy copies at once."""
    first, n = int(places[0]), len(places)
    return slice(first, first + n) if (np.diff(places) == 1).all() else places


def is_of_another_format(folder: Path) -> bool:
    """Whether another version of this program wrote a store."""
    path = folder / _FORMAT
    return path.is_file() and path.read_text() != FORMAT


def remove_store(folder: Path) -> None:
    """Delete a store; what another process keeps meanwhile may survive."""
    shutil.rmtree(folder, ignore_errors=True)


def stored_bytes(folder: Path) -> int:
    """Bytes of all files below a folder of stores."""
    return sum(size for _, size, _ in _files(folder))


def evict(folder: Path, most_bytes: int) -> None:
    """Delete what was not used for the longest time until all stores below a folder fit into some bytes."""
    files = sorted(_files(folder))
    too_many = sum(size for _, size, _ in files) - most_bytes
    for _, size, path in files:
        if too_many <= 0:
            return
        if path.stem not in (_ROWS, _FORMAT):
            path.unlink(missing_ok=True)
            too_many -= size
            if not any(other.stem != _ROWS for other in path.parent.glob("*.npz")):
                shutil.rmtree(path.parent, ignore_errors=True)


def _files(folder: Path) -> list[tuple[float, int, Path]]:
    """When each file was last used, its size, its path."""
    found = []
    for path in folder.rglob("*.npz"):
        with suppress(FileNotFoundError):  # another process tidies
            state = path.stat()
            found.append((state.st_mtime, state.st_size, path))
    return found


def _read(path: Path, dtype: type[np.generic]) -> Any:
    """The array of a file, which cannot be written to; None where there is none that can be used.

    `numpy.load` takes four times as long for as few votes as a segment has.
    """
    try:
        with ZipFile(path) as file:
            stored = file.read("arr_0.npy")  # its checksum is looked at
        start = 10 + int.from_bytes(stored[8:10], "little")
        shape, _, kind = _header(stored[:start])
        return np.frombuffer(stored, kind, offset=start) if kind == dtype and len(shape) == 1 else None
    except _UNREADABLE:
        return None


@lru_cache
def _header(head: bytes) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """What an array that `numpy.savez` has written is like: its shape, the order of its axes, its type."""
    file = BytesIO(head)
    if np.lib.format.read_magic(file) != (1, 0):
        raise ValueError("another version of numpy's format than that of short headers")
    return np.lib.format.read_array_header_1_0(file)


def _touch(path: Path) -> None:
    """Say that a file is in use."""
    with suppress(OSError):
        os.utime(path)


def _rename(folder: Path, name: Path) -> None:
    """Give a folder its name; FileExistsError where there is one of that name."""
    try:
        folder.rename(name)
    except OSError as error:
        if name.is_dir():
            raise FileExistsError(name) from error
        raise


def _remove_unfinished(folder: Path) -> None:
    for path in folder.glob(f"{_UNFINISHED}*"):
        with suppress(OSError):
            if time.time() - path.stat().st_mtime > STALE_S:
                shutil.rmtree(path, ignore_errors=True)


def _cannot_be_kept(folder: Path, error: OSError) -> FileError:
    return FileError(f"votes cannot be kept in {folder}: {error.strerror or error}")
