"""What the last run said of some data points, of all that was written back."""

import pandas as pd
import sqlalchemy as sa

from adaptml.database.core import Database
from adaptml.database.writeback import WritebackKind
from adaptml.frames import KEYS
from adaptml.tasks.schema import Task

MOST_KEYS = 500


def latest_results(database: Database, task: Task, kind: WritebackKind, keys: pd.DataFrame) -> pd.DataFrame:
    """What was written into `<task>_<kind>` last of some data points.

    Args:
        database: where the results lie.
        task: whose.
        kind: labels or predictions.
        keys: `table_name` and `id` of at most 500 points.

    Returns:
        Frame of `table_name`, `id`, `label` (list of class names, by their names when they were written) and
        `run_id`, a row for each point that has a result, in any order; empty where nothing was written yet.

    Raises:
        ValueError: more keys.
        DatabaseError: the database refuses, or a table of that name that is not of this kind.
    """
    if len(keys) > MOST_KEYS:
        raise ValueError(f"{len(keys)} keys; expected at most {MOST_KEYS}")
    columns = [*KEYS, "label", "run_id", "written_at"]
    table = f"{task.name}_{kind}"
    if not len(keys) or not database.has_table(table):
        return pd.DataFrame(columns=columns[:-1], dtype=object)
    target = database.found_table(table, columns)
    asked = sa.or_(
        *(
            sa.and_(target.c.table_name == name, target.c.id.in_(group["id"].tolist()))
            for name, group in keys.groupby("table_name", sort=False)
        )
    )
    query = sa.select(*(target.c[name] for name in columns)).where(asked).order_by(target.c.written_at)
    with database.translated(), database.engine.connect() as connection:
        rows = [tuple(row) for row in connection.execute(query)]
    frame = pd.DataFrame(rows, columns=columns, dtype=object).drop_duplicates(KEYS, keep="last")
    return frame[columns[:-1]].reset_index(drop=True)
