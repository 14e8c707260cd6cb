"""Rows of a data table page by page, in the order of their ids: any page costs as little as the first."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from adaptml.browsing.conditions import Condition, check, clause
from adaptml.database import Database, Vector, cratedb
from adaptml.database.facts import kind
from adaptml.database.keys import to_column
from adaptml.frames import KEYS

PAGE_ROWS = 50
CELL_CHARS = 600  # of a text in a list of rows; a point's own page has the whole
LIST_ITEMS = 60


@dataclass(frozen=True)
class Listed:
    """Some rows of a table, as a list of rows shows them.

    Attributes:
        columns: names of the columns that are shown, without the id.
        ids: ids of the r rows.
        cells: r rows of cells; texts are cut off after `CELL_CHARS` + 1 characters, vectors are left out.
        more: whether there are rows behind (or, of a page that was asked for backwards, before) these.
    """

    columns: Sequence[str]
    ids: Sequence[str]
    cells: Sequence[Sequence[Any]]
    more: bool


def shown_columns(database: Database, table: str) -> list[str]:
    """The columns that a list of rows shows: all but the id and vectors."""
    types = database.columns(table)
    return [name for name, type_ in types.items() if name not in KEYS and kind(type_) != "vector"]


def checked(database: Database, table: str, conditions: Iterable[Condition]) -> list[Condition]:
    """Those of the conditions that are on the table's own columns.

    Raises:
        UnknownTableError: no such table.
        UnknownColumnError: a column is not there.
        FrameError: an operator or a value that does not fit its column.
        DatabaseError: its `id` is none.
    """
    source = database.data_table(table)
    types = {column.name: column.type for column in source.columns}
    own = [condition for condition in conditions if not condition.is_fact]
    for condition in own:
        check(condition, types, table)
        clause(condition, source, database.engine.dialect.name)
    return own


def page(
    database: Database,
    table: str,
    conditions: Sequence[Condition] = (),
    *,
    columns: Sequence[str] | None = None,
    after: str | None = None,
    before: str | None = None,
    n: int = PAGE_ROWS,
    whole: bool = False,
) -> Listed:
    """The next n rows in the order of their ids.

    Args:
        database: holds the table.
        table: a data table.
        conditions: on its own columns, all of which hold.
        columns: which are shown; None for `shown_columns`.
        after: the id behind which the page begins; None for the first page.
        before: the id before which the page ends, in place of `after`.
        n: how many rows, at most.
        whole: cut no text off.

    Raises:
        UnknownTableError, UnknownColumnError, FrameError, DatabaseError: as `checked`.
    """
    source = database.data_table(table)
    query = _filtered(database, source, conditions)
    key = source.c.id
    edge = before if before is not None else after
    if edge is not None:
        values = to_column([edge], key.type, database.engine.dialect.name)
        if values:
            query = query.where(key < values[0] if before is not None else key > values[0])
    query = query.order_by(key.desc() if before is not None else key).limit(n + 1)
    found = _read(database, source, query, columns, whole)
    rows = found.cells[:n], found.ids[:n]
    if before is not None:
        rows = rows[0][::-1], rows[1][::-1]
    return Listed(found.columns, rows[1], rows[0], len(found.ids) > n)


def rows_among(
    database: Database,
    table: str,
    ids: Sequence[str],
    conditions: Sequence[Condition] = (),
    columns: Sequence[str] | None = None,
    *,
    whole: bool = False,
) -> Listed:
    """Those of some rows for which the conditions hold, in the order of the ids.

    Args and errors as `page`.
    """
    source = database.data_table(table)
    values = to_column(ids, source.c.id.type, database.engine.dialect.name)
    names = shown_columns(database, table) if columns is None else list(columns)
    if not values:
        return Listed(names, [], [], False)
    with database.translated(), database.engine.connect() as connection:
        chosen = cratedb.among(connection, source.c.id, values)
    query = _filtered(database, source, conditions).where(chosen)
    found = _read(database, source, query, names, whole)
    rows = dict(zip(found.ids, found.cells, strict=True))
    there = [key for key in dict.fromkeys(ids) if key in rows]
    return Listed(found.columns, there, [rows[key] for key in there], False)


def _filtered(database: Database, source: sa.Table, conditions: Sequence[Condition]) -> "sa.Select[Any]":
    dialect = database.engine.dialect.name
    clauses = [clause(condition, source, dialect) for condition in conditions]
    return sa.select(source.c.id).where(source.c.id.is_not(sa.null()), *clauses)


def _read(
    database: Database,
    source: sa.Table,
    query: "sa.Select[Any]",
    columns: Sequence[str] | None,
    whole: bool,
) -> Listed:
    """What a query of ids finds, with the columns that are shown."""
    types = {column.name: column.type for column in source.columns}
    names = [name for name in types if name not in KEYS and kind(types[name]) != "vector"]
    names = names if columns is None else list(columns)
    shown = [source.c[name] if whole else _cut(source.c[name]) for name in names]
    selected = [column.label(f"c{place}") for place, column in enumerate(shown)]
    rows = fetched(database, query.add_columns(*selected))
    ids = database.ids(source, rows)
    return Listed(names, ids, [row[1:] if whole else list(map(_short, row[1:])) for row in rows], False)


def fetched(database: Database, query: "sa.Select[Any]") -> Sequence["sa.Row[Any]"]:
    """All rows of a query, errors in our words."""
    with database.translated(), database.engine.connect() as connection:
        return connection.execute(query).all()


def _cut(column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    """A column as a list shows it: the database itself cuts long texts off."""
    if kind(column.type) == "text":
        return sa.func.substr(column, 1, CELL_CHARS + 1)
    if isinstance(column.type, Vector):
        return sa.null()
    return column


def _short(cell: Any) -> Any:
    return [*cell[:LIST_ITEMS], "…"] if isinstance(cell, list) and len(cell) > LIST_ITEMS else cell
