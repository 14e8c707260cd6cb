"""Drawing from data in any of its forms, with what a task and a run know of the points."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from adaptml.data import Data, described, is_file, read_points, split_condition
from adaptml.errors import AnnotationError, listed
from adaptml.project import Project
from adaptml.sampling.core import RANDOM, Sample, Source
from adaptml.sampling.mixture import draw_sample
from adaptml.tasks import Task


@dataclass(frozen=True)
class SamplingOptions:
    """How points are chosen.

    Attributes:
        sampling: as `random` or `uncertain:0.5,random:0.5`.
        run: the MLflow run that `uncertain`, `disagreement` and `uncovered` look at, or None.
        by: the column of `stratified`, or None.
        vector: the vector column of `diverse`; None for the task's first feature.
        seed: the same data, options and seed give the same points.
        where: a person's own SQL condition on the rows of a table, or None.
    """

    sampling: str = RANDOM
    run: str | None = None
    by: str | None = None
    vector: str | None = None
    seed: int = 0
    where: str | None = None

    @property
    def kinds(self) -> str:
        """The sampling as part of a file's name."""
        return self.sampling.replace(":", "_").replace(",", "_")


def draw_points(
    project: Project, task: Task, data: Data, n: int, options: SamplingOptions, folder: Path
) -> Sample:
    """Draw n points of data.

    Args:
        project: holds the table and the run.
        task: its first feature is the default vector of `diverse`.
        data: the name of a data table, `table where condition`, a frame of keys, or a path of one.
        n: how many points, at least 1; fewer where the sampling finds fewer.
        options: how they are chosen.
        folder: a run's files may be copied there.

    Raises:
        AnnotationError: n below 1, points of several tables, or a sampling that cannot be done or finds
            no point.
        FrameError: neither a table nor a file, a file that cannot be used, or no point at all.
        DatabaseError: no such table or column, or a condition that the database refuses.
        TrackingError: no such run.
    """
    if n < 1:
        raise AnnotationError(f"{n} points were asked for; expected at least 1")
    table, only = table_and_ids(project, data, options.where)
    files = None
    if options.run is not None:
        from adaptml.runs.label_run import RunFiles  # MLflow takes a second

        files = RunFiles(project, options.run, folder, task)
    vector = options.vector or next(iter(task.features), None)
    source = Source(project.points, table, options.by, vector, files, only)
    return draw_sample(source, options.sampling, n, options.seed)


def table_and_ids(project: Project, data: Data, where: str | None) -> tuple[str, dict[str, None] | None]:
    """The table to draw from, and the ids that may be drawn; None for all, which are then read in chunks."""
    if isinstance(data, str) and where is None and not is_file(project, data):
        table, condition = split_condition(data)
        if condition is None:
            return table, None
    frame = read_points(project, data, where=where)
    tables = frame["table_name"].unique().tolist()
    if len(tables) > 1:
        raise AnnotationError(
            f"{described(data)} holds points of {len(tables)} tables, {listed(tables)}; "
            "expected points of one: sample each table by itself"
        )
    ids = frame["id"]
    if isinstance(data, pd.DataFrame | Path) or is_file(project, data):
        ids = ids.sort_values()  # the same points in another order give the same sample
    return str(tables[0]), dict.fromkeys(ids.tolist())
