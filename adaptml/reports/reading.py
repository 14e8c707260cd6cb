"""Reading the texts that a report page shows: what annotators see of a data point."""

import logging

import pandas as pd

from adaptml.database import Database, Vector
from adaptml.errors import DatabaseError, one_line
from adaptml.frames import KEYS
from adaptml.reports.texts import ReadTexts
from adaptml.tasks import Task

_log = logging.getLogger(__name__)


def texts_of_task(database: Database, task: Task) -> ReadTexts:
    """A reader of what annotators of a task see of data points.

    A page is no reason to lose a run: points, tables and columns that are gone are left out, and where the
    database cannot be read, a warning says so and there are no texts.

    Args:
        database: holds the data tables.
        task: names the columns that annotators see; without any, those that labelling functions read are
            taken, and without these all that are no vectors.

    Returns:
        A function from a frame of `table_name` and `id` to a frame with these and one column per text.
    """
    columns = [column.name for column in task.columns] or list(task.lf_features)

    def read(keys: pd.DataFrame) -> pd.DataFrame:
        try:
            return _read_present(database, keys, columns)
        except DatabaseError as error:
            _log.warning("the report shows no texts: %s", one_line(error))
            return keys[KEYS]

    return read


def _read_present(database: Database, keys: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """As much of the columns as the tables still hold."""
    parts = [pd.DataFrame(columns=KEYS)]
    for table, group in keys.groupby("table_name", sort=False):
        if database.has_table(str(table)):
            present = database.columns(str(table))
            others = [
                name for name, kind in present.items() if not isinstance(kind, Vector) and name not in KEYS
            ]
            asked = [column for column in columns or others if column in present]
            parts.append(database.read(group, asked, skip_missing=True))
    return pd.concat(parts, ignore_index=True)
