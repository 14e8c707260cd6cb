"""Making tables and writing rows, each call in one transaction."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.types import TypeEngine

from adaptml.database import cratedb
from adaptml.database.chunks import write_frame
from adaptml.database.connection import Connected
from adaptml.database.names import check_names
from adaptml.database.packed import PackedVector
from adaptml.database.types import FreeText
from adaptml.database.values import check_values
from adaptml.errors import DatabaseError, DatabaseUnavailableError

CHUNK_ROWS = 5_000  # rows a statement, at most


class AddColumn(sa.schema.ExecutableDDLElement):
    """ALTER TABLE … ADD COLUMN, with names and type as CREATE TABLE would write them."""

    def __init__(self, table: sa.Table) -> None:
        """Make the statement for the one column that the given table has."""
        self.table = table


@compiles(AddColumn)
def _add_column(element: AddColumn, compiler: Any, **_: Any) -> str:
    (column,) = element.table.columns
    name = compiler.preparer.format_table(element.table)
    return f"ALTER TABLE {name} ADD COLUMN {compiler.get_column_specification(column)}"


class Writer(Connected):
    """A database that is written to."""

    def create_table(
        self, table: str, columns: Mapping[str, TypeEngine[Any]], keys: Sequence[str] = ("id",)
    ) -> None:
        """Create a table unless it is there, and add the columns that it does not have yet.

        Args:
            table: name of the table.
            columns: name and type of each column, keys included.
            keys: the columns of the primary key.

        Raises:
            DatabaseError: names that the database does not take.
        """
        self.declare(table, {name: kind for name, kind in columns.items() if isinstance(kind, PackedVector)})
        if table not in self.tables():
            check_names(self.engine.dialect.name, table, list(columns))
            parts = [
                sa.Column(name, kind, primary_key=name in keys) for name, kind in self._made(columns, keys)
            ]
            with self._unless(lambda: table in self.tables()), self.translated():
                sa.Table(table, sa.MetaData(), *parts).create(self.engine, checkfirst=True)
        self.add_columns(table, columns)

    def add_columns(self, table: str, columns: Mapping[str, TypeEngine[Any]]) -> None:
        """Add the columns that a table does not have yet; their values are NULL.

        Raises:
            DatabaseError: names that the database does not take.
        """
        present = self._reflect(table)
        missing = {name: kind for name, kind in columns.items() if name not in present.c}
        check_names(self.engine.dialect.name, None, list(missing))
        for name, kind in self._made(missing, ()):
            is_there = partial(self._has_column, table, name)
            with self._unless(is_there), self.translated(), self.engine.begin() as connection:
                connection.execute(AddColumn(sa.Table(table, sa.MetaData(), sa.Column(name, kind))))
        self._tables.pop(table, None)

    def _has_column(self, table: str, name: str) -> bool:
        return name in self._reflect(table).c

    @staticmethod
    @contextmanager
    def _unless(is_there: Callable[[], bool]) -> Iterator[None]:
        """Make something; where it fails because another process made the same just now, all is well."""
        try:
            yield
        except DatabaseUnavailableError:
            raise
        except DatabaseError:
            if not is_there():
                raise

    @staticmethod
    def _made(
        columns: Mapping[str, TypeEngine[Any]], keys: Sequence[str]
    ) -> list[tuple[str, TypeEngine[Any]]]:
        """Columns with the types to make them with: text that is no key may be of any length."""
        return [
            (name, FreeText() if type(kind) is sa.Text and name not in keys else kind)
            for name, kind in columns.items()
        ]

    def upsert(self, table: str, frame: pd.DataFrame, keys: Sequence[str], *, replace: bool = True) -> int:
        """Write rows into a table in one transaction: all of them or none (CrateDB: see `execute_bulk`).

        Args:
            table: name of the table.
            frame: columns named as the table's.
            keys: the columns of the table's primary key.
            replace: rows that are there already take the new values; left as they are where False.

        Returns:
            How many rows were new.

        Raises:
            DatabaseError: a vector with NaN or infinity, or rows that the database does not take.
        """
        target, statement = self._upserting(table, frame, keys, replace=replace)
        new = 0

        def send(rows: pd.DataFrame) -> None:
            nonlocal new
            distinct = rows[[*keys]].drop_duplicates()
            with self.translated():
                before = _present(connection, target, distinct)
            self._send(connection, statement, rows, table)
            new += len(distinct) - before

        with self.translated(), self.engine.begin() as connection:
            cratedb.refresh(connection, target)
            write_frame(frame, CHUNK_ROWS, send)
            cratedb.refresh(connection, target)
        return new

    def put(self, table: str, frame: pd.DataFrame, keys: Sequence[str]) -> None:
        """The same without counting.

        Raises:
            DatabaseError: as `upsert`.
        """
        _, statement = self._upserting(table, frame, keys, replace=True)
        with self.translated(), self.engine.begin() as connection:
            write_frame(frame, CHUNK_ROWS, lambda rows: self._send(connection, statement, rows, table))

    def _upserting(
        self, table: str, frame: pd.DataFrame, keys: Sequence[str], *, replace: bool
    ) -> tuple[sa.Table, Any]:
        """The table and the statement that writes rows into it, which are checked."""
        target = self.found_table(table, list(frame.columns))
        dialect = sqlite if self.engine.dialect.name == "sqlite" else postgresql
        statement: Any = dialect.insert(target)
        payload = [column for column in frame.columns if column not in keys]
        if replace and payload:
            new = {column: statement.excluded[column] for column in payload}
            statement = statement.on_conflict_do_update(index_elements=list(keys), set_=new)
        else:
            statement = statement.on_conflict_do_nothing(index_elements=list(keys))
        check_values(target, frame, self.engine.dialect)
        return target, statement

    def _send(self, connection: sa.Connection, statement: Any, frame: pd.DataFrame, table: str) -> None:
        """Some rows in one statement; a table without ids is told by its first column."""
        ids = [str(key) for key in frame["id" if "id" in frame else frame.columns[0]]]
        with self.translated():
            cratedb.execute_bulk(connection, statement, records(frame), table, ids)


def _present(connection: sa.Connection, target: sa.Table, keys: pd.DataFrame) -> int:
    """How many of some keys, none of which comes twice, a table holds.

    They are looked for by themselves: all rows, counted before and after, would be those of others too.
    """
    *others, last = sorted(keys.columns, key=lambda name: keys[name].nunique())
    found = 0
    for same, group in keys.groupby(others, sort=False) if others else [((), keys)]:
        alike = [target.c[name] == _driver_value(value) for name, value in zip(others, same, strict=True)]
        among = cratedb.among(connection, target.c[last], map(_driver_value, group[last]))
        query = sa.select(sa.func.count()).select_from(target).where(*alike, among)
        found += int(connection.execute(query).scalar_one())
    return found


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as plain Python values, for a driver: numpy scalars unpacked, missing values None."""
    columns = {str(name): [_driver_value(value) for value in frame[name]] for name in frame.columns}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _driver_value(value: Any) -> Any:
    """A value as a driver takes it."""
    if isinstance(value, (str, list, tuple, np.ndarray)) or value is None:
        return value
    if pd.isna(value):
        return None
    return value.item() if isinstance(value, np.generic) else value
