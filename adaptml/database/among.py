"""Rows of which a column holds one of some values, by a query that is built once.

To build one takes SQLAlchemy longer than SQLite takes to find a row.
"""

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from adaptml.database import cratedb
from adaptml.database.fetching import Prepared

GIVEN = "given"
Query = tuple["sa.Select[Any] | Prepared", dict[str, Any]]


class Among:
    """A query that is asked again and again, with other values."""

    def __init__(self, dialect: str, query: "sa.Select[Any]", column: sa.Column[Any]) -> None:
        """Build it.

        Args:
            dialect: name of the database's.
            query: whose rows are looked for.
            column: what holds one of the values.
        """
        self._query, self._column, self._is_sqlite = query, column, dialect == "sqlite"
        self._given = Prepared(query.where(cratedb.among_given(dialect, column, GIVEN)))

    def of(self, values: Iterable[Any]) -> Query:
        """The query, and its parameters, for these values."""
        distinct = list(dict.fromkeys(values))
        given = cratedb.as_json(distinct) if self._is_sqlite else distinct
        if given is None:
            return self._query.where(self._column.in_(distinct)), {}
        return self._given, {GIVEN: given}
