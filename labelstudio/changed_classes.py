"""Points whose answers no longer say which class it is, since that was split or dropped: to be asked anew."""

import hashlib
from collections.abc import Sequence

import numpy as np
import pandas as pd

from adaptml.data import Data
from adaptml.errors import AnnotationError
from adaptml.project import Project
from adaptml.sampling import Sample
from adaptml.sampling.points import table_and_ids
from adaptml.tasks import Task
from labelstudio.annotations import undecided_points
from labelstudio.parts import Linked, Part, only
from labelstudio.points import sort_tasks

CHANGED_CLASSES = "changed-classes"


def changed_class_parts(
    project: Project, task: Task, linked: Sequence[Linked], data: Data, n: int, where: str | None = None
) -> tuple[Sample, list[Part]]:
    """Up to n undecided points, and which of them go to which project: who answered is asked again.

    Args:
        project: holds the data table.
        task: the classes, and what became of those of before.
        linked: the task's projects; their local copies are up to date.
        data: the table that the points are of, or some of its points.
        n: at least 1.
        where: an SQL condition on the rows of the table.

    Raises:
        AnnotationError: n below 1, or every answer says which class it is.
        FrameError: neither a table nor a file, or a file that cannot be used.
        DatabaseError: a condition that the database refuses.
    """
    if n < 1:
        raise AnnotationError(f"{n} points were asked for; expected at least 1")
    table, ids = table_and_ids(project, data, where)
    open_in = [_undecided(one, task, table) for one in linked]
    found = sorted(set().union(*open_in))
    frame = pd.DataFrame(
        {"table_name": table, "id": [key for key in found if ids is None or key in ids]}, dtype=object
    )
    frame = frame[project.database.present(frame)] if len(frame) else frame
    if frame.empty:
        raise AnnotationError(
            f"every answer about points of {table} says which class it is: none of theirs was split "
            "or dropped, or all were asked and answered anew"
        )
    frame = frame.head(n).reset_index(drop=True)
    sample = Sample(frame.assign(inclusion_prob=np.nan), CHANGED_CLASSES, n, 0)
    parts = [
        Part(one, only(sample, there), _purpose(task)) for one, there in zip(linked, open_in, strict=True)
    ]
    return sample, [part for part in parts if len(part.sample.frame)]


def _undecided(one: Linked, task: Task, table: str) -> set[str]:
    """Ids of a table's undecided points in one project; what a third person settled may be among them."""
    source = f"project {one.project.number} of Label Studio"
    tasks = sort_tasks(one.project.copy.tasks(source))
    kinds = (tasks.annotation, tasks.adjudication)
    keys = [key for kind in kinds for key in undecided_points(kind, task, source)]
    return {key for of, key in keys if of == table}


def _purpose(task: Task) -> str:
    """One purpose for each list of classes: a point is asked anew once for each."""
    said = repr((task.class_names, task.class_changes))
    return f"classes {hashlib.sha256(said.encode()).hexdigest()[:12]}"
