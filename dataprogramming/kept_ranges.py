"""Votes on a whole table by ranges of ids: of those that the server says are as they were, no row is read."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby, pairwise
from operator import is_not
from pathlib import Path
from typing import overload
from zipfile import BadZipFile

import numpy as np
import pyarrow as pa

from adaptml.database import Range, StoredRows
from adaptml.errors import FileError
from adaptml.features.ranges import RANGE_ROWS, Digest, RangedTable
from adaptml.files import replacing
from dataprogramming.kept_votes import Chunk, KeptVotes
from dataprogramming.row_hashes import Hashes

FORMAT = 2
FILE = Path(".ranges", "ranges.npz")  # in a table's folder of kept votes
LOOKED_UP_RANGES = 10  # at once, where none has changed: as many rows as a page of a scan
_NO_HASH = np.empty(0, np.uint64)
_UNREADABLE = (OSError, ValueError, KeyError, EOFError, BadZipFile)


class Ids(Sequence[str]):
    """Ids one after the other in one piece of memory, of which no text is made before it is asked for."""

    def __init__(self, array: pa.LargeStringArray) -> None:
        """Take r texts (r,), none of them null."""
        self._array = array

    def __len__(self) -> int:
        """Number of ids."""
        return len(self._array)

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> "Ids": ...
    def __getitem__(self, place: int | slice) -> "str | Ids":
        """One, or some as a view."""
        return Ids(self._array[place]) if isinstance(place, slice) else str(self._array[place])

    def __arrow_array__(self, type: pa.DataType | None = None) -> pa.LargeStringArray:  # noqa: A002
        """What `pyarrow.array` gives: nothing is copied."""
        return self._array


@dataclass(frozen=True)
class KeptRange:
    """A range of ids as it was when its rows were read.

    Attributes:
        digest: what the server said of it; empty where its rows cannot be told apart.
        ids: of its r rows.
        hashes: of the rows, uint64 (r,), by which their votes are known.
    """

    where: Range
    digest: Digest
    ids: Ids
    hashes: Hashes


def chunks(kept: KeptVotes, table: RangedTable) -> Iterator[Chunk]:
    """All rows of a table in the order of their ids, with what is known of the votes on them.

    Only ranges are read that have changed since the last time, or in which a vote is missing.
    """
    path = kept.store_folder(table.table) / FILE
    known = read_ranges(path, table.key)
    before = known or [KeptRange(Range(None, None), (), packed([]), _NO_HASH)]
    digests = table.digests([one.where for one in known]) if known else [None]
    now: list[KeptRange] = []
    for ranges, chunk in _looked_up(kept, table.table, before, digests):
        if chunk is not None:
            now += ranges
            yield chunk
            continue
        for one in ranges:
            for where, seen, rows in table.read(one.where):
                chunk = kept.look_up(rows)
                told, hashes = ((), _NO_HASH) if chunk.hashes is None else (seen, chunk.hashes)
                now.append(KeptRange(where, told, packed(rows.ids), hashes))
                yield chunk
    if len(now) != len(before) or any(map(is_not, now, before)):
        try:
            write_ranges(path, table.key, joined(now))
        except FileError as error:
            kept.cannot_keep(error)


def packed(ids: Sequence[str]) -> Ids:
    """Ids as they are kept."""
    return Ids(pa.array(ids, pa.large_string()))


def _together(ranges: Sequence[KeptRange]) -> tuple[Ids, Hashes]:
    """The ids and hashes of the rows of one or more ranges, one after the other."""
    ids = pa.concat_arrays([pa.array(one.ids, pa.large_string()) for one in ranges])
    return Ids(ids), np.concatenate([one.hashes for one in ranges])


def _looked_up(
    kept: KeptVotes, table: str, before: Sequence[KeptRange], digests: Sequence[Digest | None]
) -> Iterator[tuple[Sequence[KeptRange], Chunk | None]]:
    """Ranges in their order, with their rows and votes; None where they have to be read."""
    pairs = zip(before, digests, strict=True)
    for as_before, run in groupby(pairs, lambda pair: pair[0].digest == pair[1]):
        ranges = [one for one, _ in run]
        if not as_before:
            yield ranges, None
            continue
        for start in range(0, len(ranges), LOOKED_UP_RANGES):
            yield from _unread(kept, table, ranges[start : start + LOOKED_UP_RANGES])


def _unread(
    kept: KeptVotes, table: str, ranges: Sequence[KeptRange]
) -> Iterator[tuple[Sequence[KeptRange], Chunk | None]]:
    """Ranges that are as they were, with their rows and votes; None for one in which a vote is missing."""
    ids, hashes = _together(ranges)
    chunk = kept.look_up_hashed(StoredRows(table, ids, {}, {}, np.arange(len(ids))), hashes)
    if not chunk.new.any():
        yield ranges, chunk
        return
    for one, ends in zip(
        ranges, pairwise(accumulate((len(one.ids) for one in ranges), initial=0)), strict=True
    ):
        some = slice(*ends)
        rows = StoredRows(table, one.ids, {}, {}, np.arange(len(one.ids)))
        part = Chunk(rows, chunk.votes[some], hashes[some], chunk.places[some])
        yield [one], None if part.new.any() else part


def joined(ranges: Sequence[KeptRange]) -> list[KeptRange]:
    """The ranges, with neighbours that are small made one."""
    found: list[KeptRange] = []
    for one in ranges:
        last = found[-1] if found else None
        if last and last.digest and one.digest and len(last.ids) + len(one.ids) <= RANGE_ROWS:
            where, digest = Range(last.where.low, one.where.high), zip(last.digest, one.digest, strict=True)
            found[-1] = KeptRange(where, tuple(map(sum, digest)), *_together([last, one]))
        else:
            found.append(one)
    return found


def write_ranges(path: Path, key: str, ranges: Sequence[KeptRange]) -> None:
    """Keep all ranges of a table, from its first to its last id.

    Raises:
        FileError: they cannot be written.
    """
    about = {
        "format": FORMAT, "key": key, "bounds": [one.where.high for one in ranges],
        "digests": [one.digest for one in ranges], "rows": [len(one.ids) for one in ranges],
    }  # fmt: skip
    ids, hashes = _together(ranges)
    _, ends, texts = pa.array(ids, pa.large_string()).buffers()
    with replacing(path) as temporary:
        np.savez(
            temporary,
            about=np.array(json.dumps(about)),
            ends=np.frombuffer(ends, np.int64)[: len(ids) + 1],
            ids=np.frombuffer(texts or b"", np.uint8),
            hashes=hashes,
        )


def read_ranges(path: Path, key: str) -> list[KeptRange] | None:
    """What was kept of a table; None where there is nothing, or nothing of this key and format."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            about = json.loads(str(arrays["about"]))
            if (about["format"], about["key"]) != (FORMAT, key):
                return None
            ends, texts, hashes = (arrays[name] for name in ("ends", "ids", "hashes"))
        ids = pa.LargeStringArray.from_buffers(len(hashes), pa.py_buffer(ends), pa.py_buffer(texts))
        ids.validate(full=True)
        parts = pairwise(accumulate(about["rows"], initial=0))
        ranges = zip(pairwise([None, *about["bounds"]]), about["digests"], parts, strict=True)
        return [
            KeptRange(Range(*where), tuple(digest), Ids(ids[start:end]), hashes[start:end])
            for where, digest, (start, end) in ranges
        ]
    except _UNREADABLE:
        return None
