"""Reading a table of a PostgreSQL by ranges of ids, of each of which the server says whether it changed."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, INTERVAL

from adaptml.database import Database, PackedVector, StoredRows, TextList, Vector
from adaptml.database.chunks import ChunkSize
from adaptml.database.fetching import Row, fetched
from adaptml.database.keys import Range, to_column
from adaptml.database.stored import Decode, stored, stored_rows
from adaptml.database.unique_ids import may_be_null
from adaptml.features.points import Points
from adaptml.features.values import table_of_values
from adaptml.frames import KEYS

RANGE_ROWS = 2_000  # smaller ones cost the server more, of larger ones more is read where a row has changed
ASKED_RANGES = 250  # whose digests one statement gives: half a million rows
DIALECT = "postgresql"
_ROW_HASH = ""  # a name that no column has
# Types of which the text of a value says all; besides arrays of them.
_TOLD_BY_TEXT = (
    sa.String, sa.Integer, sa.Numeric, sa.Float, sa.Boolean, sa.Date, sa.DateTime, sa.Time, INTERVAL, sa.Uuid,
    sa.JSON, sa.LargeBinary, TextList, Vector, PackedVector,
)  # fmt: skip
# What the text depends on beside the value.
_SETTINGS = (
    "extra_float_digits",
    "DateStyle",
    "IntervalStyle",
    "TimeZone",
    "bytea_output",
    "server_encoding",
)


# Of each table the number of rows, and the sum of their hashes; those of neighbours add up to that of both.
Digest = tuple[int, ...]


class _Part(NamedTuple):
    """One table: that of the data, or that of a feature's values.

    Attributes:
        key: its column of ids.
        rows: selects id, columns, and a hash of all of these.
        total: selects how many rows there are, and the sum of their hashes.
    """

    key: "sa.Column[Any]"
    rows: "sa.Select[Any]"
    total: "sa.Select[Any]"

    def within(self, query: "sa.Select[Any]", where: Range) -> "sa.Select[Any]":
        """One of its queries, of a range."""
        return where.of(query, self.key, DIALECT)

    def totals(self, connection: sa.Connection, ranges: Sequence[Range]) -> list[Digest]:
        """How many rows there are in each of the ranges, and the sum of their hashes."""
        bounded = [place for place, one in enumerate(ranges) if None not in one]
        found: dict[int, Digest] = {}
        for start in range(0, len(bounded), ASKED_RANGES):
            some = bounded[start : start + ASKED_RANGES]
            found |= zip(some, self._totals(connection, [ranges[place] for place in some]), strict=True)
        for place, one in enumerate(ranges):
            if place not in found:
                n, hashed = connection.execute(self.within(self.total, one)).one()
                found[place] = int(n), int(hashed or 0)
        return [found[place] for place in range(len(ranges))]

    def _totals(self, connection: sa.Connection, ranges: Sequence[Range]) -> Iterator[Digest]:
        """The same of ranges with both bounds, by one statement: each of its own costs what 500 rows do."""
        kind = self.key.type
        bounds = [
            sa.bindparam(None, to_column(list(map(str, ends)), kind, DIALECT), type_=ARRAY(kind))
            for ends in zip(*ranges, strict=True)
        ]
        ends = sa.column("low", kind), sa.column("high", kind)
        asked = sa.func.unnest(*bounds).table_valued(*ends, with_ordinality="number", name="asked")
        asked = asked.render_derived()
        inside = self.total.where(self.key > asked.c.low, self.key <= asked.c.high).correlate(asked)
        counted = inside.lateral("counted")
        query = sa.select(counted).select_from(asked).join(counted, sa.true()).order_by(asked.c.number)
        return ((int(n), int(hashed or 0)) for n, hashed in fetched(connection, query))


@dataclass(frozen=True)
class RangedTable:
    """All rows of a table, with some of its columns and features, by ranges of ids.

    A row's hash is 64 bits of PostgreSQL's own of each cell's text, for which the hash of the cells before it
    is the seed. A range's digest is how many rows each table has in it, and the sum of their hashes: where
    rows were added, removed or changed it is another one, but for one time in 2^64. It does not withstand
    somebody who makes rows of the same hash on purpose.

    Attributes:
        database: a PostgreSQL.
        table: name of a data table in which every row has an id of its own.
        columns: names of columns and features.
        data: the data table.
        features: tables of those that are features, by name.
        decode: as that of `StoredRows`.
        key: what digests depend on beside the rows: the server and its settings, tables, columns, types.
            Those of different keys cannot be compared.
    """

    database: Database
    table: str
    columns: Sequence[str]
    data: _Part
    features: dict[str, _Part]
    decode: dict[str, Decode]
    key: str
    _size: ChunkSize = field(init=False, repr=False, default_factory=lambda: ChunkSize(RANGE_ROWS))

    def digests(self, ranges: Sequence[Range]) -> list[Digest]:
        """The digest of each of the ranges, as it is now."""
        with self.database.translated(), self.database.engine.connect() as connection:
            found = [part.totals(connection, ranges) for part in (self.data, *self.features.values())]
        return [tuple(chain.from_iterable(parts)) for parts in zip(*found, strict=True)]

    def read(self, where: Range) -> Iterator[tuple[Range, Digest, StoredRows]]:
        """The rows of a range in the order of their ids, by smaller ranges that fill it without a gap.

        With each comes its digest, which is that of just these rows, whatever is written meanwhile.
        """
        while True:
            asked = self._size.rows
            query = self.data.within(self.data.rows, where).order_by(self.data.key).limit(asked)
            rows = self._found(query)
            self._size.read(rows)
            ids = self.database.ids(self.data.key.table, rows)
            here = Range(where.low, ids[-1] if len(rows) == asked else where.high)
            values = {name: self._found(part.within(part.rows, here)) for name, part in self.features.items()}
            digest = [(len(found), sum(row[-1] for row in found)) for found in (rows, *values.values())]
            yield here, tuple(chain.from_iterable(digest)), self._stored(ids, rows, values)
            if here.high == where.high:
                return
            where = Range(here.high, where.high)

    def _stored(
        self,
        ids: Sequence[str],
        rows: Sequence[Row],
        values: dict[str, Sequence[Row]],
    ) -> StoredRows:
        """Rows of the data table, each with the values of its features."""
        if not rows:
            return StoredRows(self.table, [], {}, {}, np.arange(0))
        plain = [name for name in self.columns if name not in self.features]
        read = stored_rows(self.table, [*plain, _ROW_HASH], ids, rows, self.decode)
        by_id = {name: {key: cell for key, cell, _ in found} for name, found in values.items()}
        cells = {
            name: [by_id[name].get(key) for key in ids] if name in by_id else read.cells[name]
            for name in self.columns
        }
        return replace(read, cells=cells)

    def _found(self, query: "sa.Select[Any]") -> Sequence[Row]:
        with self.database.translated(), self.database.engine.connect() as connection:
            return fetched(connection, query)


def ranged(points: Points, table: str, columns: Sequence[str]) -> RangedTable | None:
    """A table by ranges; None where there are no digests, or none that could be trusted.

    Args:
        points: reads columns and features.
        table: name of a data table.
        columns: names of columns and features.

    Raises:
        AdaptmlError: as `Points.scan_stored`.
    """
    database = points.database
    if database.engine.dialect.name != DIALECT:
        return None
    columns = [name for name in dict.fromkeys(columns) if name not in KEYS]
    found = {str(name): one for name, one in points.resolved(table, columns).items() if one is not None}
    plain = [name for name in columns if name not in found]
    source = database.data_table(table, plain, fresh=True)
    if not _is_told(database, source, plain) or any(one.values_table is None for one in found.values()):
        return None
    together = points.results.engine.url == database.engine.url and isinstance(source.c.id.type, sa.String)
    if found and not together:  # the ids of both are not in one order
        return None
    tables = {name: table_of_values(points.results, one) for name, one in found.items()}
    data = _part(database, source, plain)
    features = {name: _part(database, values, ["value"]) for name, values in tables.items()}
    server = _server(database, source.c.id, with_features=bool(features))
    if server is None:
        return None
    kinds = [repr(source.c[name].type) for name in ("id", *plain)]
    queries = [str(part.rows.compile(database.engine)) for part in (data, *features.values())]
    sources = [(source, name, name) for name in plain] + [(tables[name], "value", name) for name in found]
    decode = {name: stored(one.c[cell], database.engine.dialect)[1] for one, cell, name in sources}
    return RangedTable(
        database, table, columns, data, features, {name: by for name, by in decode.items() if by is not None},
        json.dumps([server, columns, kinds, queries]),
    )  # fmt: skip


def _is_told(database: Database, table: sa.Table, columns: Sequence[str]) -> bool:
    """Whether every row has an id of its own, and the text of each cell says all that it is."""
    types = [table.c[name].type for name in columns]
    types = [kind.item_type if isinstance(kind, sa.ARRAY) else kind for kind in types]
    return (
        database.has_unique_ids(table)
        and not may_be_null(table, DIALECT)
        and not isinstance(table.c.id.type, sa.CHAR | sa.Numeric)
        and all(isinstance(kind, _TOLD_BY_TEXT) for kind in types)
    )


def _part(database: Database, table: sa.Table, columns: Sequence[str]) -> _Part:
    """Queries of a table; cells are hashed one after the other, the hash of those before as the seed."""
    hashed: sa.ColumnElement[int] = _hash(table.c.id, sa.literal_column("0"))
    for name in columns:
        # NULL is hashed as the empty text, with another seed.
        is_null = sa.cast(sa.cast(table.c[name].is_(None), sa.Integer), sa.BigInteger)
        hashed = _hash(table.c[name], hashed.op("#")(is_null))
    cells = [stored(table.c[name], database.engine.dialect)[0] for name in columns]
    total: list[Any] = [sa.func.count().label("n"), sa.func.sum(hashed).label("hashed")]
    return _Part(
        table.c.id,
        sa.select(table.c.id, *cells, hashed),
        sa.select(*total),
    )


def _hash(cell: "sa.Column[Any]", seed: sa.ColumnElement[int]) -> sa.ColumnElement[int]:
    """64 bits of a cell's text; not all collations have such a function, and others take texts for equal."""
    text = sa.func.coalesce(sa.cast(cell, sa.Text), sa.literal_column("''")).collate("C")
    return sa.func.hashtextextended(text, seed, type_=sa.BigInteger)


def _server(database: Database, key: "sa.Column[Any]", *, with_features: bool) -> list[str] | None:
    """What the server's hashes depend on; None where a text does not say all that a cell is."""
    settings = [sa.func.current_setting(name) for name in _SETTINGS]
    query = sa.select(sa.func.version(), *settings)
    if with_features:  # whose ids are in the order of the database
        query = query.add_columns(sa.func.pg_collation_for(sa.select(key).limit(1).scalar_subquery()))
    with database.translated(), database.engine.connect() as connection:
        version, digits, dates, *others = connection.execute(query).one()
    exact = int(digits) >= 1 and dates.startswith("ISO")
    in_order = not with_features or others[-1] == '"default"'
    return [version, digits, dates, *others] if exact and in_order else None
