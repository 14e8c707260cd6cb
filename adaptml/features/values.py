"""The values of one version of a feature of one data table, in a table of their own beside it."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeEngine

from adaptml.database import Database, PackedVector, TextList, Vector, cratedb
from adaptml.database.among import Among
from adaptml.database.fetching import Prepared, fetched
from adaptml.database.stored import Decode, stored
from adaptml.features.catalogue import Feature, Kind
from adaptml.features.streaming import stream

LOOK_UP_IDS = 5_000  # ids a statement: below SQLite's 32,766 and PostgreSQL's 65,535 parameters
SHORT = 500  # fewer ids are looked up one by one
IN_STEP = 0.5  # share of ids that a range must find for the next one to be tried

Hashes = npt.NDArray[np.int64]


def value_type(kind: Kind) -> TypeEngine[Any]:
    """The type of a feature's values."""
    types: dict[Kind, TypeEngine[Any]] = {
        "lemmas": TextList(), "vector": PackedVector(), "answer": sa.Text(), "score": sa.Double()
    }  # fmt: skip
    return types[kind]


def read_type(kind: Kind) -> TypeEngine[Any]:
    """The type of a feature's values for those who read them."""
    return Vector() if kind == "vector" else value_type(kind)


class Known(NamedTuple):
    """The rows that have values: what they are known by in this process, and what they were computed from.

    Attributes:
        ids: hash of each row's id in this process, sorted, int64 (n,).
        sources: hash of what its value was computed from, in the same order, int64 (n,).
    """

    ids: Hashes
    sources: Hashes

    @classmethod
    def none(cls) -> "Known":
        """No row."""
        return cls(np.empty(0, np.int64), np.empty(0, np.int64))

    @classmethod
    def of(cls, ids: Sequence[Hashes], sources: Sequence[Hashes]) -> "Known":
        """Rows in parts, in any order."""
        if not ids:
            return cls.none()
        all_ids = np.concatenate(ids)
        order = np.argsort(all_ids)
        return cls(all_ids[order], np.concatenate(sources)[order])


class FeatureValues:
    """The values of one version of a feature of one data table."""

    def __init__(self, results: Database, feature: Feature) -> None:
        """Look at nothing yet.

        Args:
            results: where feature tables lie.
            feature: whose values; they were not dropped.
        """
        self._results, self.feature = results, feature
        self._table = table_of_values(results, feature)

    def create(self) -> None:
        """Make the table unless it is there."""
        with self._results.translated():
            self._table.create(self._results.engine, checkfirst=True)

    def drop(self) -> None:
        """Remove the table."""
        with self._results.translated():
            self._table.drop(self._results.engine, checkfirst=True)

    def put(self, ids: Sequence[str], sources: Sequence[int], values: Sequence[Any], run: str) -> None:
        """Write the values of some rows, in one transaction; those that are there are replaced.

        Args:
            ids: of the r rows.
            sources: hash of what each value was computed from.
            values: one a row: list[str], float32 (d,), a text or None, a number or None.
            run: what computed them.
        """
        dialect = sqlite if self._results.engine.dialect.name == "sqlite" else postgresql
        insert: Any = dialect.insert(self._table)
        new = {name: insert.excluded[name] for name in ("source_hash", "computed_at", "run", "value")}
        now = datetime.now(UTC)
        rows = [
            {"id": key, "source_hash": source, "computed_at": now, "run": run, "value": value}
            for key, source, value in zip(ids, sources, values, strict=True)
        ]
        with self._results.translated(), self._results.engine.begin() as connection:
            statement = insert.on_conflict_do_update(index_elements=["id"], set_=new)
            cratedb.execute_bulk(connection, statement, rows, self._table.name, ids)
            cratedb.refresh(connection, self._table)

    def known(self) -> Known:
        """All rows that have values."""
        ids: list[Hashes] = []
        sources: list[Hashes] = []
        for rows in self._rows(self._table.c.id, self._table.c.source_hash):
            ids.append(id_hashes([row[0] for row in rows]))
            sources.append(np.array([source for _, source in rows], dtype=np.int64))
        return Known.of(ids, sources)

    def known_of(self, ids: Sequence[str]) -> Known:
        """Those of some rows that have values."""
        found: list[Sequence[Any]] = []
        query = sa.select(self._table.c.id, self._table.c.source_hash)
        with self._results.translated(), self._results.engine.connect() as connection:
            for start in range(0, len(ids), LOOK_UP_IDS):
                chosen = cratedb.among(connection, self._table.c.id, ids[start : start + LOOK_UP_IDS])
                found.append(connection.execute(query.where(chosen)).all())
        return Known.of(
            [id_hashes([key for key, _ in rows]) for rows in found],
            [np.array([source for _, source in rows], dtype=np.int64) for rows in found],
        )

    def remove_hashed(self, hashes: Hashes) -> int:
        """Remove the values of rows by the hashes of their ids (sorted); returns how many there were."""
        gone: list[str] = []
        for rows in self._rows(self._table.c.id):
            ids = [row[0] for row in rows]
            gone += [ids[place] for place in np.flatnonzero(among(id_hashes(ids), hashes))]
        return self.remove(gone)

    def remove(self, ids: Sequence[str]) -> int:
        """Remove the values of some rows; returns how many there were."""
        n = 0
        with self._results.translated(), self._results.engine.begin() as connection:
            for start in range(0, len(ids), LOOK_UP_IDS):
                chosen = cratedb.among(connection, self._table.c.id, ids[start : start + LOOK_UP_IDS])
                n += connection.execute(sa.delete(self._table).where(chosen)).rowcount
            cratedb.refresh(connection, self._table)
        return n

    def count(self) -> int:
        """Number of rows that have a value."""
        query = sa.select(sa.func.count()).select_from(self._table)
        with self._results.translated(), self._results.engine.connect() as connection:
            return int(connection.execute(query).scalar_one())

    def size(self) -> float:
        """Bytes that the values take; NaN on CrateDB, which cannot tell."""
        measures = {"sqlite": sa.func.length, "postgresql": sa.func.pg_column_size}
        measure = measures.get(self._results.engine.dialect.name)
        if measure is None:
            return float("nan")
        query = sa.select(sa.func.sum(measure(self._table.c.value)))
        with self._results.translated(), self._results.engine.connect() as connection:
            return float(connection.execute(query).scalar_one() or 0)

    def ids(self, rows: int) -> Iterator[list[str]]:
        """Ids of the rows that have a value, some at a time, in the order of the table."""
        column, last = self._table.c.id, None
        while True:
            query = sa.select(column).order_by(column).limit(rows)
            with self._results.translated(), self._results.engine.connect() as connection:
                found = connection.execute(query if last is None else query.where(column > last))
                ids = list(found.scalars())
            if not ids:
                return
            last = ids[-1]
            yield ids

    def _rows(self, *columns: sa.Column[Any]) -> Iterator[Sequence[Any]]:
        return stream(self._results, self._table.name, sa.select(*columns), self._table.c.id)


class Cells:
    """Looks up values of rows as the database keeps them, chunk after chunk."""

    def __init__(self, results: Database, feature: Feature) -> None:
        """Look at nothing yet; results and feature as those of `FeatureValues`."""
        self._results, self.feature = results, feature
        self._asked = _asked(table_of_values(results, feature), results.engine.dialect)
        self.decode = self._asked.decode
        self._in_step = True
        self._is_empty = feature.values_table is None

    def of(self, ids: Sequence[str]) -> list[Any]:
        """The cells of r rows in their order, None for a row without one.

        Where ids come in the order of the table, one range finds them all, in a third of the time.
        """
        found: dict[str, Any] = {}
        if self._is_empty:
            return [None] * len(ids)
        if self._in_step and len(ids) > SHORT:
            found = self._range(ids[0], len(ids))
            self._in_step = sum(key in found for key in ids) >= IN_STEP * len(ids)
        rest = [key for key in ids if key not in found]
        for start in range(0, len(rest), LOOK_UP_IDS):
            found |= self._among(rest[start : start + LOOK_UP_IDS])
        return [found.get(key) for key in ids]

    def _range(self, first: str, n: int) -> dict[str, Any]:
        with self._results.translated(), self._results.engine.connect() as connection:
            return dict(fetched(connection, self._asked.from_one_on, {"first": first, "rows": n}))

    def _among(self, ids: Sequence[str]) -> dict[str, Any]:
        with self._results.translated(), self._results.engine.connect() as connection:
            return dict(fetched(connection, *self._asked.by_ids.of(ids)))

    def matrix(self, ids: Sequence[str]) -> npt.NDArray[np.float32] | None:
        """The vectors of r rows in their order, float32 (r, d); None where not all are, and of one length."""
        decode = self.decode
        return None if decode is None or decode.matrix is None else decode.matrix(self.of(ids))

    def values(self, ids: Sequence[str]) -> list[Any]:
        """The values of r rows in their order, as `put` took them, or None for a row without one."""
        decode = self.decode
        if decode is None:
            return self.of(ids)
        distinct = list(dict.fromkeys(ids))  # a service may be asked about one row many times
        found = {
            key: None if cell is None else decode.one(cell)
            for key, cell in zip(distinct, self.of(distinct), strict=True)
        }
        return [found[key] for key in ids]


class _Asked(NamedTuple):
    """What is asked of a table of values again and again.

    Attributes:
        by_ids: ids and values of some rows.
        from_one_on: those of `rows` rows, from the id `first` on.
        decode: what makes a Python value of a cell; None where its cells are values already.
    """

    by_ids: Among
    from_one_on: Prepared
    decode: Decode | None


def _asked(table: sa.Table, dialect: Dialect) -> _Asked:
    """The same as before of a table that was asked before."""
    known: dict[str, _Asked] = table.info.setdefault("asked", {})
    if dialect.name not in known:
        key, (selected, decode) = table.c.id, stored(table.c.value, dialect)
        query = sa.select(key, selected)
        first, rows = sa.bindparam("first", type_=key.type), sa.bindparam("rows", type_=sa.Integer())
        in_order = Prepared(query.where(key >= first).order_by(key).limit(rows))
        known[dialect.name] = _Asked(Among(dialect.name, query, key), in_order, decode)
    return known[dialect.name]


def id_hashes(ids: Sequence[str]) -> Hashes:
    """What ids are known by in this process: 64 bits each, int64 (n,)."""
    return np.fromiter(map(hash, ids), np.int64, len(ids))


def among(hashes: Hashes, found: Hashes) -> npt.NDArray[np.bool_]:
    """Which of the hashes are among others that are sorted, bool (n,)."""
    if len(found) == 0:
        return np.zeros(len(hashes), dtype=bool)
    places = np.minimum(np.searchsorted(found, hashes), len(found) - 1)
    return np.asarray(found[places] == hashes)


def table_of_values(results: Database, feature: Feature) -> sa.Table:
    """The table of values; one object for each, so that SQLAlchemy compiles its statements once."""
    return _made(str(feature.values_table), feature.kind, results.engine.dialect.name == "sqlite")


@lru_cache(maxsize=1_000)
def _made(name: str, kind: Kind, with_index: bool) -> sa.Table:
    """Values stand last: they are long, and what is before them is read alone."""
    table = sa.Table(
        name,
        sa.MetaData(),
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("source_hash", sa.BigInteger()),
        sa.Column("computed_at", sa.DateTime(timezone=True)),
        sa.Column("run", sa.Text()),
        sa.Column("value", value_type(kind)),
    )
    if with_index:
        # So that finding what has changed reads no values, which SQLite keeps between the hashes.
        sa.Index(f"{table.name}_h", table.c.id, table.c.source_hash)
    return table
