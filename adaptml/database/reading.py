"""Reading by key, by range and by condition: vectorised, in key order, with bound parameters."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from adaptml.database import cratedb
from adaptml.database.cells import Cells
from adaptml.database.chunks import ChunkSize, TooMuchAtOnceError, read_by_ids
from adaptml.database.connection import Connected
from adaptml.database.keys import WHOLE, Range, to_column, to_text
from adaptml.database.not_text import NOT_UTF8, name_not_text
from adaptml.database.stored import Decode, StoredRows, stored, stored_rows
from adaptml.database.unique_ids import bad_ids, duplicated, is_unique, may_be_null
from adaptml.errors import DatabaseError, DatabaseUnavailableError, MissingDataPointsError, listed
from adaptml.frames import KEYS
from adaptml.progress import progress

CHUNK_ROWS = 5_000  # ids a statement, at most: below SQLite's 32,766 and PostgreSQL's 65,535 parameters
PAGE_ROWS = 20_000  # rows a statement, at most, where many are read in the order of their ids
ID_PAGE_ROWS = 500_000  # the same where a row is an id alone
BY_PAGE = 0.25  # share of a table's rows from which reading all of them is faster than looking each up


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
            DatabaseError: duplicated ids, an `id` that is neither text nor whole numbers nor UUIDs, or
                a cell that is not what its column is.
            DatabaseUnavailableError: the database is away or locked.
        """
        keys, columns = _asked(keys, columns)
        cells = Cells({column: np.empty(len(keys), dtype=object) for column in columns}, len(keys))
        with progress("reading", len(keys), shown=show_progress) as advance:
            for table, group in keys.reset_index(drop=True).groupby("table_name", sort=False):
                places, ids = group.index.to_numpy(), group["id"].tolist()
                for rows in self.by_key(str(table), columns, ids):
                    cells.fill(places[rows.positions], rows.columns())
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
        keys, columns = _asked(keys, columns)
        missing: list[tuple[str, str]] = []
        for name, group in keys.reset_index(drop=True).groupby("table_name", sort=False):
            table, ids, positions = str(name), group["id"].tolist(), group.index.to_numpy()
            pages = self._by_page if self._asks_for_most(table, group) else self.by_key
            found = np.zeros(len(ids), dtype=bool)
            for rows in pages(table, columns, ids):
                found[rows.positions] = True
                yield replace(rows, positions=positions[rows.positions])
            if not found.all() and len(set(ids)) < len(ids):
                raise duplicated(table, ids)
            missing += [(table, ids[place]) for place in np.flatnonzero(~found)]
        if missing:
            raise MissingDataPointsError(list(dict.fromkeys(missing)), asked=len(keys))

    def present(self, keys: pd.DataFrame) -> npt.NDArray[np.bool_]:
        """Which of n data points are in their tables, bool (n,); of a table that is gone, none are.

        Raises:
            UnknownTableError: none of the tables is there.
            DatabaseError, DatabaseUnavailableError: as `read`.
        """
        keys, _ = _asked(keys, [])
        there = np.zeros(len(keys), dtype=bool)
        groups = list(keys.reset_index(drop=True).groupby("table_name", sort=False))
        known = [(str(name), group) for name, group in groups if self.has_table(str(name))]
        if groups and not known:
            self.data_table(str(groups[0][0]), fresh=True)
        for table, group in known:
            pages = self._by_page if self._asks_for_most(table, group) else self.by_key
            for rows in pages(table, [], group["id"].tolist()):
                there[group.index.to_numpy()[rows.positions]] = True
        return there

    def _asks_for_most(self, table: str, group: pd.DataFrame) -> bool:
        return len(group) > CHUNK_ROWS and len(group) >= BY_PAGE * self.count(table)

    def _by_page(self, table: str, columns: Sequence[str], ids: Sequence[str]) -> Iterator[StoredRows]:
        """Those rows of a whole table that were asked for, with their places among the ids."""
        source = self.data_table(table, columns, fresh=True)
        select, decode = self._stored(source, columns)
        place_of: dict[str, int] | None = None  # needed only where ids and table are not in step
        start, last = 0, None
        for rows in self._pages(source, select, PAGE_ROWS):
            read = self.ids(source, rows)
            repeated = len({last, *read}) <= len(read)
            if place_of is None and not repeated and read == ids[start : start + len(read)]:
                yield stored_rows(table, columns, read, rows, decode, np.arange(start, start + len(read)))
                start, last = start + len(read), read[-1]
                continue
            if place_of is None:
                place_of = {key: place for place, key in enumerate(ids)}
            ours = [key for key in (last, *read) if key in place_of] if repeated else []
            if len(set(ours)) < len(ours):
                raise duplicated(table, ours)
            last = read[-1]
            places = [place_of.get(key, -1) for key in read]
            asked = [(row, key) for row, key, place in zip(rows, read, places, strict=True) if place >= 0]
            if asked:
                here = np.array([place for place in places if place >= 0])
                yield stored_rows(
                    table, columns, [key for _, key in asked], [row for row, _ in asked], decode, here
                )

    def by_key(self, table: str, columns: Sequence[str], ids: Sequence[str]) -> Iterator[StoredRows]:
        """Rows of a table by their ids, in chunks: those that are there, with their places among the ids.

        Args:
            table: name of a data table.
            columns: names of its columns.
            ids: n ids, none twice.

        Raises:
            UnknownTableError, UnknownColumnError, DatabaseError, DatabaseUnavailableError: as `read`.
        """
        decode: dict[str, Decode] = {}

        def ask(some: Sequence[str]) -> list["sa.Row[Any] | None"]:
            nonlocal decode
            rows, decode = self._found(table, columns, some)
            return rows

        for start, rows in read_by_ids(ids, CHUNK_ROWS, ask):
            here = [place for place, row in enumerate(rows, start) if row is not None]
            if here:
                there = [row for row in rows if row is not None]
                keys = [ids[place] for place in here]
                yield stored_rows(table, columns, keys, there, decode, np.array(here))

    def _look_up(
        self, source: sa.Table, columns: Sequence[str], ids: Sequence[str]
    ) -> tuple[list["sa.Row[Any] | None"], dict[str, Decode]]:
        """For each of the ids its row, the id first, or None; and how to decode the cells."""
        select, decode = self._stored(source, columns)
        wanted = to_column(ids, source.c.id.type, self.engine.dialect.name)
        rows = self._rows(source, select, wanted) if wanted else []
        found = self.ids(source, rows)
        by_id = dict(zip(found, rows, strict=True))
        if len(by_id) < len(rows):
            raise duplicated(source.fullname, found)
        return [by_id.get(key) for key in ids], decode

    def _found(
        self, table: str, columns: Sequence[str], ids: Sequence[str]
    ) -> tuple[list["sa.Row[Any] | None"], dict[str, Decode]]:
        """As `_look_up`; a table that was made again since it was looked at is looked at once more."""
        known = self._tables.get(table)
        source = self.data_table(table, columns)
        try:
            found = self._look_up(source, columns, ids)
            if source is not known or self._tables.get(table) is source:
                return found
        except DatabaseUnavailableError:
            raise
        except DatabaseError:
            if source is not known:
                raise
        return self._look_up(self.data_table(table, columns, fresh=True), columns, ids)

    def _rows(
        self, source: sa.Table, query: "sa.Select[Any]", among: Sequence[Any] | None = None
    ) -> Sequence["sa.Row[Any]"]:
        """What a query of a table finds, of all its rows or of those with some values as id."""
        with self.translated(), self.engine.connect() as connection:
            if among is not None:
                query = query.where(cratedb.among(connection, source.c.id, among))
            try:
                return connection.execute(query).all()
            except OperationalError as error:
                if NOT_UTF8 in str(error.orig):
                    name_not_text(connection, source.fullname, query)
                raise

    def ids(self, source: sa.Table, rows: Sequence["sa.Row[Any]"]) -> list[str]:
        """The ids of rows of a table, in each of which the id comes first and is not NULL."""
        return to_text([row[0] for row in rows], source.c.id.type, self.engine.dialect.name, source.fullname)

    def _stored(self, source: sa.Table, columns: Sequence[str]) -> tuple["sa.Select[Any]", dict[str, Decode]]:
        found = {column: stored(source.c[column], self.engine.dialect) for column in columns}
        select = sa.select(source.c.id, *(selected for selected, _ in found.values()))
        return select, {column: decode for column, (_, decode) in found.items() if decode is not None}

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
        if n_null or (not is_unique(source) and len(set(read)) < len(read)):
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
            pages = connection.execute(query.order_by(source.c.id)).partitions(PAGE_ROWS)
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
        repeated = [] if is_unique(source) else self._rows(source, groups)
        if n_null or repeated:
            rows = dict(zip(self.ids(source, repeated), (row.n for row in repeated), strict=True))
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
        for rows in self._pages(source, query, chunk_rows or PAGE_ROWS):
            yield stored_rows(table, columns, self.ids(source, rows), rows, decode)

    def _pages(
        self, source: sa.Table, query: "sa.Select[Any]", page_rows: int
    ) -> Iterator[Sequence["sa.Row[Any]"]]:
        """All rows that a query finds, the id first, ordered by id; each page is a transaction of its own.

        Rows without an id are left out.
        """
        key, last, size = source.c.id, None, ChunkSize(page_rows)
        query = query.order_by(key)
        if may_be_null(source, self.engine.dialect.name):
            query = query.where(key.is_not(sa.null()))
        while True:
            # The last row again, so that another one with its id is not passed over.
            page = (query if last is None else query.where(key >= last)).limit(size.rows + 1)
            try:
                rows = self._rows(source, page)
            except TooMuchAtOnceError as error:
                size.refused(size.rows, error)
                continue
            again = last is not None and bool(rows) and rows[0][0] == last
            rows = rows[1:] if again else rows[: size.rows]
            if not rows:
                return
            if rows[-1][0] == last:  # or the pages would not get on
                raise duplicated(source.fullname, [last, last])
            last = rows[-1][0]
            size.read(rows)
            yield rows


def _asked(keys: pd.DataFrame, columns: Sequence[str]) -> tuple[pd.DataFrame, list[str]]:
    """The keys as text, and each column once."""
    if pd.api.types.is_integer_dtype(keys["id"]):
        keys = keys.assign(id=keys["id"].astype(str))
    return keys, [column for column in dict.fromkeys(columns) if column not in KEYS]
