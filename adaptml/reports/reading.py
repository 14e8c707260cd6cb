"""Reading the texts that a report page shows: what annotators see of a data point."""

import logging

import pandas as pd

from adaptml.database import Database
from adaptml.errors import DatabaseError, MissingDataPointsError, one_line
from adaptml.frames import KEYS
from adaptml.reports.texts import ReadTexts
from adaptml.tasks import Task

_log = logging.getLogger(__name__)


def texts_of_task(database: Database, task: Task) -> ReadTexts | None:
    """A reader of the columns that annotators of a task see; None where the task names none.

    A page is no reason to lose a run: where a table lacks those columns, or points are gone, texts are missing.
    """
    columns = [column.name for column in task.columns]
    if not columns:
        return None

    def read(keys: pd.DataFrame) -> pd.DataFrame:
        left = keys[KEYS]
        try:
            return database.read(left, columns)
        except MissingDataPointsError as error:
            there = ~pd.MultiIndex.from_frame(left).isin(error.missing)
            return database.read(left.loc[there], columns)
        except DatabaseError as error:
            _log.warning("the report shows no texts: %s", one_line(error))
            return left

    return read
