"""Points whose labels look wrong, to be settled by somebody, or labelled for the first time."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from adaptml.data import Data, described
from adaptml.errors import AnnotationError
from adaptml.frames import KEYS
from adaptml.gold_labels.home import GoldHome
from adaptml.project import Project
from adaptml.sampling import Sample
from adaptml.sampling.points import table_and_ids
from adaptml.tasks import Task
from labelstudio.export import ADJUDICATION
from labelstudio.parts import Linked, Part, only, parts_of

SUSPICIOUS = "suspicious"


def suspicious_points(
    project: Project, task: Task, data: Data, n: int, run: str | None, where: str | None = None
) -> Sample:
    """Up to n points whose labels look wrong, those of gold first, the most suspicious first.

    Args:
        project: holds the run and the table.
        task: of the points.
        data: the table that they are of, or some of its points.
        n: at least 1.
        run: a run of `train` or `label` that was compared with gold; see `adaptml.what_to_fix`. None takes
            the points that `data` names: a person looked at them, as on the page.
        where: an SQL condition on the rows of the table.

    Raises:
        AnnotationError: n below 1, neither a run nor points, or no label of them looks wrong.
        FrameError: neither a table nor a file, or a file that cannot be used.
        DatabaseError: a condition that the database refuses.
        TrackingError: no such run, or one that was compared with no gold.
    """
    if n < 1:
        raise AnnotationError(f"{n} points were asked for; expected at least 1")
    table, named = table_and_ids(project, data, where)
    if run is None and named is None:
        raise AnnotationError(
            f"which points of {table} look wrong is said by a run, and none was named; name a run of "
            "`adaptml train` or `adaptml label` with --run RUN_ID, or a file of points with --data"
        )
    ids = list(named or []) if run is None else _of_run(project, task, run, table)
    ids = [key for key in ids if named is None or key in named][:n]
    if not ids:
        raise AnnotationError(f"no label of {described(data)} looks wrong to run {run}; nothing to send")
    keys = pd.DataFrame({"table_name": table, "id": ids}, dtype=object)
    return Sample(keys.assign(inclusion_prob=np.nan), SUSPICIOUS, n, 0)


def suspicious_parts(project: Project, task: Task, linked: Sequence[Linked], sample: Sample) -> list[Part]:
    """What of such points goes where: gold is settled by somebody else, what has none is annotated as usual.

    Args:
        project: holds gold.
        task: of the points.
        linked: the task's projects in Label Studio.
        sample: the points.

    Raises:
        LabelStudioError: gold to be settled, and no project that all share.
    """
    home = GoldHome(project, task.name)
    gold = set(map(tuple, home.rows()[KEYS].to_numpy())) if home.exists else set()
    settled = [key for key in sample.frame["id"] if (sample.table, key) in gold]
    fresh = [key for key in sample.frame["id"] if (sample.table, key) not in gold]
    parts = parts_of(linked, only(sample, settled), ADJUDICATION) if settled else []
    return [*parts, *(parts_of(linked, only(sample, fresh)) if fresh else [])]


def _of_run(project: Project, task: Task, run: str, table: str) -> list[str]:
    from adaptml.fixing.what_to_fix import what_to_fix  # MLflow takes a second

    found = what_to_fix(project, task, run)
    return [one.id for one in found.suspects if one.table_name == table]
