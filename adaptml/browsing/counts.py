"""How many rows there are: exactly where that is quick, and otherwise about how many."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from adaptml.browsing.conditions import Condition, clause
from adaptml.browsing.paging import fetched
from adaptml.database import Database, cratedb
from adaptml.errors import DatabaseError, DatabaseUnavailableError

EXACT_ROWS = 100_000  # as many rows are counted while a person waits for a page
SEARCHED_ROWS = 1_000_000  # a table of more is searched by a job


class Count(NamedTuple):
    """A number of rows, and whether it is exact."""

    rows: int
    exact: bool


def count_rows(database: Database, table: str) -> Count:
    """The rows of a table, without reading all of a long one.

    SQLite keeps no count: where the table numbers its rows, the highest number is taken, which is too high
    where rows were deleted. PostgreSQL's estimate is that of its last ANALYZE. CrateDB knows the number.

    Raises:
        UnknownTableError: no such table.
        DatabaseError: the database refuses.
    """
    source, dialect = database.data_table(table), database.engine.dialect.name
    first = sa.select(sa.literal(1)).select_from(source)
    if dialect != cratedb.DIALECT:
        first = first.limit(EXACT_ROWS + 1)
    counted = first.subquery() if dialect != cratedb.DIALECT else source
    n = int(fetched(database, sa.select(sa.func.count()).select_from(counted))[0][0])
    if dialect == cratedb.DIALECT or n <= EXACT_ROWS:
        return Count(n, True)
    return Count(max(n, _guess(database, source)), False)


def count_found(database: Database, table: str, conditions: Sequence[Condition]) -> int:
    """Exactly how many rows meet conditions on the table's own columns; reads the whole table.

    Raises:
        UnknownTableError, UnknownColumnError, FrameError, DatabaseError: as `checked`.
    """
    source = database.data_table(table)
    clauses = [clause(condition, source, database.engine.dialect.name) for condition in conditions]
    query = sa.select(sa.func.count()).select_from(source).where(*clauses)
    return int(fetched(database, query)[0][0])


def _guess(database: Database, source: sa.Table) -> int:
    """What the database says without counting; 0 where it says nothing, as of a view."""
    quoted = database.engine.dialect.identifier_preparer.format_table(source)
    query: sa.Select[Any]
    if database.engine.dialect.name == "sqlite":
        query = sa.select(sa.func.max(sa.literal_column("rowid"))).select_from(source)
    else:
        query = sa.select(sa.literal_column("reltuples")).select_from(sa.text("pg_class"))
        query = query.where(sa.literal_column("oid") == sa.func.to_regclass(quoted))
    try:
        rows = fetched(database, query)
    except DatabaseUnavailableError:
        raise
    except DatabaseError:  # a view, or a table without rowid
        return 0
    return int(rows[0][0] or 0) if rows else 0
