"""What annotators see of data points, for reports: as much of it as the tables still hold."""

import pandas as pd

from adaptml.database import Database
from adaptml.frames import KEYS
from adaptml.reports.texts import ReadTexts
from adaptml.tasks import Task


def texts_reader(database: Database, task: Task) -> ReadTexts:
    """A function that reads what annotators see of data points.

    Args:
        database: holds the data tables.
        task: names the columns that annotators see; without any, those that labelling functions read are
            taken.

    Returns:
        A function from a frame of `table_name` and `id` to a frame with these and one column per text.
        Points, tables and columns that are gone are left out.
    """
    names = [column.name for column in task.columns] or list(task.lf_features)

    def read(keys: pd.DataFrame) -> pd.DataFrame:
        tables = set(database.tables())
        parts = []
        for table, group in keys.groupby("table_name", sort=False):
            if table in tables:
                present = database.columns(str(table))
                parts.append(database.read(group, [n for n in names if n in present], skip_missing=True))
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=[*KEYS, *names])

    return read
