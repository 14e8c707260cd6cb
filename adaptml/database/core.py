"""One way to read features and to write results: vectorised, in key order, with bound parameters."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import pandas as pd
import sqlalchemy as sa
from sqlalchemy import exc
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.types import TypeEngine

from adaptml.database import cratedb
from adaptml.database.types import feature_type
from adaptml.errors import (
    DatabaseError,
    DatabaseUnavailableError,
    MissingDataPointsError,
    SettingsError,
    UnknownColumnError,
    UnknownTableError,
    listed,
)
from adaptml.frames import KEYS
from adaptml.progress import progress

CHUNK_ROWS = 5_000  # ids a statement: below SQLite's 32,766 and PostgreSQL's 65,535 parameters
LOCK_TIMEOUT_S = 30.0


class Database:
    """The data tables of one database.

    A data table is any table or view with a text column `id`; its other columns are features: text, list
    of text, number or real vector. Names of tables and columns are looked up in the database's own
    catalogue before they are used, and quoted by its dialect; values are always bound parameters.
    """

    def __init__(self, url: str, lock_timeout_s: float = LOCK_TIMEOUT_S) -> None:
        """Connect on first use.

        Args:
            url: SQLAlchemy address, such as `sqlite:///data.db` or `postgresql+psycopg://…`.
            lock_timeout_s: how long to wait for another writer's lock (SQLite), in seconds.

        Raises:
            SettingsError: the address cannot be read, or its driver is not installed.
            DatabaseUnavailableError: the folder of an SQLite file cannot be made.
        """
        try:
            parsed = sa.make_url(url)
            self.name = parsed.render_as_string(hide_password=True)
            if parsed.get_backend_name() == "sqlite":
                if parsed.database and parsed.database != ":memory:":
                    Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
                options: dict[str, Any] = {"connect_args": {"timeout": lock_timeout_s}}
            else:
                crate = parsed.get_backend_name() == cratedb.DIALECT
                options = cratedb.ENGINE_OPTIONS if crate else {"pool_pre_ping": True}
            self.engine = sa.create_engine(parsed, **options)
        except OSError as error:
            raise DatabaseUnavailableError(
                f"the database {self.name} cannot be made: {error.strerror}: {error.filename}; "
                "name another home folder or database"
            ) from error
        except exc.ArgumentError as error:
            raise SettingsError(
                f"database_url cannot be read as an address ({error}); expected such as sqlite:///data.db"
            ) from error
        except ModuleNotFoundError as error:
            raise SettingsError(
                f"database_url {self.name} needs the driver {error.name}; install the extra that brings it"
            ) from error
        self._tables: dict[str, sa.Table] = {}

    def close(self) -> None:
        """Give back every connection."""
        self.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def tables(self) -> list[str]:
        """Names of all tables and views, sorted."""
        with self._translated():
            inspector = sa.inspect(self.engine)
            return sorted({*inspector.get_table_names(), *inspector.get_view_names()})

    def columns(self, table: str) -> dict[str, TypeEngine[Any]]:
        """Names and types of a table's columns, in the table's order.

        Raises:
            UnknownTableError: no such table.
        """
        return {column.name: column.type for column in self._reflect(table).columns}

    def count(self, table: str) -> int:
        """Number of rows in a table."""
        with self._translated(), self.engine.connect() as connection:
            return connection.execute(
                sa.select(sa.func.count()).select_from(self.data_table(table))
            ).scalar_one()

    def data_table(self, table: str, columns: Sequence[str] = ()) -> sa.Table:
        """A table that holds data points and has these columns.

        Raises:
            UnknownTableError: no such table.
            UnknownColumnError: a column is not there.
            DatabaseError: its `id` is not text.
        """
        found = self._tables.get(table)
        if found is None or any(column not in found.c for column in columns):
            found = self._tables[table] = self._reflect(table)
        absent = [column for column in ("id", *columns) if column not in found.c]
        if absent:
            has = listed([column.name for column in found.columns], 20)
            raise UnknownColumnError(f"table {table!r} has no column {listed(absent)}; its columns are {has}")
        if not isinstance(found.c.id.type, sa.String):
            raise DatabaseError(
                f"column id of table {table!r} is {found.c.id.type}; expected text: make a view that casts it"
            )
        return found

    def read(
        self, keys: pd.DataFrame, columns: Sequence[str], *, show_progress: bool = False
    ) -> pd.DataFrame:
        """Columns of data points, in the order of the keys.

        Args:
            keys: frame with `table_name` and `id` (n rows); its other columns are left out. A point may
                stand more than once.
            columns: names of columns, which every table must have.
            show_progress: draw a progress bar.

        Returns:
            Frame of n rows: table_name, id and the columns; vectors are float32 arrays (d,), text lists
            are list[str], an SQL NULL is None.

        Raises:
            MissingDataPointsError: ids that are not in their table.
            UnknownTableError, UnknownColumnError, DatabaseUnavailableError: as they say.
        """
        columns = [column for column in dict.fromkeys(columns) if column not in KEYS]
        values = {column: np.empty(len(keys), dtype=object) for column in columns}
        found = np.zeros(len(keys), dtype=bool)
        with progress("reading", len(keys), shown=show_progress) as advance:
            for table, group in keys.reset_index(drop=True).groupby("table_name", sort=False):
                self.data_table(str(table), columns)
                positions = group.index.to_numpy()
                for start in range(0, len(group), CHUNK_ROWS):
                    here = positions[start : start + CHUNK_ROWS]
                    self._read_chunk(str(table), keys["id"].to_numpy()[here], here, values, found)
                    advance(len(here))
        if not found.all():
            absent = keys.loc[~found, KEYS].drop_duplicates()
            raise MissingDataPointsError(list(absent.itertuples(index=False, name=None)), asked=len(keys))
        # object: pandas would make NaN of the None among texts
        read = {column: pd.Series(cells, dtype=object) for column, cells in values.items()}
        return pd.DataFrame({key: keys[key].to_numpy() for key in KEYS} | read)

    def _read_chunk(
        self,
        table: str,
        ids: np.ndarray[Any, Any],
        positions: np.ndarray[Any, Any],
        values: Mapping[str, np.ndarray[Any, Any]],
        found: np.ndarray[Any, Any],
    ) -> None:
        """Fill the rows `positions` of `values` and `found` with what the table holds for `ids`."""
        source = self.data_table(table, list(values))
        query = sa.select(source.c.id, *(source.c[column] for column in values))
        with self._translated(), self.engine.connect() as connection:
            rows = connection.execute(query.where(cratedb.among(connection, source.c.id, ids))).all()
        by_id = {row[0]: row for row in rows}
        if len(by_id) < len(rows):
            seen: set[str] = set()
            twice = [row[0] for row in rows if row[0] in seen or seen.add(row[0])]  # type: ignore[func-returns-value]
            raise DatabaseError(
                f"table {table!r} holds the id {listed(twice)} more than once; ids must be unique"
            )
        here = [(position, by_id[key]) for position, key in zip(positions, ids, strict=True) if key in by_id]
        if not here:
            return
        places = np.fromiter((position for position, _ in here), np.int64, len(here))
        found[places] = True
        for column, cells in enumerate(values.values(), start=1):
            read = np.empty(len(here), dtype=object)
            read[:] = [row[column] for _, row in here]
            cells[places] = read

    def keys(self, table: str, where: str | None = None) -> pd.DataFrame:
        """Keys of a data table's rows, ordered by id.

        Args:
            table: name of a data table.
            where: a person's own SQL condition; rows are read in a transaction that is never committed.

        Returns:
            Frame of n rows: table_name, id.

        Raises:
            UnknownTableError: no such table.
            DatabaseError: a condition that the database does not take, or with a semicolon in it.
        """
        source = self.data_table(table)
        query = sa.select(source.c.id).order_by(source.c.id)
        if where is not None:
            if ";" in where:
                raise DatabaseError(f"where {where!r} holds a semicolon; expected one condition: take it out")
            query = query.where(sa.text(f"({where})".replace(":", r"\:")))
        with self._translated(), self.engine.connect() as connection:
            self._read_only(connection)
            ids = connection.execute(query).scalars().all()
        return pd.DataFrame({"table_name": table, "id": ids}, dtype=str)

    @staticmethod
    def _read_only(connection: sa.Connection) -> None:
        """Whatever a person's condition calls changes nothing; CrateDB has no such functions."""
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("SET TRANSACTION READ ONLY")

    def result_keys(self, table: str) -> pd.DataFrame:
        """Keys of the data points that a table of results holds, each once: table_name, id."""
        source = self._table(table, KEYS)
        with self._translated(), self.engine.connect() as connection:
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
            with self._translated(), self.engine.connect() as connection:
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
        with self._translated(), self.engine.connect() as connection:
            return connection.execute(
                sa.select(sa.func.count()).select_from(source).where(empty)
            ).scalar_one()

    def create_table(
        self, table: str, columns: Mapping[str, TypeEngine[Any]], keys: Sequence[str] = ("id",)
    ) -> None:
        """Create a table unless it is there; add those of the columns that it lacks.

        Args:
            table: name of the table.
            columns: name and type of each column, keys included.
            keys: the columns of the primary key.
        """
        if table not in self.tables():
            parts = [sa.Column(name, kind, primary_key=name in keys) for name, kind in columns.items()]
            with self._translated():
                sa.Table(table, sa.MetaData(), *parts).create(self.engine, checkfirst=True)
        self.add_columns(table, columns)

    def add_columns(self, table: str, columns: Mapping[str, TypeEngine[Any]]) -> None:
        """Add those of the columns to a table that it lacks; their values are NULL."""
        present = self._reflect(table)
        quote = self.engine.dialect.identifier_preparer.quote
        for name, kind in columns.items():
            if name not in present.c:
                # DDL takes no bound parameters: the dialect quotes the names and compiles the type.
                statement = (
                    f"ALTER TABLE {quote(table)} ADD COLUMN {quote(name)} {kind.compile(self.engine.dialect)}"
                )
                with self._translated(), self.engine.begin() as connection:
                    connection.execute(sa.text(statement.replace(":", r"\:")))
        self._tables.pop(table, None)

    def upsert(self, table: str, frame: pd.DataFrame, keys: Sequence[str], *, replace: bool = True) -> int:
        """Write rows into a table in one transaction: all of them or none (CrateDB: see `check_bulk`).

        Args:
            table: name of the table.
            frame: columns named as the table's.
            keys: the columns of the table's primary key.
            replace: rows that are there already take the new values; left as they are where False.

        Returns:
            How many rows were new.
        """
        target = self._table(table, list(frame.columns))
        dialect = sqlite if self.engine.dialect.name == "sqlite" else postgresql
        statement: Any = dialect.insert(target)
        payload = [column for column in frame.columns if column not in keys]
        if replace and payload:
            new = {column: statement.excluded[column] for column in payload}
            statement = statement.on_conflict_do_update(index_elements=list(keys), set_=new)
        else:
            statement = statement.on_conflict_do_nothing(index_elements=list(keys))
        count = sa.select(sa.func.count()).select_from(target)
        with self._translated(), self.engine.begin() as connection:
            cratedb.refresh(connection, target)
            before = connection.execute(count).scalar_one()
            for start in range(0, len(frame), CHUNK_ROWS):
                done = connection.execute(statement, records(frame.iloc[start : start + CHUNK_ROWS]))
                cratedb.check_bulk(done, table)
            cratedb.refresh(connection, target)
            return int(connection.execute(count).scalar_one() - before)

    def update(self, table: str, frame: pd.DataFrame) -> None:
        """Set columns of rows that exist, by id, in one transaction.

        Args:
            table: name of a data table.
            frame: `id` and the columns to set; a column `table_name` is not written.
        """
        payload = [column for column in frame.columns if column not in KEYS]
        target = self.data_table(table, payload)
        statement = sa.update(target).where(target.c.id == sa.bindparam("_key"))
        statement = statement.values({column: sa.bindparam(column) for column in payload})
        rows = [{"_key": row.pop("id")} | row for row in records(frame[["id", *payload]])]
        if rows:
            with self._translated(), self.engine.begin() as connection:
                if cratedb.is_cratedb(connection):
                    cratedb.update(connection, target, rows, "_key")
                else:
                    connection.execute(statement, rows)

    def _table(self, table: str, columns: Sequence[str]) -> sa.Table:
        found = self._reflect(table)
        absent = [column for column in columns if column not in found.c]
        if absent:
            raise UnknownColumnError(
                f"table {table!r} has no column {listed(absent)}; add it or drop it from the frame"
            )
        return found

    def _reflect(self, table: str) -> sa.Table:
        """The table as the catalogue describes it now."""
        names = self.tables()
        if table not in names:
            raise UnknownTableError(
                f"no table {table!r} in {self.name}; its tables are {listed(names, 20) or 'none'}"
            )
        with self._translated():
            listeners = [("column_reflect", _as_feature)]
            return sa.Table(table, sa.MetaData(), autoload_with=self.engine, listeners=listeners)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Turn the driver's errors into ours, without the statement and its values."""
        try:
            yield
        except (exc.OperationalError, exc.InterfaceError, exc.TimeoutError) as error:
            reason = " ".join(str(getattr(error, "orig", error)).split())
            raise DatabaseUnavailableError(
                f"the database {self.name} does not answer: {reason}; "
                "see that it runs and is not locked, then try again"
            ) from error
        except exc.DBAPIError as error:
            reason = " ".join(str(error.orig).split())
            raise DatabaseError(f"the database {self.name} refused: {reason}") from error


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as plain Python values, for a driver: numpy scalars unpacked, missing values None."""
    columns = {str(name): [_plain(value) for value in frame[name]] for name in frame.columns}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _plain(value: Any) -> Any:
    if isinstance(value, (str, list, tuple, np.ndarray)) or value is None:
        return value
    if pd.isna(value):
        return None
    return value.item() if isinstance(value, np.generic) else value


def _as_feature(_inspector: Any, _table: Any, column: dict[str, Any]) -> None:
    column["type"] = feature_type(column["type"])
