"""The points on which annotators differ, to be settled by somebody else."""

import numpy as np
import pandas as pd

from adaptml.data import Data
from adaptml.errors import AnnotationError
from adaptml.feedback import annotators_in
from adaptml.frames import KEYS, read_frame
from adaptml.project import Project
from adaptml.sampling import Sample
from adaptml.sampling.points import table_and_ids
from adaptml.tasks import Task
from labelstudio.annotations import annotator_order
from labelstudio.breakdown import by_point
from labelstudio.label_sets import DISTANCES, Ratings, ratings_of

DISPUTED = "disputed"


def disputed_points(project: Project, task: Task, data: Data, n: int, where: str | None = None) -> Sample:
    """Up to n points to which annotators gave different label sets when last pulled, the worst first.

    Args:
        project: holds the annotations.
        task: names the classes; label sets differ by its first distance.
        data: the table that they are of, or some of its points.
        n: at least 1.
        where: an SQL condition on the rows of the table.

    Raises:
        AnnotationError: n below 1, nothing was pulled yet, or nothing is disputed.
        FrameError: neither a table nor a file, or a file that cannot be used.
        DatabaseError: a condition that the database refuses.
    """
    if n < 1:
        raise AnnotationError(f"{n} points were asked for; expected at least 1")
    path = project.settings.annotations(task.name) / "ann_df.parquet"
    if not path.is_file():
        raise AnnotationError(
            f"no annotations of task {task.name!r} in {path.parent}, so nothing is disputed; fetch them "
            f"first: `adaptml annotate pull {task.name}`"
        )
    table, only = table_and_ids(project, data, where)
    frame = read_frame(path)
    frame = frame[(frame["table_name"] == table) & (frame["id"].isin(only) if only is not None else True)]
    people = sorted(annotators_in(frame), key=annotator_order)
    labelled = ratings_of(frame, people, task)
    shared = labelled.n_by_point >= 2
    distance = DISTANCES[task.problem.distances[0]]
    ratings = Ratings(labelled.codes[shared], labelled.sets)
    found = by_point(ratings, frame.loc[shared, KEYS], people, distance, task.class_names)
    if not found:
        raise AnnotationError(
            f"nothing is disputed: annotators agree on all {int(shared.sum())} points of {table} that two or "
            f"more of them had labelled when they were last pulled (`adaptml annotate pull {task.name}`)"
        )
    keys = pd.DataFrame([(point.table_name, point.id) for point in found[:n]], columns=KEYS)
    return Sample(keys.assign(inclusion_prob=np.nan), DISPUTED, n, 0)
