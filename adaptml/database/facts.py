"""What a data table is like: its ids, its columns, what is missing in them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.types import TypeEngine

from adaptml.database.core import Database
from adaptml.database.cratedb import DIALECT as CRATEDB
from adaptml.database.types import TextList, Vector
from adaptml.errors import DatabaseError, DatabaseUnavailableError


@dataclass(frozen=True)
class TableFacts:
    """What a table is like.

    Attributes:
        rows: their number.
        types: type of each column, in the table's order.
        id_problem: what is wrong with its ids, such as NULL or duplicated ones; None where nothing is.
        indexed: whether rows are found by their id without reading the table; None where that is unknown,
            as in a view.
        missing: column → rows in which it is NULL.
    """

    rows: int
    types: dict[str, TypeEngine[Any]]
    id_problem: str | None
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
    source = database.found_table(table, [])
    counted = [name for name in columns if name in source.c]
    asked = [sa.func.count(), *(sa.func.count(source.c[name]) for name in counted)]
    with database.translated(), database.engine.connect() as connection:
        found = connection.execute(sa.select(*asked).select_from(source)).one()
    try:
        database.check_ids(table)
        problem = None
    except DatabaseUnavailableError:
        raise
    except DatabaseError as error:
        problem = str(error)
    return TableFacts(
        rows=found[0],
        types={column.name: column.type for column in source.columns},
        id_problem=problem,
        indexed=indexed_by_id(database, source) if "id" in source.c else None,
        missing={name: found[0] - found[place] for place, name in enumerate(counted, start=1)},
    )


def kind(column: TypeEngine[Any]) -> str:
    """What a column holds: `text`, `list of text`, `number`, `vector`, `untyped`, or the database's own word.

    >>> kind(sa.BigInteger())
    'number'
    """
    if isinstance(column, Vector):
        return "vector"
    if isinstance(column, TextList | sa.JSON):
        return "list of text"
    if isinstance(column, sa.String):
        return "text"
    if isinstance(column, sa.types.NullType):  # in SQLite, also a view's column that is computed
        return "untyped"
    return "number" if isinstance(column, sa.Integer | sa.Numeric | sa.Float) else str(column)


def indexed_by_id(database: Database, table: sa.Table) -> bool | None:
    """Whether an index begins with `id`, None for a view; CrateDB indexes every column."""
    if database.engine.dialect.name == CRATEDB:
        return True
    with database.translated():
        inspector = sa.inspect(database.engine)
        # SQLite makes an index of its own for UNIQUE; elsewhere it is listed anyway.
        indexes = inspector.get_indexes(table.name, table.schema, include_auto_indexes=True)
        views = inspector.get_view_names(table.schema)
    firsts = [table.primary_key.columns.keys()[:1], *(index["column_names"][:1] for index in indexes)]
    if ["id"] in firsts:
        return True
    return None if table.name in views else False
