"""Choose data points to label and to train on."""

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from adaptml.data import Data
from adaptml.errors import FrameError
from adaptml.frames import write_frame
from adaptml.own_names import own_name
from adaptml.project import Project
from adaptml.sampling.core import RANDOM
from adaptml.sampling.points import SamplingOptions, draw_points
from adaptml.tasks import Task


@dataclass(frozen=True)
class SampledPoints:
    """The result of `sample_points`.

    Attributes:
        frame: `table_name`, `id`, `inclusion_prob` (float in (0, 1], NaN where it cannot be told) and
            `sampling` (the name of the draw), one row per point.
        path: the Parquet file that holds the frame.
        name: the name of the draw, such as `random n=100 seed=0`.

    Example:
        >>> project.sample_points("spam", "comments", 3).name
        'random n=3 seed=0'
    """

    frame: pd.DataFrame
    path: Path
    name: str


def sample_points(
    project: Project,
    task: Task | str,
    data: Data,
    n: int,
    *,
    sampling: str = RANDOM,
    run: str | None = None,
    by: str | None = None,
    vector: str | None = None,
    seed: int = 0,
    where: str | None = None,
    to: str | Path | None = None,
) -> SampledPoints:
    """Choose n data points and write them as a frame.

    Args:
        project: holds the table and the run.
        task: a task or its name; its first feature is the default vector of `diverse`.
        data: the name of a data table, `table where condition`, a frame of keys, or a path of one.
        n: how many points, at least 1; fewer where the sampling finds fewer.
        sampling: `random`, `stratified`, `diverse`, `uncertain`, `disagreement`, `uncovered`, or a mixture
            such as `uncertain:0.5,random:0.5`.
        run: the MLflow run that `uncertain`, `disagreement` and `uncovered` look at.
        by: the column of `stratified`.
        vector: the vector column of `diverse`; default: the task's first feature.
        seed: the same arguments and seed give the same points.
        where: an SQL condition on the rows of the table.
        to: the file to write; default: `<table>_<sampling>_<n>_seed<seed>.parquet` in `unlabeled_data/`
            of the home folder, with a number behind it where that is there with other points.

    Raises:
        AnnotationError: n below 1, points of several tables, or a sampling that cannot be done or finds
            no point.
        FrameError: neither a table nor a file, one that cannot be used, or `to` is no .parquet.
        FileError: the file cannot be written, or `to` is there and holds something else.
        DatabaseError: no such table or column, or a condition that the database refuses.
        TrackingError: no such run.

    Example:
        >>> project.sample_points("spam", "comments", 3).frame
          table_name  id  inclusion_prob           sampling
        0   comments  s5           0.125  random n=3 seed=0
        1   comments  h7           0.125  random n=3 seed=0
        2   comments  s3           0.125  random n=3 seed=0
    """
    task = project.task(task)
    if to is not None and Path(to).suffix != ".parquet":
        raise FrameError(f"{to} does not end in .parquet, and the points are written as Parquet; name it so")
    options = SamplingOptions(sampling, run, by, vector, seed, where)
    with TemporaryDirectory(prefix="adaptml-") as folder:
        sample = draw_points(project, task, data, n, options, Path(folder))
    name = f"{sample.table}_{options.kinds}_{n}_seed{seed}.parquet"
    path = Path(to) if to is not None else project.settings.unlabeled_data / name
    frame = sample.frame.assign(sampling=sample.name)
    path = own_name(path, lambda there: _holds(there, frame), named=to is not None)
    return SampledPoints(frame, write_frame(frame, path), sample.name)


def _holds(path: Path, frame: pd.DataFrame) -> bool:
    """Whether a file has these points already."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        there = pq.read_table(path).to_pandas()
    except (OSError, pa.ArrowInvalid):
        return False
    return bool(there.equals(pa.Table.from_pandas(frame, preserve_index=False).to_pandas()))
