"""A few rows of a SQLite table, asked of its driver.

What SQLAlchemy does around a statement takes several times as long as SQLite takes to find a row.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import exc
from sqlalchemy.engine import Dialect

from adaptml.database.among import Among
from adaptml.database.core import Database
from adaptml.database.keys import to_column
from adaptml.database.stored import Decode, StoredRows, stored, stored_rows
from adaptml.errors import DatabaseError, DatabaseUnavailableError

MOST = 256  # ids; with more, what SQLAlchemy takes is little beside the rest
_SQLITE = "sqlite"

Row = tuple[Any, ...]
Process = Callable[[Any], Any]


def few_rows(database: Database, table: str, columns: Sequence[str], ids: Sequence[str]) -> StoredRows | None:
    """All rows of a few ids, in the order of the ids; as `Database.by_key` gives them.

    None where this is another database, where there are many ids, and where anything is out of the ordinary,
    such as an id that is not there: `by_key` is to be asked then, which says what it is.

    Args:
        database: holds the table.
        table: name of a data table.
        columns: names of its columns, each once, without the id.
        ids: n ids, none twice.

    Raises:
        UnknownTableError, UnknownColumnError, DatabaseUnavailableError: as `by_key`.
    """
    if database.engine.dialect.name != _SQLITE or not 0 < len(ids) <= MOST:
        return None
    source = database.data_table(table, columns)
    by_ids, decode = _by_ids(source, columns, database.engine.dialect)
    rows = driver_rows(database, *by_ids.of(to_column(ids, source.c.id.type, _SQLITE)))
    if rows is None or len(rows) != len(ids):
        return None
    try:
        found = list(map(dict(zip(database.ids(source, rows), rows, strict=True)).get, ids))
    except DatabaseError:
        return None
    there = [row for row in found if row is not None]
    # Where the table was made again since it was looked at, it is another one now.
    if len(there) < len(ids) or database.data_table(table, columns) is not source:
        return None
    return stored_rows(table, columns, ids, there, decode)


def driver_rows(
    database: Database, query: "sa.Select[Any]", given: Mapping[str, Any]
) -> Sequence[Row] | None:
    """What a query of a SQLite database finds, cells as SQLAlchemy gives them.

    None where it is another database, the query has other parameters than those that are given, or the
    database refuses: to be asked again by SQLAlchemy, which says why.

    Args:
        database: is asked.
        query: one of few, as each is compiled once and kept.
        given: the query's parameters.

    Raises:
        DatabaseUnavailableError: it is away or locked.
    """
    dialect = database.engine.dialect
    if dialect.name != _SQLITE or not given:
        return None
    statement, names, processes = _compiled(query, dialect)
    if {*names} != {*given}:
        return None
    try:
        with database.translated():
            rows = _asked(database.engine, statement, tuple(given[name] for name in names))
            if any(processes):
                pairs = zip(zip(*rows, strict=True), processes, strict=False)
                rows = list(zip(*(map(made, cells) if made else cells for cells, made in pairs), strict=True))
            return rows
    except DatabaseUnavailableError:
        raise
    except (DatabaseError, TypeError, ValueError):
        return None


def _asked(engine: sa.Engine, statement: str, given: Row) -> Sequence[Row]:
    try:
        connection = engine.raw_connection()
        try:
            cursor = connection.cursor()
            cursor.execute(statement, given)
            rows: Sequence[Row] = cursor.fetchall()
            cursor.close()
            return rows
        finally:
            connection.close()
    except engine.dialect.loaded_dbapi.Error as error:
        raise exc.DBAPIError.instance(
            statement, given, error, engine.dialect.loaded_dbapi.Error, dialect=engine.dialect
        ) from error


@lru_cache(maxsize=1_000)
def _compiled(query: "sa.Select[Any]", dialect: Dialect) -> tuple[str, tuple[str, ...], list[Process | None]]:
    """The statement, the names of its parameters in their order, and what is done to the cells of columns."""
    compiled: Any = query.compile(dialect=dialect)
    types = [column.type.dialect_impl(dialect) for column in query.selected_columns]
    processes: list[Process | None] = [found.result_processor(dialect, None) for found in types]
    return str(compiled), tuple(compiled.positiontup or ()), processes


def _by_ids(source: sa.Table, columns: Sequence[str], dialect: Dialect) -> tuple[Among, dict[str, Decode]]:
    """The query for rows of a table by their ids, built once for each table and columns."""
    known: dict[tuple[str, ...], tuple[Among, dict[str, Decode]]] = source.info.setdefault("few_rows", {})
    asked = tuple(columns)
    if asked not in known:
        found = {column: stored(source.c[column], dialect) for column in columns}
        select = sa.select(source.c.id, *(selected for selected, _ in found.values()))
        decode = {column: how for column, (_, how) in found.items() if how is not None}
        known[asked] = Among(dialect.name, select, source.c.id), decode
    return known[asked]
