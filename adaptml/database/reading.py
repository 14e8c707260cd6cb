"""Reading by key, by range and by condition: vectorised, in key order, with bound parameters."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import sqlalchemy as sa

from adaptml.database import cratedb
from adaptml.database.connection import Connected
from adaptml.errors import DatabaseError, DatabaseUnavailableError, MissingDataPointsError, listed
from adaptml.frames import KEYS
from adaptml.progress import progress

CHUNK_ROWS = 5_000  # ids a statement: below SQLite's 32,766 and PostgreSQL's 65,535 parameters


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
                self.data_table(str(table), columns)
                positions = group.index.to_numpy()
                for start in range(0, len(group), CHUNK_ROWS):
                    here = positions[start : start + CHUNK_ROWS]
                    cells.fill(here, self._rows_by_id(str(table), columns, keys["id"].to_numpy()[here]))
                    advance(len(here))
        if not cells.found.all() and not skip_missing:
            absent = keys.loc[~cells.found, KEYS].drop_duplicates()
            raise MissingDataPointsError(list(absent.itertuples(index=False, name=None)), asked=len(keys))
        # object: pandas would make NaN of the None among texts
        read = {column: pd.Series(values, dtype=object) for column, values in cells.by_column.items()}
        frame = pd.DataFrame({key: keys[key].to_numpy() for key in KEYS} | read)
        return frame if cells.found.all() else frame[cells.found].reset_index(drop=True)

    def _rows_by_id(
        self, table: str, columns: Sequence[str], ids: np.ndarray[Any, Any]
    ) -> list[Sequence[Any] | None]:
        """For each of the ids its row, the id first, or None where the table does not hold it."""
        source = self.data_table(table, columns)
        query = sa.select(source.c.id, *(source.c[column] for column in columns))
        with self.translated(), self.engine.connect() as connection:
            rows = connection.execute(query.where(cratedb.among(connection, source.c.id, ids))).all()
        by_id = {row[0]: row for row in rows}
        if len(by_id) < len(rows):
            counts = Counter(row[0] for row in rows)
            duplicated = [key for key, n in counts.items() if n > 1]
            raise DatabaseError(
                f"duplicated ids in table {table!r}: {listed(duplicated)}; ids must be unique: "
                "keep one row of each"
            )
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
                ids = connection.execute(query).scalars().all()
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
        query = (
            sa.select(source.c.id, *(source.c[c] for c in columns)).order_by(source.c.id).limit(chunk_rows)
        )
        if where_null:
            query = query.where(sa.or_(*(source.c[column].is_(sa.null()) for column in where_null)))
        last: str | None = None
        while True:
            page = query if last is None else query.where(source.c.id > last)
            with self.translated(), self.engine.connect() as connection:
                rows = connection.execute(page).all()
            if not rows:
                return
            last = rows[-1][0]
            ids = [row[0] for row in rows]
            values = {c: pd.Series([row[i + 1] for row in rows], dtype=object) for i, c in enumerate(columns)}
            yield pd.DataFrame({"table_name": table, "id": ids} | values)

    def count_null(self, table: str, columns: Sequence[str]) -> int:
        """Number of rows in which at least one of the columns is NULL."""
        source = self.data_table(table, columns)
        empty = sa.or_(*(source.c[column].is_(sa.null()) for column in columns))
        with self.translated(), self.engine.connect() as connection:
            return connection.execute(
                sa.select(sa.func.count()).select_from(source).where(empty)
            ).scalar_one()


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
