"""Text that is not UTF-8, which only SQLite lets into a table, is named by table, column and id."""

import re
from functools import partial
from typing import Any

import sqlalchemy as sa

from adaptml.database.types import shown
from adaptml.errors import DatabaseError

NOT_UTF8 = "Could not decode to UTF-8"  # how SQLite's driver begins
CHUNK_ROWS = 1_000  # rows in memory at once
_ESCAPED = re.compile("[\udc80-\udcff]")  # bytes that are not UTF-8, as `surrogateescape` shows them


def name_not_text(connection: sa.Connection, table: str, query: "sa.Select[Any]") -> None:
    """Read once more what could not be decoded, and say where it is.

    Args:
        connection: to a SQLite database.
        table: the name of the table that was read.
        query: its rows, the id first in each.

    Raises:
        DatabaseError: names the first such text; none is raised where it is not there any more.
    """
    raw: Any = connection.connection.driver_connection
    raw.text_factory = partial(str, encoding="utf-8", errors="surrogateescape")
    try:
        for row in connection.execution_options(yield_per=CHUNK_ROWS).execute(query):
            for name, cell in zip(query.selected_columns.keys(), row, strict=True):
                if isinstance(cell, str) and not cell.isascii() and _ESCAPED.search(cell):
                    raise DatabaseError(
                        f"id {shown(row[0])} of table {table!r} has in column {name!r} text that "
                        "is not UTF-8; correct this row"
                    ) from None
    finally:
        raw.text_factory = str
