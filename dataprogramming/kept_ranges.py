"""Votes on a whole table by ranges of ids: of those that the server says are as they were, no row is read."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from operator import is_not
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from adaptml.database import Range, StoredRows
from adaptml.errors import FileError
from adaptml.features.ranges import RANGE_ROWS, Digest, RangedTable
from adaptml.files import replacing
from dataprogramming.kept_votes import Chunk, KeptVotes
from dataprogramming.row_hashes import Hashes

FORMAT = 1
FILE = Path(".ranges", "ranges.npz")  # in a table's folder of kept votes
_NO_HASH = np.empty(0, np.uint64)
_UNREADABLE = (OSError, ValueError, KeyError, EOFError, BadZipFile)


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
    ids: Sequence[str]
    hashes: Hashes


def chunks(kept: KeptVotes, table: RangedTable) -> Iterator[Chunk]:
    """All rows of a table in the order of their ids, with what is known of the votes on them.

    Only ranges are read that have changed since the last time, or in which a vote is missing.
    """
    path = kept.store_folder(table.table) / FILE
    known = read_ranges(path, table.key)
    before = known or [KeptRange(Range(None, None), (), [], _NO_HASH)]
    digests = table.digests([one.where for one in known]) if known else [None]
    now: list[KeptRange] = []
    for one, digest in zip(before, digests, strict=True):
        chunk = _unread(kept, table.table, one) if digest == one.digest else None
        if chunk is not None:
            now.append(one)
            yield chunk
            continue
        for where, seen, rows in table.read(one.where):
            chunk = kept.look_up(rows)
            told = () if chunk.hashes is None else seen
            now.append(KeptRange(where, told, rows.ids, _NO_HASH if chunk.hashes is None else chunk.hashes))
            yield chunk
    if len(now) != len(before) or any(map(is_not, now, before)):
        try:
            write_ranges(path, table.key, joined(now))
        except FileError as error:
            kept.cannot_keep(error)


def _unread(kept: KeptVotes, table: str, one: KeptRange) -> Chunk | None:
    """The rows of a range that is as it was, with their votes; None where one is missing."""
    rows = StoredRows(table, one.ids, {}, {}, np.arange(len(one.ids)))
    chunk = kept.look_up_hashed(rows, one.hashes)
    return None if chunk.new.any() else chunk


def joined(ranges: Sequence[KeptRange]) -> list[KeptRange]:
    """The ranges, with neighbours that are small made one."""
    found: list[KeptRange] = []
    for one in ranges:
        last = found[-1] if found else None
        if last and last.digest and one.digest and len(last.ids) + len(one.ids) <= RANGE_ROWS:
            found[-1] = KeptRange(
                Range(last.where.low, one.where.high),
                tuple(map(sum, zip(last.digest, one.digest, strict=True))),
                [*last.ids, *one.ids],
                np.concatenate([last.hashes, one.hashes]),
            )
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
    ids = "\0".join(key for one in ranges for key in one.ids)  # which no text of PostgreSQL holds
    with replacing(path) as temporary:
        np.savez(
            temporary,
            about=np.array(json.dumps(about)),
            ids=np.frombuffer(ids.encode(), np.uint8),
            hashes=np.concatenate([one.hashes for one in ranges]),
        )


def read_ranges(path: Path, key: str) -> list[KeptRange] | None:
    """What was kept of a table; None where there is nothing, or nothing of this key and format."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            about, hashes = json.loads(str(arrays["about"])), arrays["hashes"]
            text = arrays["ids"].tobytes().decode()
        if (about["format"], about["key"]) != (FORMAT, key):
            return None
        ids = text.split("\0") if len(hashes) else []
        ends = [0, *accumulate(about["rows"])]
        ranges = zip(pairwise([None, *about["bounds"]]), about["digests"], pairwise(ends), strict=True)
        return [
            KeptRange(Range(*where), tuple(digest), ids[start:end], hashes[start:end])
            for where, digest, (start, end) in ranges
        ]
    except _UNREADABLE:
        return None
