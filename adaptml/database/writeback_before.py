"""Write-back tables of before: one array of probabilities a row, and nothing that says whose they are."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import sqlalchemy as sa

from adaptml.database import cratedb
from adaptml.database.class_slugs import class_columns
from adaptml.database.core import Database
from adaptml.database.writing import CHUNK_ROWS

OF_BEFORE = "label_probs"
UNCLEAR = "label_probs_before"  # the column's name when it holds what no class could be given


def pages(
    database: Database, target: sa.Table, columns: Sequence[sa.Column[Any]], keys: Sequence[str]
) -> Iterator[Sequence["sa.Row[Any]"]]:
    """Rows of a table in the order of its key, in pages; rows that are written meanwhile may be among them.

    Args:
        database: holds the table.
        target: the table.
        columns: what is selected, the columns of the key first.
        keys: columns of the table's primary key.
    """
    key = [target.c[name] for name in keys]
    query = sa.select(*columns).order_by(*key).limit(CHUNK_ROWS)
    last: list[Any] | None = None
    while True:
        page = query if last is None else query.where(_after(database, key, last))
        with database.translated(), database.engine.connect() as connection:
            rows = connection.execute(page).all()
        if rows:
            yield rows
        if len(rows) < CHUNK_ROWS:
            return
        last = list(rows[-1][: len(keys)])


def _after(database: Database, key: Sequence[sa.Column[Any]], last: Sequence[Any]) -> sa.ColumnElement[bool]:
    """Rows behind one in the order of the key; CrateDB does not compare rows."""
    if database.engine.dialect.name != cratedb.DIALECT:
        return sa.tuple_(*key) > sa.tuple_(*last)
    return sa.or_(
        *(
            sa.and_(*(key[i] == last[i] for i in range(place)), key[place] > last[place])
            for place in range(len(key))
        )
    )


def _fits(label: Sequence[str], probs: Sequence[float], classes: Sequence[str]) -> bool:
    """Whether a row can be of this class list: it has as many probabilities, and no other name."""
    return len(probs) == len(classes) and set(label) <= set(classes)


def probs_of_before(frame: pd.DataFrame, classes: Sequence[str], probs: npt.NDArray[np.float64]) -> None:
    """Fill in the probabilities of rows that hold them in one array; those of other classes are left out.

    Args:
        frame: n rows: run_id, label, label_probs (None in a row of this version).
        classes: the task's classes.
        probs: (n, k), changed.
    """
    there = np.flatnonzero(frame[OF_BEFORE].notna())
    rows = frame.iloc[there]
    known = list(zip(there, rows["run_id"], rows["label"], rows[OF_BEFORE], strict=True))
    unclear = {run_id for _, run_id, label, array in known if not _fits(label, array, classes)}
    for place, run_id, _, array in known:
        if run_id not in unclear:
            probs[place] = array


def migrate(database: Database, table: str, keys: Sequence[str], slugs: Mapping[str, str]) -> None:
    """Spread the array of a table of before over the columns of the task's classes, which it has already.

    A run with a row that cannot be of these classes keeps its names and flags. Its probabilities stay in a
    column `label_probs_before`: under a wrong name they would be worse than none.

    Args:
        database: holds the table.
        table: of labels or predictions.
        keys: columns of its primary key.
        slugs: class → slug, in the order of the task's classes.
    """
    target = database.found_table(table, [OF_BEFORE])
    columns = [*(target.c[name] for name in keys), target.c.label, target.c[OF_BEFORE]]
    unclear = {
        row.run_id
        for page in pages(database, target, columns, keys)
        for row in page
        if row[-1] is not None and not _fits(row.label, row[-1], list(slugs))
    }
    statement = (
        sa.update(target)
        .where(*(target.c[name] == sa.bindparam(f"key_{name}") for name in keys))
        .values({name: sa.bindparam(f"new_{name}") for name in class_columns(slugs)})
    )
    for page in pages(database, target, columns, keys):
        changed = [_changed(row, keys, slugs, row.run_id in unclear) for row in page if row[-1] is not None]
        if changed:
            with database.translated(), database.engine.begin() as connection:
                ids = [row["key_id"] for row in changed]
                cratedb.execute_bulk(connection, statement, changed, table, ids)
                cratedb.refresh(connection, target)
    quote = database.engine.dialect.identifier_preparer.quote
    done = f"RENAME COLUMN {OF_BEFORE} TO {UNCLEAR}" if unclear else f"DROP COLUMN {OF_BEFORE}"
    with database.translated(), database.engine.begin() as connection:
        connection.exec_driver_sql(f"ALTER TABLE {quote(table)} {done}")


def _changed(
    row: "sa.Row[Any]", keys: Sequence[str], slugs: Mapping[str, str], unclear: bool
) -> dict[str, Any]:
    """Parameters of the statement for one row."""
    flags = [int(name in row.label) for name in slugs]
    probs = [None] * len(slugs) if unclear else np.asarray(row[-1], np.float64).tolist()
    changed = {f"key_{name}": value for name, value in zip(keys, row, strict=False)}
    return changed | {f"new_{c}": v for c, v in zip(class_columns(slugs), [*flags, *probs], strict=True)}
