"""Reading by key, by range and by condition: vectorised, in key order, with bound parameters."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import sqlalchemy as sa

from adaptml.database import cratedb
from adaptml.database.cells import read_frame
from adaptml.database.keyed import RowsOf, asked, by_table, each_once
from adaptml.database.keys import WHOLE, Range, to_text
from adaptml.database.rows import CHUNK_ROWS, Rows
from adaptml.database.stored import StoredRows, stored_rows
from adaptml.database.unique_ids import bad_ids, may_be_null
from adaptml.errors import DatabaseError, DatabaseUnavailableError, listed
from adaptml.frames import KEYS

ID_PAGE_ROWS = 500_000  # rows a statement, at most, where a row is an id alone


class Reader(Rows):
    """A database that is read."""

    def read(
        self,
        keys: pd.DataFrame,
        columns: Sequence[str],
        *,
        skip_missing: bool = False,
        show_progress: bool = False,
    ) -> pd.DataFrame:
        """Columns of data points, in the order of the keys.

        Args:
            keys: frame with `table_name` and `id` (n rows); its other columns are left out. A point may
                be repeated.
            columns: names of columns, which every table must have.
            skip_missing: leave out points that are not in their table.
            show_progress: draw a progress bar.

        Returns:
            Frame of n rows (fewer with `skip_missing`): table_name, id and the columns; vectors are float32
            arrays (d,), text lists are list[str], an SQL NULL is None.

        Raises:
            MissingDataPointsError: ids that are not in their table.
            UnknownTableError: no such table.
            UnknownColumnError: a column is not there.
            DatabaseError: duplicated ids, an `id` that is neither text nor whole numbers nor UUIDs, or
                a cell that is not what its column is.
            DatabaseUnavailableError: the database is away or locked.
        """
        names = _columns(columns)
        return read_frame(
            asked(keys), names, self._rows_of(names), skip_missing=skip_missing, show_progress=show_progress
        )

    def read_stored(self, keys: pd.DataFrame, columns: Sequence[str]) -> Iterator[StoredRows]:
        """Data points in chunks of one table each, as the database keeps them; every point comes once.

        Where most of a table is asked for, its rows come in the order of their ids, by ranges of ids.

        Args:
            keys: frame with `table_name` and `id` (n rows), no point twice.
            columns: names of columns, which every table must have.

        Raises:
            MissingDataPointsError: ids that are not in their table, after the last chunk.
            UnknownTableError, UnknownColumnError, DatabaseError, DatabaseUnavailableError: as `read`.
        """
        return each_once(asked(keys), self._rows_of(_columns(columns)))

    def _rows_of(self, columns: Sequence[str]) -> RowsOf:
        return lambda table, ids: self.by_key(table, columns, ids)

    def present(self, keys: pd.DataFrame) -> npt.NDArray[np.bool_]:
        """Which of n data points are in their tables, bool (n,); of a table that is gone, none are.

        Raises:
            UnknownTableError: none of the tables is there.
            DatabaseError, DatabaseUnavailableError: as `read`.
        """
        keys = asked(keys)
        there = np.zeros(len(keys), dtype=bool)
        groups = list(by_table(keys))
        known = [group for group in groups if self.has_table(group[0])]
        if groups and not known:
            self.data_table(groups[0][0], fresh=True)
        for table, places, ids in known:
            for rows in self.by_key(table, [], ids):
                there[places[rows.positions]] = True
        return there

    def keys(self, table: str, where: str | None = None) -> pd.DataFrame:
        """Keys of a data table's rows, in the order in which the database sorts its ids.

        Args:
            table: name of a data table.
            where: a person's own SQL condition; rows are read in a transaction that is never committed.

        Returns:
            Frame of n rows: table_name, id.

        Raises:
            UnknownTableError: no such table.
            DatabaseError: a condition that the database refuses, or with a semicolon in it; rows without an
                id, or ids that are duplicated.
            DatabaseUnavailableError: the database is away or locked.
        """
        source = self.data_table(table, fresh=True)
        query = sa.select(source.c.id)
        if where is not None:
            if ";" in where:
                raise DatabaseError(f"where {where!r} holds a semicolon; expected one condition: take it out")
            query = query.where(sa.text(f"({where}\n)".replace(":", r"\:")))
        try:
            ids = self._all_ids(source, query)
        except DatabaseUnavailableError:
            raise
        except DatabaseError as error:
            if where is None:
                raise
            columns = listed([column.name for column in source.columns], 20)
            raise DatabaseError(
                f"where {where!r} cannot be used on table {table!r}, whose columns are {columns}: {error}"
            ) from error
        n_null = ids.count(None)
        read = to_text(
            [key for key in ids if key is not None] if n_null else ids,
            source.c.id.type,
            self.engine.dialect.name,
            table,
        )
        if n_null or (not self.has_unique_ids(source) and len(set(read)) < len(read)):
            raise bad_ids(table, n_null, Counter(read))
        return pd.DataFrame({"table_name": table, "id": read}, dtype=str)

    def _all_ids(self, source: sa.Table, query: "sa.Select[Any]") -> list[Any]:
        """What a query for ids finds, sorted, None for a row without one; CrateDB holds each answer whole."""
        if cratedb.is_cratedb(self.engine):
            ids = [row[0] for rows in self._pages(source, query, ID_PAGE_ROWS) for row in rows]
            empty = query.with_only_columns(sa.func.count()).where(source.c.id.is_(sa.null()))
            n_null = self._rows(source, empty)[0][0] if may_be_null(source, cratedb.DIALECT) else 0
            return ids + [None] * n_null
        with self.translated(), self.engine.connect() as connection:
            self._read_only(connection)
            pages = connection.execute(query.order_by(source.c.id)).partitions(CHUNK_ROWS)
            return [key for page in pages for (key,) in page]

    def check_ids(self, table: str) -> None:
        """Refuse a table in which a row has no id, or several have the same.

        Nothing is asked where the table's own constraints say that it cannot be.

        Raises:
            DatabaseError: says how many rows have no id, and which ids are duplicated in how many rows.
            UnknownTableError, UnknownColumnError, DatabaseUnavailableError: as `keys`.
        """
        source = self.data_table(table, fresh=True)
        # In a column without a type, SQLite tells the number 1 and the text 1 apart.
        untyped = isinstance(source.c.id.type, sa.types.NullType)
        key = sa.cast(source.c.id, sa.Text) if untyped else source.c.id
        empty = sa.select(sa.func.count()).select_from(source).where(source.c.id.is_(sa.null()))
        groups = sa.select(key.label("id"), sa.func.count().label("n")).where(source.c.id.is_not(sa.null()))
        groups = groups.group_by(key).having(sa.func.count() > 1).order_by(key)
        n_null = self._rows(source, empty)[0][0] if may_be_null(source, self.engine.dialect.name) else 0
        repeated = [] if self.has_unique_ids(source) else self._rows(source, groups)
        if n_null or repeated:
            rows = dict(zip(self.ids(source, repeated), (row[1] for row in repeated), strict=True))
            raise bad_ids(table, n_null, rows)

    @staticmethod
    def _read_only(connection: sa.Connection) -> None:
        """Whatever a person's condition calls changes nothing."""
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("SET TRANSACTION READ ONLY")

    def result_keys(self, table: str) -> pd.DataFrame:
        """Keys of the data points that a table of results holds, each once: table_name, id."""
        source = self.found_table(table, KEYS)
        with self.translated(), self.engine.connect() as connection:
            rows = connection.execute(sa.select(source.c.table_name, source.c.id).distinct()).all()
        return pd.DataFrame([tuple(row) for row in rows], columns=KEYS, dtype=str)

    def scan(
        self,
        table: str,
        columns: Sequence[str],
        *,
        chunk_rows: int = CHUNK_ROWS,
    ) -> Iterator[pd.DataFrame]:
        """All rows of a table in chunks, as `read` gives them; otherwise as `scan_stored`."""
        for read in self.scan_stored(table, columns, chunk_rows=chunk_rows):
            values = {c: v if c in KEYS else pd.Series(v, dtype=object) for c, v in read.columns().items()}
            yield pd.DataFrame(values)

    def scan_stored(
        self, table: str, columns: Sequence[str], *, chunk_rows: int | None = None, within: Range = WHOLE
    ) -> Iterator[StoredRows]:
        """All rows of a table in chunks, in the order of its ids; rows may be changed while the scan goes on.

        Args:
            table: name of a data table.
            columns: columns to read.
            chunk_rows: rows a chunk, at most; None for as many as are read at once.
            within: only rows of this range of ids, as `split` gives it.

        Raises:
            DatabaseError: rows without an id, or ids that are duplicated; before the first chunk. Of a range,
                which is a part of a table that was looked at when it was split, they are not looked for.
            UnknownTableError, UnknownColumnError, DatabaseUnavailableError: as `read`.
        """
        if within == WHOLE:
            self.check_ids(table)
        source = self.data_table(table, columns)
        query, decode = self._stored(source, columns)
        query = within.of(query, source.c.id, self.engine.dialect.name)
        for rows in self._pages(source, query, chunk_rows):
            yield stored_rows(table, columns, self.ids(source, rows), rows, decode)


def _columns(columns: Sequence[str]) -> list[str]:
    """Each column once, without the keys."""
    return [column for column in dict.fromkeys(columns) if column not in KEYS]
