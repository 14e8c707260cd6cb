"""What a query finds, as its driver gives it: to make SQLAlchemy's own rows of it costs as much again."""

import gc
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa


def fetched(
    connection: sa.Connection, query: "sa.Select[Any]", given: Mapping[str, Any] | None = None
) -> Sequence[tuple[Any, ...]]:
    """All rows that a query finds with the parameters that are given, cells as SQLAlchemy gives them.

    Raises:
        sqlalchemy.exc.DBAPIError: as SQLAlchemy raises it, also for what goes wrong while rows are fetched.
    """
    with paused_gc():
        result = connection.execute(query, given)
        context, about = result.context, result.cursor.description
        # The strategy turns the driver's errors into SQLAlchemy's, and closes what was read to its end.
        rows: Sequence[tuple[Any, ...]] = result.cursor_strategy.fetchall(result, result.cursor)
        if not rows:
            return rows
        made = [
            context.get_result_processor(column.type, said[0], said[1])
            for column, said in zip(query.selected_columns, about, strict=True)
        ]
        if not any(made):
            return rows
        columns = zip(zip(*rows, strict=True), made, strict=True)
        return list(zip(*(map(make, cells) if make else cells for cells, make in columns), strict=True))


@contextmanager
def paused_gc() -> Iterator[None]:
    """Keep the garbage collector from walking the rows that are being made; none of them is in a circle."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
