"""The gold points that read otherwise than when they were labelled, to be asked again."""

import numpy as np

from adaptml.data import Data
from adaptml.errors import AnnotationError
from adaptml.gold_labels.core import seen_of
from adaptml.gold_labels.reading import changed_points, rows_now
from adaptml.project import Project
from adaptml.sampling import Sample
from adaptml.sampling.points import table_and_ids
from adaptml.tasks import Task

CHANGED = "changed"


def changed_sample(
    project: Project, task: Task, data: Data, n: int, where: str | None = None
) -> tuple[Sample, dict[str, dict[str, str]]]:
    """Up to n gold points that changed since they were labelled, and what there is to see of each now.

    Args:
        project: holds gold and the data table.
        task: says which columns people see.
        data: the table that they are of, or some of its points.
        n: at least 1.
        where: an SQL condition on the rows of the table.

    Returns:
        The points, and id → column → hash.

    Raises:
        AnnotationError: n below 1, or none of them has changed.
        FrameError: no gold, neither a table nor a file, or a file that cannot be used.
        DatabaseError: a condition that the database refuses.
    """
    if n < 1:
        raise AnnotationError(f"{n} points were asked for; expected at least 1")
    table, only = table_and_ids(project, data, where)
    keys = changed_points(project, task)
    keys = keys[(keys["table_name"] == table) & (keys["id"].isin(only) if only is not None else True)].head(n)
    if keys.empty:
        raise AnnotationError(f"no gold point of {table} has changed since it was labelled")
    columns = [column.name for column in task.columns]
    now = {key: seen_of(cells) for (_, key), cells in rows_now(project, keys, columns).items()}
    return Sample(keys.reset_index(drop=True).assign(inclusion_prob=np.nan), CHANGED, n, 0), now
