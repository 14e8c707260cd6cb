"""What a data table is like: its ids, its columns, what is missing in them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.types import TypeEngine

from adaptml.database.core import Database
from adaptml.database.cratedb import DIALECT as CRATEDB
from adaptml.database.types import TextList, Vector


@dataclass(frozen=True)
class TableFacts:
    """What a table is like.

    Attributes:
        rows: their number.
        types: type of each column, in the table's order.
        ids: different ids that are not NULL; None where there is no column `id`.
        null_ids: rows whose id is NULL.
        indexed: whether rows are found by their id without reading the table; None where that is unknown,
            as in a view.
        missing: column → rows in which it is NULL.
    """

    rows: int
    types: dict[str, TypeEngine[Any]]
    ids: int | None
    null_ids: int
    indexed: bool | None
    missing: dict[str, int]


def table_facts(database: Database, table: str, columns: Sequence[str]) -> TableFacts:
    """Look at a table, whatever its ids are like.

    Args:
        database: holds it.
        table: a table or a view.
        columns: those whose missing values are counted, as far as they are there.

    Raises:
        UnknownTableError: no such table.
        DatabaseError: the database refuses.
    """
    types = database.columns(table)
    source = sa.table(table, *(sa.column(name, kind) for name, kind in types.items()))
    counted = [name for name in columns if name in types]
    has_ids = "id" in types
    asked = [sa.func.count(), *(sa.func.count(source.c[name]) for name in counted)]
    if has_ids:
        asked += [sa.func.count(source.c.id), sa.func.count(sa.distinct(source.c.id))]
    with database.translated(), database.engine.connect() as connection:
        found = connection.execute(sa.select(*asked).select_from(source)).one()
    rows, ids = found[0], (found[-2:] if has_ids else (found[0], None))
    return TableFacts(
        rows=rows,
        types=types,
        ids=ids[1],
        null_ids=rows - ids[0],
        indexed=_indexed(database, table) if has_ids else None,
        missing={name: rows - found[place] for place, name in enumerate(counted, start=1)},
    )


def kind(column: TypeEngine[Any]) -> str:
    """What a column holds: `text`, `list of text`, `number`, `vector`, or the database's own word.

    >>> kind(sa.BigInteger())
    'number'
    """
    if isinstance(column, Vector):
        return "vector"
    if isinstance(column, TextList | sa.JSON):
        return "list of text"
    if isinstance(column, sa.String):
        return "text"
    return "number" if isinstance(column, sa.Integer | sa.Numeric | sa.Float) else str(column)


def _indexed(database: Database, table: str) -> bool | None:
    """Whether an index begins with `id`; CrateDB indexes every column."""
    if database.engine.dialect.name == CRATEDB:
        return True
    with database.translated():
        inspector = sa.inspect(database.engine)
        if table in inspector.get_view_names():
            return None
        key = inspector.get_pk_constraint(table)["constrained_columns"]
        # SQLite makes an index of its own for UNIQUE; elsewhere it is listed anyway.
        indexes = inspector.get_indexes(table, include_auto_indexes=True)
    return "id" in {*key[:1], *(name for index in indexes for name in index["column_names"][:1])}
