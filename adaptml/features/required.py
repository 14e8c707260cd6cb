"""Features that a task reads and that nobody has computed yet."""

from collections.abc import Iterable, Sequence

from adaptml.errors import FeatureError, listed
from adaptml.features.points import Points
from adaptml.tasks import Task


def check_featurized(points: Points, task: Task, tables: Iterable[str], names: Sequence[str]) -> None:
    """Say which command is missing, where a table lacks what the task's `featurize` makes.

    Args:
        points: knows the features and columns.
        task: says what `featurize` makes.
        tables: names of tables.
        names: names of columns and features that are about to be read.

    Raises:
        FeatureError: one of them is made by `featurize`, and was not yet for one of the tables.
        UnknownTableError: no such table.
    """
    made = [name for part in task.featurize for name in part.makes]
    asked = [name for name in dict.fromkeys(names) if name in made]
    if not asked:
        return
    for table in dict.fromkeys(tables):
        absent = [name for name in asked if name not in points.columns(table)]
        if absent:
            raise FeatureError(
                f"table {table!r} has no {listed(absent)} yet, which task {task.name!r} reads: run "
                f"`adaptml featurize {task.name} --data {table}`"
            )
