"""Reading whole tables once, whether or not they have an index, in bounded memory."""

from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from adaptml.database import Database
from adaptml.database.cratedb import is_cratedb
from adaptml.database.not_text import NOT_UTF8, name_not_text

STREAM_ROWS = 5_000


def stream(
    database: Database, table: str, query: "sa.Select[Any]", key: sa.ColumnClause[Any]
) -> Iterator[Sequence["sa.Row[Any]"]]:
    """All rows that a query finds, in chunks.

    They come as the table holds them, from one pass over it: sorted pages would read a table without an
    index once a page. CrateDB, which has no cursors and an index on everything, gives pages.

    Args:
        database: holds the table.
        table: its name.
        query: what to read, without an order; the id comes first.
        key: a column of the query that is unique and not NULL.

    Raises:
        DatabaseError: text that is not UTF-8, named by column and id.
    """
    if is_cratedb(database.engine):
        yield from _pages(database, query, key)
        return
    with database.translated(), database.engine.connect() as connection:
        try:
            yield from connection.execution_options(yield_per=STREAM_ROWS).execute(query).partitions()
        except OperationalError as error:
            if NOT_UTF8 in str(error.orig):
                name_not_text(connection, table, query)
            raise


def _pages(
    database: Database, query: "sa.Select[Any]", key: sa.ColumnClause[Any]
) -> Iterator[Sequence["sa.Row[Any]"]]:
    page, place = (
        query.order_by(key).limit(STREAM_ROWS),
        [c.name for c in query.selected_columns].index(key.name),
    )
    rows: Sequence[sa.Row[Any]] = []
    while True:
        with database.translated(), database.engine.connect() as connection:
            rows = connection.execute(page.where(key > rows[-1][place]) if rows else page).all()
        if not rows:
            return
        yield rows
