"""A connection to one database: its address, its catalogue, its errors as ours."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import sqlalchemy as sa
from sqlalchemy import exc
from sqlalchemy.types import TypeEngine

from adaptml.database import cratedb
from adaptml.database.cratedb_errors import refusal
from adaptml.database.types import feature_type
from adaptml.errors import (
    DatabaseError,
    DatabaseUnavailableError,
    SettingsError,
    UnknownColumnError,
    UnknownTableError,
    listed,
    one_line,
)

PATIENCE_S = 30.0


class Connected:
    """A database whose tables and columns are looked up in its own catalogue before they are used."""

    def __init__(self, url: str, patience_s: float = PATIENCE_S, *, setting: str = "database_url") -> None:
        """Connect on first use.

        Args:
            url: SQLAlchemy address, such as `sqlite:///data.db` or `postgresql+psycopg://…`.
            patience_s: how long to wait for another writer's lock (SQLite) or a server that is starting
                (CrateDB), in seconds.
            setting: what names the address, for messages.

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
                options: dict[str, Any] = {"connect_args": {"timeout": patience_s}}
            else:
                crate = parsed.get_backend_name() == cratedb.DIALECT
                options = cratedb.ENGINE_OPTIONS if crate else {"pool_pre_ping": True}
            self.engine = sa.create_engine(parsed, **options)
            if cratedb.is_cratedb(self.engine):
                cratedb.set_up(self.engine, patience_s)
        except OSError as error:
            raise DatabaseUnavailableError(
                f"the database {self.name} cannot be made: {error.strerror}: {error.filename}; "
                "name another home folder or database"
            ) from error
        except (exc.ArgumentError, ValueError) as error:  # ValueError: a port of letters
            raise SettingsError(
                f"{setting} cannot be read as an address ({error}); expected such as sqlite:///data.db"
            ) from error
        except ModuleNotFoundError as error:
            raise SettingsError(
                f"{setting} {self.name} needs the driver {error.name}; install the extra that brings it"
            ) from error
        self._tables: dict[str, sa.Table] = {}
        self._declared: dict[str, dict[str, TypeEngine[Any]]] = {}

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
        with self.translated():
            inspector = sa.inspect(self.engine)
            return sorted({*inspector.get_table_names(), *inspector.get_view_names()})

    def declare(self, table: str, columns: Mapping[str, TypeEngine[Any]]) -> None:
        """Say what columns of a table are that a step made, where its catalogue does not: `PackedVector`.

        Args:
            table: its name; it need not be there yet. `create_table` does this by itself.
            columns: name and type of such columns, or of all.
        """
        self._declared[table] = self._declared.get(table, {}) | dict(columns)
        self._tables.pop(table, None)

    def columns(self, table: str) -> dict[str, TypeEngine[Any]]:
        """Names and types of a table's columns, in the table's order.

        Raises:
            UnknownTableError: no such table.
        """
        return {column.name: column.type for column in self._reflect(table).columns}

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

    def found_table(self, table: str, columns: Sequence[str]) -> sa.Table:
        """Any table that has these columns.

        Raises:
            UnknownTableError: no such table.
            UnknownColumnError: a column is not there.
        """
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
        with self.translated():
            listeners = [("column_reflect", self._give_type)]
            return sa.Table(table, sa.MetaData(), autoload_with=self.engine, listeners=listeners)

    def _give_type(self, _inspector: Any, table: sa.Table, column: dict[str, Any]) -> None:
        declared = self._declared.get(table.name, {}).get(column["name"])
        column["type"] = declared or feature_type(column["type"])

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Turn the driver's errors into ours, without the statement and its values."""
        try:
            yield
        except (exc.OperationalError, exc.InterfaceError, exc.TimeoutError) as error:
            cause = getattr(error, "orig", None) or error
            if getattr(cause, "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR:  # wrong SQL, not a lock
                raise DatabaseError(f"the database {self.name} refused: {one_line(cause)}") from error
            raise DatabaseUnavailableError(
                f"the database {self.name} does not answer: {one_line(cause)}; "
                "see that it runs and is not locked, then try again"
            ) from error
        except exc.DBAPIError as error:
            reason = one_line(error.orig or error)
            if cratedb.is_cratedb(self.engine):
                raise refusal(self.name, reason) from error
            raise DatabaseError(f"the database {self.name} refused: {reason}") from error
