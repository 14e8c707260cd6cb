"""Ids that a table must not have: none at all, or one in several rows."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from adaptml.database.keys import SQLITE
from adaptml.errors import DatabaseError, listed


def is_unique(table: sa.Table) -> bool:
    """Whether the table's own constraints keep its ids apart; a view has none."""
    keys = [table.primary_key.columns.keys()]
    keys += [c.columns.keys() for c in table.constraints if isinstance(c, sa.UniqueConstraint)]
    for index in table.indexes:
        partial = any(options.get("where") is not None for options in index.dialect_options.values())
        if index.unique and not partial:
            keys.append([getattr(column, "name", "") for column in index.expressions])
    return ["id"] in keys


def may_be_null(table: sa.Table, dialect: str) -> bool:
    """Whether a row can be without an id: CrateDB does not say so of a primary key, and SQLite allows it."""
    return bool(table.c.id.nullable) and (dialect == SQLITE or not table.c.id.primary_key)


def duplicated(table: str, ids: Sequence[Any]) -> DatabaseError:
    """What is wrong with rows that were looked up by their ids."""
    found = [key for key, n in Counter(ids).items() if n > 1]
    return DatabaseError(
        f"duplicated ids in table {table!r}: {listed(found)}; ids must be unique: keep one row of each"
    )


@dataclass(frozen=True)
class BadIds:
    """What is wrong with the ids of a table.

    Attributes:
        table: its name.
        n_null: rows without an id.
        repeated: id → how many rows have it, 2 or more.
    """

    table: str
    n_null: int
    repeated: Mapping[str, int]

    def __bool__(self) -> bool:
        """Whether anything is wrong."""
        return bool(self.n_null or self.repeated)

    def error(self) -> DatabaseError:
        """All that in one line, and what to do."""
        problems, todo = [], []
        if self.n_null:
            problems.append(f"{_counted(self.n_null, 'row')} without an id")
            todo.append("give each row an id, or leave them out (`where id is not null`)")
        if self.repeated:
            among = _counted(sum(self.repeated.values()), "row")
            ids = _counted(len(self.repeated), "duplicated id")
            problems.append(f"{ids} in {among} ({listed(list(self.repeated))})")
            todo.append("keep one row of each")
        return DatabaseError(f"table {self.table!r} has {' and '.join(problems)}; {' and '.join(todo)}")


def _counted(n: int, what: str) -> str:
    return f"{n} {what}{'' if n == 1 else 's'}"
