"""Ids that a table must not have: none at all, or one in several rows."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine.reflection import Inspector

from adaptml.database.cratedb import DIALECT as CRATEDB
from adaptml.database.keys import SQLITE
from adaptml.errors import DatabaseError, listed


def is_unique(inspector: Inspector, table: sa.Table) -> bool:
    """Whether a table's constraints, its primary key apart, keep its ids apart; a view has none."""
    if inspector.dialect.name == CRATEDB:  # it knows no other constraint
        return False
    keys: list[list[str | None]] = [
        [*found["column_names"]] for found in inspector.get_unique_constraints(table.name, table.schema)
    ]
    for index in inspector.get_indexes(table.name, table.schema):
        partial = any(name.endswith("_where") for name in index.get("dialect_options", {}))
        if index["unique"] and not partial:
            keys.append(index["column_names"])
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


def bad_ids(table: str, n_null: int, rows: Mapping[str, int]) -> DatabaseError:
    """What is wrong with the ids of a table.

    Args:
        table: its name.
        n_null: rows without an id.
        rows: id → how many rows have it; those that only one has are no problem.
    """
    repeated = {key: n for key, n in rows.items() if n > 1}
    problems, todo = [], []
    if n_null:
        problems.append(f"{_counted(n_null, 'row')} without an id")
        todo.append("give each row an id, or name a view of those that have one (WHERE id IS NOT NULL)")
    if repeated:
        among = _counted(sum(repeated.values()), "row")
        problems.append(f"{_counted(len(repeated), 'duplicated id')} in {among} ({listed(list(repeated))})")
        todo.append("keep one row of each")
    return DatabaseError(f"table {table!r} has {' and '.join(problems)}; {' and '.join(todo)}")


def _counted(n: int, what: str) -> str:
    return f"{n} {what}{'' if n == 1 else 's'}"
