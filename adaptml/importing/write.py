"""The second reading: rows into a table, all of them or none."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from adaptml.database import Database
from adaptml.errors import FrameError, listed
from adaptml.importing.chunks import Chunk
from adaptml.importing.fit import Fit
from adaptml.importing.kinds import LIST, TEXT, converted, readable
from adaptml.importing.plan import Plan
from adaptml.importing.record import Record
from adaptml.importing.target import Row, Target, opened_target
from adaptml.progress import progress


@dataclass
class Counts:
    """What became of the rows.

    Attributes:
        read: rows in the files.
        new: rows whose id the table did not have.
        changed: rows that are there with other values.
        unchanged: rows that are there as they are.
        left_out: rows left out because an earlier row has their id.
        gone: rows of the table that the files do not have; they are kept.
        replaced: values with characters that some database does not take, which are U+FFFD now.
    """

    read: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    left_out: int = 0
    gone: int = 0
    replaced: int = 0


def write(database: Database, fit: Fit, plan: Plan, record: Record, *, show_progress: bool = False) -> Counts:
    """Write what is new and what has changed.

    On SQLite and PostgreSQL in one transaction; on CrateDB, which has none, a chunk at a time, and the same
    call goes on where an earlier one ended.

    Raises:
        FrameError: files that have changed since they were looked at; ids that are made from the rows, and
            earlier rows that changed or are gone.
        DatabaseError: the database refuses.
    """
    before = database.count(fit.table) if fit.exists else 0
    with opened_target(database, fit) as target:
        if before and plan.made:
            counts = _go_through(target, fit, plan, writing=False, show_progress=show_progress)
            _check_earlier_rows(fit.table, plan, counts, before)
        target.prepare(record)
        counts = _go_through(target, fit, plan, writing=True, show_progress=show_progress)
    counts.gone = before - counts.changed - counts.unchanged
    return counts


def _check_earlier_rows(table: str, plan: Plan, counts: Counts, before: int) -> None:
    """Where ids are made from rows, an edited row would become a second one, or get another's labels."""
    gone = before - counts.changed - counts.unchanged
    if counts.changed or gone:
        raise FrameError(
            f"the ids of table {table!r} are made from {plan.ids.source}, and of its {before:,} rows the "
            f"file has {counts.changed:,} with other values and {gone:,} not at all; expected all of them as "
            "they were, and new ones: name a column of ids with --id, and another table"
        )


def _go_through(target: Target, fit: Fit, plan: Plan, *, writing: bool, show_progress: bool) -> Counts:
    """Compare all rows with those that are there, and write the others."""
    counts, seen = Counts(), Counter[str]()
    with progress("writing" if writing else "comparing", plan.rows, shown=show_progress) as advance:
        for first_row, chunk in plan.chunks():
            rows = _rows(plan, fit, chunk, first_row, seen, counts)
            there = target.there([row[0] for row in rows])
            new = [row for row in rows if row[0] not in there]
            known = [row for row in rows if row[0] in there]
            changed = [row for row in known if not _equal(row, there[row[0]])]
            if writing:
                target.insert(new)
                target.update(changed)
            counts.read += chunk.rows
            counts.new += len(new)
            counts.changed += len(changed)
            counts.unchanged += len(known) - len(changed)
            advance(chunk.rows)
    if counts.read != plan.rows:
        raise _file_changed(plan)
    return counts


def _file_changed(plan: Plan) -> FrameError:
    names = listed([source.name for source in plan.sources])
    return FrameError(f"{names} changed while it was read; nothing is written: import it again")


def _rows(
    plan: Plan, fit: Fit, chunk: Chunk, first_row: int, seen: Counter[str], counts: Counts
) -> list[Row]:
    """The rows as they are written, without those that are left out."""
    ids = plan.ids.of(chunk, first_row, seen, plan.on_duplicate)
    values: list[Sequence[Any]] = []
    for column in plan.columns:
        kind = fit.kinds[column.name]
        try:
            cells: Sequence[Any] = converted(chunk.columns.get(column.source, [None] * chunk.rows), kind)
        except (ValueError, TypeError, KeyError, OverflowError) as error:
            raise _file_changed(plan) from error
        if kind == TEXT:
            cells, replaced = readable(cells)
            counts.replaced += replaced
        elif kind == LIST:
            cells = [None if cell is None else list(readable(cell)[0]) for cell in cells]
        values.append(cells)
    rows = [row for row in zip(ids, *values, strict=True) if row[0] is not None]
    counts.left_out += chunk.rows - len(rows)
    return rows


def _equal(one: Row, other: Row) -> bool:
    """Whether a row has the values of another one."""
    return all(
        a is b or (np.array_equal(a, b) if isinstance(a, np.ndarray) and b is not None else a == b)
        for a, b in zip(one, other, strict=True)
    )
