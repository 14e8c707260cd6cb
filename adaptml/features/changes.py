"""Which rows of a data table need which features: one pass over the table, whether or not it has an index."""

import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import islice
from types import TracebackType
from typing import IO, Any, NamedTuple

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from adaptml.database import Database, Range, Vector
from adaptml.database.keys import WHOLE
from adaptml.features.streaming import stream
from adaptml.features.values import Hashes, Known, among, id_hashes
from adaptml.features.values_to_encode import cell_text

KnownOf = Callable[[Sequence[str]], Sequence[Known]]  # ids → for each feature those of the rows that have it
IN_MEMORY_BYTES = 32 << 20  # of rows that wait for their features; more of them wait in a file


class Row(NamedTuple):
    """A row that needs features.

    Attributes:
        id: its id.
        texts: what its features are computed from, by column; cells that hold no text as `cell_text` says.
        hashes: of these.
        needed: numbers of the features.
    """

    id: str
    texts: dict[str, str]
    hashes: dict[str, int]
    needed: list[int]


@dataclass
class Counts:
    """Rows of a data table, by what has become of them since their features were computed.

    Attributes:
        total: all rows.
        new: rows that lack a feature.
        changed: rows that have all features, one of them computed from another text.
        empty: rows to be computed that have no text.
        waiting: rows to be computed.
    """

    total: int = 0
    new: int = 0
    changed: int = 0
    empty: int = 0
    waiting: int = 0


@dataclass
class Changes(AbstractContextManager["Changes"]):
    """The rows that need features, in the order of the table; they wait outside the database.

    So the table is not held while features are computed, however long that takes, and what a feature was
    computed from is what its hash says, whatever becomes of the row meanwhile.

    Attributes:
        counts: how many rows there are of each kind.
        needed: number of rows that need each of the features.
        gone: for each of the features the hashes of ids (sorted) that the table does not have any more.
    """

    counts: Counts
    needed: list[int]
    gone: list[Hashes]
    _file: IO[str] = field(repr=False)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def chunks(self, rows: int) -> Iterator[list[Row]]:
        """The rows that need features, some at a time."""
        self._file.seek(0)
        while lines := list(islice(self._file, rows)):
            yield [Row(*json.loads(line)) for line in lines]


def find_changes(
    database: Database,
    table: str,
    sources: Sequence[str],
    known: Sequence[Known] | KnownOf,
    *,
    all_rows: bool = False,
    within: Range = WHOLE,
) -> Changes:
    """Compare a data table with the features that are there.

    Args:
        database: holds the data table.
        table: its name.
        sources: for each of f features the column that it is computed from.
        known: for each of them the rows that have it; or what looks those up, where only a part of the table
            is read: what is gone is not found then.
        all_rows: every row needs every feature.
        within: only rows of this range of ids, whose ids were checked when the table was split.

    Raises:
        UnknownTableError, UnknownColumnError: no such table or column.
        DatabaseError: ids that are NULL or duplicated.
    """
    columns = list(dict.fromkeys(sources))
    if within == WHOLE:
        database.check_ids(table)
    source = database.data_table(table, columns)
    query = sa.select(source.c.id, *(_as_it_is(source.c[column]) for column in columns))
    query = within.of(query, source.c.id, database.engine.dialect.name)
    file = tempfile.SpooledTemporaryFile(IN_MEMORY_BYTES, mode="w+", encoding="utf-8")  # noqa: SIM115 - Changes closes it
    pass_ = _Pass(columns, sources, known, all_rows, file)
    try:
        for rows in stream(database, source.fullname, query, source.c.id):
            pass_.add(database.ids(source, rows), rows)
    except BaseException:
        file.close()
        raise
    return Changes(pass_.counts, pass_.needed, pass_.gone(), file)


class _Pass:
    """One pass over a data table."""

    def __init__(
        self,
        columns: Sequence[str],
        sources: Sequence[str],
        known: Sequence[Known] | KnownOf,
        all_rows: bool,
        file: IO[str],
    ) -> None:
        self._columns, self._sources = columns, sources
        self._known: Sequence[Known] = [] if callable(known) else known
        self._look_up = known if callable(known) else None
        self._all_rows, self._file = all_rows, file
        self._seen: list[Hashes] = []
        self.counts, self.needed = Counts(), [0] * len(sources)

    def add(self, ids: list[str], rows: Sequence["sa.Row[Any]"]) -> None:
        """Look at some rows."""
        texts = {name: [cell_text(row[i]) for row in rows] for i, name in enumerate(self._columns, start=1)}
        hashes = {name: source_hashes(values) for name, values in texts.items()}
        id_hash = id_hashes(ids)
        known = self._look_up(ids) if self._look_up else self._known
        lacking, changed = self._compared(id_hash, hashes, known)
        needed = np.ones_like(lacking) if self._all_rows else lacking | changed
        self._seen.append(id_hash)
        self._count(lacking, changed, needed)
        for place in np.flatnonzero(needed.any(axis=1)).tolist():
            of_row = {name: values[place] for name, values in texts.items()}
            self.counts.empty += not any(text.strip() for text in of_row.values())
            row = Row(
                ids[place],
                of_row,
                {name: int(values[place]) for name, values in hashes.items()},
                np.flatnonzero(needed[place]).tolist(),
            )
            self._file.write(json.dumps(row) + "\n")

    def _compared(
        self, ids: Hashes, hashes: dict[str, Hashes], known: Sequence[Known]
    ) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
        """Which rows lack which features, and of which rows the text has changed, bool (r, f) each."""
        lacking = np.ones((len(ids), len(self._sources)), dtype=bool)
        changed = np.zeros_like(lacking)
        for j, (of_feature, source) in enumerate(zip(known, self._sources, strict=True)):
            if len(of_feature.ids):
                places = np.minimum(np.searchsorted(of_feature.ids, ids), len(of_feature.ids) - 1)
                lacking[:, j] = of_feature.ids[places] != ids
                changed[:, j] = ~lacking[:, j] & (of_feature.sources[places] != hashes[source])
        return lacking, changed

    def _count(
        self,
        lacking: npt.NDArray[np.bool_],
        changed: npt.NDArray[np.bool_],
        needed: npt.NDArray[np.bool_],
    ) -> None:
        new = lacking.any(axis=1)
        self.counts.total += len(lacking)
        self.counts.new += int(new.sum())
        self.counts.changed += int((changed.any(axis=1) & ~new).sum())
        self.counts.waiting += int(needed.any(axis=1).sum())
        self.needed = [before + int(n) for before, n in zip(self.needed, needed.sum(axis=0), strict=True)]

    def _all_seen(self) -> Hashes:
        """The hashes of all ids, sorted."""
        return np.sort(np.concatenate(self._seen)) if self._seen else np.empty(0, np.int64)

    def gone(self) -> list[Hashes]:
        """For each feature the hashes of ids that the table does not have any more."""
        seen = self._all_seen()
        return [known.ids[~among(known.ids, seen)] for known in self._known]


def source_hashes(texts: Sequence[str]) -> Hashes:
    """What tells texts apart, in every process: 64 bits of BLAKE2b each, int64 (n,)."""
    digests = b"".join(blake2b(text.encode(), digest_size=8).digest() for text in texts)
    return np.frombuffer(digests, dtype="<i8").astype(np.int64)


def _as_it_is(column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    """A column to encode; bytes are those of pictures here, whatever they are elsewhere."""
    return sa.type_coerce(column, sa.LargeBinary()) if isinstance(column.type, Vector) else column
