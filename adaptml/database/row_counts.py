"""How many rows a table has, in milliseconds: counted up to a bound, estimated beyond."""

from dataclasses import dataclass
from typing import Literal

import sqlalchemy as sa

from adaptml.database.core import Database
from adaptml.database.cratedb import DIALECT as CRATEDB

MOST_COUNTED = 100_000


@dataclass(frozen=True)
class RowCount:
    """How many rows a table has.

    Attributes:
        rows: the number.
        known: `exactly`, `about` (the database's own estimate) or `at_least`.

    Example:
        >>> print(RowCount(24), RowCount(10_000_000, "about"), RowCount(100_000, "at_least"), sep="; ")
        24; about 10,000,000; more than 100,000
    """

    rows: int
    known: Literal["exactly", "about", "at_least"] = "exactly"

    def __str__(self) -> str:
        before = {"exactly": "", "about": "about ", "at_least": "more than "}[self.known]
        return f"{before}{self.rows:,}"


def row_count(database: Database, table: str, most_counted: int = MOST_COUNTED) -> RowCount:
    """How many rows a table has, without reading a large one.

    Up to `most_counted` rows they are counted. Beyond, PostgreSQL's statistics and SQLite's last row number
    say about how many there are (rows that were deleted are still in both); CrateDB knows it.

    Args:
        database: holds the table.
        table: a table or a view.
        most_counted: rows that are counted one by one, at most.

    Raises:
        UnknownTableError: no such table.
        DatabaseError: the database refuses.

    Example:
        >>> row_count(project.database, "comments")
        RowCount(rows=24, known='exactly')
    """
    source = database.found_table(table, [])
    dialect = database.engine.dialect.name
    with database.translated(), database.engine.connect() as connection:
        if dialect == CRATEDB:
            return RowCount(connection.execute(sa.select(sa.func.count()).select_from(source)).scalar_one())
        some = sa.select(sa.literal(1)).select_from(source).limit(most_counted + 1).subquery()
        counted = connection.execute(sa.select(sa.func.count()).select_from(some)).scalar_one()
        if counted <= most_counted:
            return RowCount(counted)
        found = _from_statistics(connection, source, dialect)
    return RowCount(most_counted, "at_least") if found is None else RowCount(max(found, counted), "about")


def _from_statistics(connection: sa.Connection, source: sa.Table, dialect: str) -> int | None:
    """What the database knows without reading the table; None where it knows nothing."""
    if dialect == "sqlite":
        return _last_row_number(connection, source)
    if dialect == "postgresql":
        name = connection.dialect.identifier_preparer.format_table(source)
        query = sa.text("SELECT reltuples FROM pg_class WHERE oid = to_regclass(:name)")
        found = connection.execute(query, {"name": name}).scalar()
        return int(found) if found is not None and found > 0 else None
    return None


def _last_row_number(connection: sa.Connection, source: sa.Table) -> int | None:
    """SQLite numbers the rows of a table, but for one WITHOUT ROWID; a view has no numbers."""
    try:
        found = connection.execute(
            sa.select(sa.func.max(sa.literal_column("rowid"))).select_from(source)
        ).scalar()
    except sa.exc.OperationalError:
        return None
    return int(found) if isinstance(found, int) else None
