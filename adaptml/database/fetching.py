"""What a query finds, as its driver gives it: to make SQLAlchemy's own rows of it costs as much again."""

import gc
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import exc
from sqlalchemy.engine import Dialect

from adaptml.database.keys import SQLITE

Row = tuple[Any, ...]
Processes = Sequence[Callable[[Any], Any] | None]


class Compiled(NamedTuple):
    """A query as SQLite's driver takes it.

    Attributes:
        statement: its text.
        names: of its parameters, in their order.
        constants: parameter → its value, of those that are not given.
        binds: what is done to the value of each parameter, None for nothing.
        processes: what is done to the cells of each column, None for nothing.
    """

    statement: str
    names: Sequence[str]
    constants: Mapping[str, Any]
    binds: Processes
    processes: Processes

    def bound(self, given: Mapping[str, Any]) -> Row:
        """The values of all parameters, in their order."""
        values = [given[name] if name in given else self.constants[name] for name in self.names]
        return tuple(make(value) if make else value for make, value in zip(self.binds, values, strict=True))


class Prepared:
    """A query of one kind of database that is asked several times, with other parameters.

    It is compiled once; SQLAlchemy looks each time whether it has compiled a query like this before.
    """

    def __init__(self, query: "sa.Select[Any]") -> None:
        """Compile nothing yet."""
        self.query = query
        self._compiled: Compiled | None = None

    def compiled(self, dialect: Dialect) -> Compiled:
        """The query for SQLite.

        Args:
            dialect: the database's.
        """
        if self._compiled is None:
            made: Any = self.query.compile(dialect=dialect)
            names = made.positiontup or ()
            sent = [made.binds[name].type.dialect_impl(dialect) for name in names]
            read = [column.type.dialect_impl(dialect) for column in self.query.selected_columns]
            self._compiled = Compiled(
                made.string,
                names,
                made.params,
                [kind.bind_processor(dialect) for kind in sent],
                [kind.result_processor(dialect, None) for kind in read],
            )
        return self._compiled


def fetched(
    connection: sa.Connection, query: "sa.Select[Any] | Prepared", given: Mapping[str, Any] | None = None
) -> Sequence[Row]:
    """All rows that a query finds with the parameters that are given, cells as SQLAlchemy gives them.

    Raises:
        sqlalchemy.exc.DBAPIError: as SQLAlchemy raises it, also for what goes wrong while rows are fetched.
    """
    with paused_gc():
        if isinstance(query, Prepared) and connection.dialect.name == SQLITE:
            compiled = query.compiled(connection.dialect)
            found = from_sqlite(connection, compiled.statement, compiled.bound(given or {}))
            return processed(found, compiled.processes)
        select = query.query if isinstance(query, Prepared) else query
        result = connection.execute(select, given)
        context, about = result.context, result.cursor.description
        # The strategy turns the driver's errors into SQLAlchemy's, and closes what was read to its end.
        rows: Sequence[Row] = result.cursor_strategy.fetchall(result, result.cursor)
        if not rows:  # of none, CrateDB says nothing about columns
            return rows
        columns = zip(select.selected_columns, about, strict=True)
        made = [context.get_result_processor(column.type, said[0], said[1]) for column, said in columns]
        return processed(rows, made)


def from_sqlite(connection: sa.Connection, statement: str, given: Row = ()) -> Sequence[Row]:
    """All rows that a statement finds, from SQLite's driver: SQLAlchemy takes longer than it to find a row.

    Raises:
        sqlalchemy.exc.DBAPIError: as `fetched`.
    """
    cursor = connection.connection.cursor()
    try:
        cursor.execute(statement, given)
        return cursor.fetchall()
    except sqlite3.Error as error:
        raise exc.DBAPIError.instance(statement, given, error, sqlite3.Error) from error
    finally:
        cursor.close()


def processed(rows: Sequence[Row], processes: Processes) -> Sequence[Row]:
    """Rows with what is done to the cells of each column."""
    if not rows or not any(processes):
        return rows
    columns = zip(zip(*rows, strict=True), processes, strict=True)
    return list(zip(*(map(made, cells) if made else cells for cells, made in columns), strict=True))


@contextmanager
def paused_gc() -> Iterator[None]:
    """Keep the garbage collector from walking the rows that are being made; none of them is in a circle."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
