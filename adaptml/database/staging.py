"""Predictions that several processes write, and that take their place all at once, or not at all.

Until then they are in a table of their own, which nobody reads. Each point is there once, however often it is
written: a process that ends after it wrote, and before it told, costs nothing.
"""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pandas as pd
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.types import TypeEngine

from adaptml.database import cratedb
from adaptml.database.catalogue import OWN
from adaptml.database.class_slugs import class_columns
from adaptml.database.core import Database
from adaptml.database.writeback import WritebackKind, by_class, make_results, result_keys, result_types
from adaptml.errors import DatabaseError
from adaptml.frames import KEYS
from adaptml.tasks.schema import Task

STAGED = f"{OWN}staged_"
_KIND = WritebackKind.PREDICTIONS


def new_stage() -> str:
    """A name for a table of staged predictions that nobody else has."""
    return f"{STAGED}{uuid4().hex[:12]}"


def make_stage(database: Database, task: Task, stage: str) -> None:
    """Make a table for staged predictions.

    Args:
        database: where the results lie.
        task: whose predictions.
        stage: its name, see `new_stage`.

    Raises:
        DatabaseError: the database refuses.
    """
    database.create_table(stage, result_types(_KIND) | _class_columns(task), KEYS)


def stage_predictions(database: Database, task: Task, stage: str, frame: pd.DataFrame, run_id: str) -> None:
    """Write predictions into such a table; those of points that are there already are replaced.

    Args:
        database: where the results lie.
        task: whose predictions; its classes are those of the frame.
        stage: name of the table.
        frame: as `write_back` takes it.
        run_id: the MLflow run.

    Raises:
        UnknownTableError: there is no such table any more: nobody waits for these predictions.
        TaskError, DatabaseError: as `write_back`.
    """
    values = by_class(frame, task).set_axis([*_class_columns(task)], axis=1)
    rows = pd.concat([frame[[*KEYS, "model", "label"]].assign(run_id=run_id), values], axis=1)
    database.put(stage, rows, KEYS)


def take_place(database: Database, task: Task, stage: str) -> int:
    """Have staged predictions take their place in `<task>_predictions`, as `write_back` writes them.

    One statement in one transaction; CrateDB, which has none, may have taken some where it fails, and the
    same call again takes the rest.

    Args:
        database: where the results lie.
        task: whose predictions.
        stage: name of the table, which is left as it is.

    Returns:
        How many rows were new.

    Raises:
        DatabaseError: the database refuses.
    """
    columns, keys = make_results(database, task, _KIND), result_keys(_KIND)
    named = [*result_types(_KIND), *_class_columns(task)]
    source = database.found_table(stage, named)
    target = database.found_table(f"{task.name}_{_KIND}", columns)
    written_at = sa.literal(datetime.now(UTC), target.c.written_at.type)
    picked = sa.select(*(source.c[name] for name in named), written_at)
    into = [*result_types(_KIND), *columns, "written_at"]
    dialect: Any = sqlite if database.engine.dialect.name == "sqlite" else postgresql
    # SQLite takes an ON CONFLICT behind a SELECT only where that has a condition.
    insert = dialect.insert(target).from_select(into, picked.where(sa.true()))
    new = {name: insert.excluded[name] for name in into if name not in keys}
    statement = insert.on_conflict_do_update(index_elements=keys, set_=new)
    staged = sa.select(sa.func.count()).select_from(source)
    of_before = sa.and_(*(source.c[name] == target.c[name] for name in keys))
    present = sa.select(sa.func.count()).select_from(source.join(target, of_before))
    with database.translated(), database.engine.begin() as connection:
        cratedb.refresh(connection, source)
        cratedb.refresh(connection, target)
        n_staged, before = (int(connection.execute(query).scalar_one()) for query in (staged, present))
        taken = connection.execute(statement, execution_options={"preserve_rowcount": True}).rowcount
        if taken != n_staged:  # CrateDB leaves out what it does not take
            raise DatabaseError(
                f"{target.name} took {taken} of {n_staged} rows; see what the database's log says of the rest"
            )
        cratedb.refresh(connection, target)
    return n_staged - before


def drop_stage(database: Database, stage: str) -> None:
    """Drop such a table, if it is there."""
    quote = database.engine.dialect.identifier_preparer.quote
    with database.translated(), database.engine.begin() as connection:
        connection.exec_driver_sql(f"DROP TABLE IF EXISTS {quote(stage)}")


def _class_columns(task: Task) -> dict[str, TypeEngine[Any]]:
    """A stage's columns of classes, by their places: nothing else is written before all is there."""
    return class_columns({name: str(place) for place, name in enumerate(task.class_names)})
