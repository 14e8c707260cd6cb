"""A connection to one database: its address, its catalogue, its errors as ours."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

import sqlalchemy as sa
from sqlalchemy import exc
from sqlalchemy.engine.reflection import Inspector
from sqlalchemy.types import TypeEngine

from adaptml.database import catalogue, sqlite_file
from adaptml.database.addresses import parse, unreadable
from adaptml.database.engines import PATIENCE_S, Limits, make_engine
from adaptml.database.keys import is_key
from adaptml.database.refusals import ours
from adaptml.database.unique_ids import is_unique
from adaptml.errors import (
    DatabaseError,
    DatabaseUnavailableError,
    SettingsError,
    UnknownColumnError,
    UnknownTableError,
    listed,
    one_line,
)
from adaptml.masking import masked

EXTRAS = {"postgresql": "postgresql", "crate": "cratedb"}  # kind of database → the extra with its driver
SCHEMES = "sqlite:///, postgresql+psycopg://, crate://"


class Connected:
    """A database whose tables and columns are looked up in its own catalogue before they are used."""

    def __init__(
        self,
        url: str,
        patience_s: float = PATIENCE_S,
        *,
        setting: str = "database_url",
        make: bool = True,
        statement_s: float | None = None,
        connections: int | None = None,
    ) -> None:
        """Connect on first use.

        Args:
            url: SQLAlchemy address, such as `sqlite:///data.db` or `postgresql+psycopg://…`.
            patience_s: how long to wait for a connection, for another's lock, or for a server that is
                starting, in seconds: see `Limits`.
            setting: what names the address, for messages.
            make: make a SQLite file that is not there yet.
            statement_s, connections: see `Limits`.

        Raises:
            SettingsError: the address cannot be read, or its driver is not installed.
            DatabaseUnavailableError: the folder of an SQLite file cannot be made.
        """
        self._tables: dict[str, sa.Table] = {}
        self._names: list[str] | None = None
        self._declared: dict[str, dict[str, TypeEngine[Any]]] = {}
        self._limits = Limits(patience_s, statement_s, connections)
        parsed = parse(url, setting)
        self.name = masked(url)
        try:
            self.engine = make_engine(parsed, self._limits, make=make)
            self._is_watched = sqlite_file.is_file(parsed)
            if self._is_watched:
                sqlite_file.watch(self.engine, str(parsed.database), self._forget, make=make)
        except OSError as error:
            raise DatabaseUnavailableError(
                f"the database {self.name} cannot be made: {error.strerror}: {error.filename}; "
                "name another home folder or database"
            ) from error
        except (ModuleNotFoundError, exc.NoSuchModuleError) as error:
            kind = parsed.get_backend_name()
            fix = f"pip install -e '.[{EXTRAS[kind]}]'" if kind in EXTRAS else f"expected one of {SCHEMES}"
            raise SettingsError(
                f"{setting} {self.name} needs a driver that is not installed ({one_line(error)}): {fix}"
            ) from error
        except exc.ArgumentError as error:
            raise unreadable(error, setting) from error

    def _forget(self) -> None:
        """What was known of the tables may not be so any more."""
        self._tables, self._names = {}, None

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
        """Names of all tables and views, sorted; for those of other schemas see `tables_elsewhere`."""
        with self._inspected() as inspector:
            return self._names_here(inspector)

    def _names_here(self, inspector: Inspector) -> list[str]:
        """As `tables`; those of a watched file are known until they may be others."""
        known = self._names
        if known is None or not self._is_watched:
            known = self._names = catalogue.names(inspector)
        return list(known)

    def tables_elsewhere(self) -> list[str]:
        """The tables and views of other schemas, as `schema.table`, sorted."""
        with self._inspected() as inspector:
            return catalogue.elsewhere(inspector)

    def has_table(self, table: str) -> bool:
        """Whether there is a table or view of this name, which may be `schema.table`."""
        try:
            with self._inspected() as inspector:
                catalogue.find(inspector, table, self.name, self._names_here(inspector))
        except UnknownTableError:
            return False
        return True

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

    def data_table(self, table: str, columns: Sequence[str] = (), *, fresh: bool = False) -> sa.Table:
        """A table that holds data points and has these columns.

        Args:
            table: its name, or `schema.table`.
            columns: those that it must have.
            fresh: look it up again, although it was looked up before.

        Raises:
            UnknownTableError: no such table.
            UnknownColumnError: a column is not there.
            DatabaseError: its `id` is neither text nor whole numbers nor UUIDs.
        """
        found = self._tables.get(table)
        if fresh or found is None or any(column not in found.c for column in columns):
            found = self._reflect(table)
        absent = [column for column in ("id", *columns) if column not in found.c]
        if absent:
            has = listed([column.name for column in found.columns], 20)
            raise UnknownColumnError(f"table {table!r} has no column {listed(absent)}; its columns are {has}")
        if not is_key(found.c.id.type, self.engine.dialect.name):
            raise DatabaseError(
                f"column id of table {table!r} is {found.c.id.type}; expected text, whole numbers or UUIDs: "
                "make such a column, or a view that names another column id"
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
        """The table as the catalogue describes it now; of a watched file, as it did when it last changed."""
        with self._inspected() as inspector:
            known = self._tables  # another, once something has changed
            if self._is_watched and (found := known.get(table)) is not None:
                return found
            schema, name = catalogue.find(inspector, table, self.name, self._names_here(inspector))
            known[table] = catalogue.reflected(inspector, schema, name, self._declared.get(table, {}))
            return known[table]

    def has_unique_ids(self, table: sa.Table) -> bool:
        """Whether the constraints of a table, as `data_table` gives it, keep its ids apart."""
        if table.primary_key.columns.keys() == ["id"]:
            return True
        with self._inspected() as inspector:
            return is_unique(inspector, table)

    @contextmanager
    def _inspected(self) -> Iterator[Inspector]:
        """The database's own catalogue, asked by one connection."""
        with self.translated(), self.engine.connect() as connection:
            yield sa.inspect(connection)

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Turn the driver's errors into ours, without the statement and its values."""
        try:
            yield
        except (exc.DBAPIError, exc.TimeoutError) as error:
            is_step = self._limits.connections is None  # a service has no time to ask who holds a lock
            raise ours(error, self.name, self.engine, names_holders=is_step) from error
