"""Reading by key, by range and by condition: vectorised, in key order, with bound parameters."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import sqlalchemy as sa

from adaptml.database import cratedb
from adaptml.database.chunks import ChunkSize, TooMuchAtOnceError, read_by_ids
from adaptml.database.connection import Connected
from adaptml.database.stored import Decode, StoredRows, stored
from adaptml.errors import DatabaseError, DatabaseUnavailableError, MissingDataPointsError, listed
from adaptml.frames import KEYS
from adaptml.progress import progress

CHUNK_ROWS = 5_000  # ids a statement, at most: below SQLite's 32,766 and PostgreSQL's 65,535 parameters
PAGE_ROWS = 20_000  # rows a statement, at most, where many are read in the order of their ids
BY_PAGE = 0.25  # share of a table's rows from which reading all of them is faster than looking each up

Places = npt.NDArray[np.int64]


class Reader(Connected):
    """A database that is read."""

    def count(self, table: str) -> int:
        """Number of rows in a table."""
        with self.translated(), self.engine.connect() as connection:
            return connection.execute(
                sa.select(sa.func.count()).select_from(self.data_table(table))
            ).scalar_one()

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
            DatabaseError: ids that are duplicated, or an `id` that is not text.
            DatabaseUnavailableError: the database is away or locked.
        """
        columns = [column for column in dict.fromkeys(columns) if column not in KEYS]
        cells = _Cells({column: np.empty(len(keys), dtype=object) for column in columns}, len(keys))
        with progress("reading", len(keys), shown=show_progress) as advance:
            for table, group in keys.reset_index(drop=True).groupby("table_name", sort=False):
                source = self.data_table(str(table), columns)
                query = sa.select(source.c.id, *(source.c[column] for column in columns))
                positions = group.index.to_numpy()
                ids = keys["id"].to_numpy()[positions].tolist()
                for start, rows in read_by_ids(ids, CHUNK_ROWS, partial(self._rows_by_id, source, query)):
                    cells.fill(positions[start : start + len(rows)], rows)
                    advance(len(rows))
        if not cells.found.all() and not skip_missing:
            absent = keys.loc[~cells.found, KEYS].drop_duplicates()
            raise MissingDataPointsError(list(absent.itertuples(index=False, name=None)), asked=len(keys))
        # object: pandas would make NaN of the None among texts
        read = {column: pd.Series(values, dtype=object) for column, values in cells.by_column.items()}
        frame = pd.DataFrame({key: keys[key].to_numpy() for key in KEYS} | read)
        return frame if cells.found.all() else frame[cells.found].reset_index(drop=True)

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
        columns = [column for column in dict.fromkeys(columns) if column not in KEYS]
        missing: list[tuple[str, str]] = []
        for name, group in keys.reset_index(drop=True).groupby("table_name", sort=False):
            table, ids, positions = str(name), group["id"].tolist(), group.index.to_numpy()
            pages = self._by_page if self._asks_for_most(table, group) else self._by_id
            found = np.zeros(len(ids), dtype=bool)
            for here, rows, decode in pages(table, columns, ids):
                found[here] = True
                cells = list(zip(*rows, strict=True))
                by_column: dict[str, Sequence[Any]] = dict(zip(columns, cells[1:], strict=True))
                yield StoredRows(table, cells[0], by_column, decode, positions[here])
            if not found.all() and len(set(ids)) < len(ids):
                raise _duplicated(table, ids)
            missing += [(table, ids[place]) for place in np.flatnonzero(~found)]
        if missing:
            raise MissingDataPointsError(list(dict.fromkeys(missing)), asked=len(keys))

    def _asks_for_most(self, table: str, group: pd.DataFrame) -> bool:
        return len(group) > CHUNK_ROWS and len(group) >= BY_PAGE * self.count(table)

    def _by_page(
        self, table: str, columns: Sequence[str], ids: Sequence[str]
    ) -> Iterator[tuple[Places, Sequence[Any], dict[str, Decode]]]:
        """Those rows of a whole table that were asked for, with their places among the ids."""
        source = self.data_table(table, columns)
        select, decode = self._stored(source, columns)
        place_of: dict[str, int] | None = None  # needed only where ids and table are not in step
        start, last = 0, None
        for rows in self._pages(source, select, PAGE_ROWS):
            read = [row[0] for row in rows]
            if len({last, *read}) <= len(read):
                raise _duplicated(table, [last, *read])
            last = read[-1]
            if place_of is None and read == ids[start : start + len(read)]:
                yield np.arange(start, start + len(read)), rows, decode
                start += len(read)
                continue
            if place_of is None:
                place_of = {key: place for place, key in enumerate(ids)}
            places = [place_of.get(key, -1) for key in read]
            asked = [row for row, place in zip(rows, places, strict=True) if place >= 0]
            if asked:
                yield np.array([place for place in places if place >= 0]), asked, decode

    def _by_id(
        self, table: str, columns: Sequence[str], ids: Sequence[str]
    ) -> Iterator[tuple[Places, Sequence[Any], dict[str, Decode]]]:
        """Rows looked up by their ids, those that are there, with their places among the ids."""
        source = self.data_table(table, columns)
        select, decode = self._stored(source, columns)
        for start, rows in read_by_ids(ids, CHUNK_ROWS, partial(self._rows_by_id, source, select)):
            here = [(start + place, row) for place, row in enumerate(rows) if row is not None]
            if here:
                yield np.array([place for place, _ in here]), [row for _, row in here], decode

    def _stored(self, source: sa.Table, columns: Sequence[str]) -> tuple["sa.Select[Any]", dict[str, Decode]]:
        found = {column: stored(source.c[column], self.engine.dialect) for column in columns}
        select = sa.select(source.c.id, *(selected for selected, _ in found.values()))
        return select, {column: decode for column, (_, decode) in found.items() if decode is not None}

    def _rows_by_id(
        self, source: sa.Table, query: "sa.Select[Any]", ids: Sequence[str]
    ) -> list[Sequence[Any] | None]:
        """For each of the ids the row that a query finds, the id first, or None where there is none."""
        with self.translated(), self.engine.connect() as connection:
            rows = connection.execute(query.where(cratedb.among(connection, source.c.id, ids))).all()
        by_id = {row[0]: row for row in rows}
        if len(by_id) < len(rows):
            raise _duplicated(source.name, [row[0] for row in rows])
        return [by_id.get(key) for key in ids]

    def keys(self, table: str, where: str | None = None) -> pd.DataFrame:
        """Keys of a data table's rows, ordered by id.

        Args:
            table: name of a data table.
            where: a person's own SQL condition; rows are read in a transaction that is never committed.

        Returns:
            Frame of n rows: table_name, id.

        Raises:
            UnknownTableError: no such table.
            DatabaseError: a condition that the database refuses, or with a semicolon in it.
            DatabaseUnavailableError: the database is away or locked.
        """
        source = self.data_table(table)
        query = sa.select(source.c.id).order_by(source.c.id)
        if where is not None:
            if ";" in where:
                raise DatabaseError(f"where {where!r} holds a semicolon; expected one condition: take it out")
            query = query.where(sa.text(f"({where}\n)".replace(":", r"\:")))
        try:
            with self.translated(), self.engine.connect() as connection:
                self._read_only(connection)
                pages = connection.execute(query).partitions(PAGE_ROWS)
                ids = [key for page in pages for (key,) in page]
        except DatabaseUnavailableError:
            raise
        except DatabaseError as error:
            if where is None:
                raise
            columns = listed([column.name for column in source.columns], 20)
            raise DatabaseError(
                f"where {where!r} cannot be used on table {table!r}, whose columns are {columns}: {error}"
            ) from error
        return pd.DataFrame({"table_name": table, "id": ids}, dtype=str)

    @staticmethod
    def _read_only(connection: sa.Connection) -> None:
        """Whatever a person's condition calls changes nothing; CrateDB has no such functions."""
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
        where_null: Sequence[str] = (),
        chunk_rows: int = CHUNK_ROWS,
    ) -> Iterator[pd.DataFrame]:
        """All rows of a table in chunks, ordered by id; rows may be updated while the scan goes on.

        Args:
            table: name of a data table.
            columns: columns to read.
            where_null: only rows in which at least one of these columns is NULL.
            chunk_rows: rows a chunk, at most.
        """
        source = self.data_table(table, [*columns, *where_null])
        query = sa.select(source.c.id, *(source.c[c] for c in columns))
        if where_null:
            query = query.where(sa.or_(*(source.c[column].is_(sa.null()) for column in where_null)))
        for rows in self._pages(source, query, chunk_rows):
            ids = [row[0] for row in rows]
            values = {c: pd.Series([row[i + 1] for row in rows], dtype=object) for i, c in enumerate(columns)}
            yield pd.DataFrame({"table_name": table, "id": ids} | values)

    def _pages(
        self, source: sa.Table, query: "sa.Select[Any]", page_rows: int
    ) -> Iterator[Sequence["sa.Row[Any]"]]:
        """All rows that a query finds, the id first, ordered by id; each page is a transaction of its own."""
        query, last, size = query.order_by(source.c.id), None, ChunkSize(page_rows)
        while True:
            # The last row again, so that another one with its id is not passed over.
            page = (query if last is None else query.where(source.c.id >= last)).limit(size.rows + 1)
            try:
                with self.translated(), self.engine.connect() as connection:
                    rows = connection.execute(page).all()
            except TooMuchAtOnceError as error:
                size.refused(size.rows, error)
                continue
            rows = rows[1:] if rows and rows[0][0] == last else rows[: size.rows]
            if not rows:
                return
            last = rows[-1][0]
            size.read(rows)
            yield rows

    def count_null(self, table: str, columns: Sequence[str]) -> int:
        """Number of rows in which at least one of the columns is NULL."""
        source = self.data_table(table, columns)
        empty = sa.or_(*(source.c[column].is_(sa.null()) for column in columns))
        with self.translated(), self.engine.connect() as connection:
            return connection.execute(
                sa.select(sa.func.count()).select_from(source).where(empty)
            ).scalar_one()


def _duplicated(table: str, ids: Sequence[Any]) -> DatabaseError:
    duplicated = [key for key, n in Counter(ids).items() if n > 1]
    return DatabaseError(
        f"duplicated ids in table {table!r}: {listed(duplicated)}; ids must be unique: keep one row of each"
    )


class _Cells:
    """Columns of n rows that are filled a few rows at a time.

    Attributes:
        by_column: the n values of each column.
        found: which rows have been filled, bool (n,).
    """

    def __init__(self, by_column: Mapping[str, np.ndarray[Any, Any]], n: int) -> None:
        self.by_column, self.found = by_column, np.zeros(n, dtype=bool)

    def fill(self, positions: np.ndarray[Any, Any], rows: Sequence[Sequence[Any] | None]) -> None:
        """Fill the rows at these positions; None leaves one empty."""
        here = [(position, row) for position, row in zip(positions, rows, strict=True) if row is not None]
        places = np.fromiter((position for position, _ in here), np.int64, len(here))
        self.found[places] = True
        for column, cells in enumerate(self.by_column.values(), start=1):
            read = np.empty(len(here), dtype=object)
            read[:] = [row[column] for _, row in here]
            cells[places] = read
