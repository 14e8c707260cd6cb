"""The step `gold_template`: a spreadsheet of points to label by hand."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from adaptml.data import Data
from adaptml.errors import AnnotationError, FrameError
from adaptml.frames import KEYS
from adaptml.gold_labels.core import seen_of, seen_text
from adaptml.gold_labels.filled import SEEN
from adaptml.gold_labels.home import GoldHome
from adaptml.gold_labels.reading import changed_points, rows_now
from adaptml.gold_labels.sheets import write_spreadsheet
from adaptml.project import Project
from adaptml.sampling import SamplingOptions, draw_points
from adaptml.tasks import Task


def gold_template(
    project: Project,
    task: Task | str,
    data: Data | None = None,
    n: int | None = None,
    *,
    seed: int = 0,
    where: str | None = None,
    to: str | Path | None = None,
) -> Path:
    """Write a spreadsheet to fill in: points without gold, what people see of them, and an empty `label`.

    Args:
        project: holds the data table.
        task: a task or its name: names the columns that people see.
        data: where the points are drawn from, at random; None for the gold points that have changed since
            they were labelled.
        n: how many points, fewer where there are fewer; None for all that changed.
        seed: the same arguments and seed give the same points.
        where: an SQL condition on the rows of the table.
        to: a .csv or .xlsx file that does not exist; default: `gold_<n>_seed<seed>.csv` or `gold_changed.csv`
            in the task's folder of annotations.

    Returns:
        The file. Its column `seen` says what the texts were like; leave it as it is.

    Raises:
        AnnotationError: no point to label.
        FrameError: a file that is there already, or of another kind.
        DatabaseError: no such table or column.

    Example:
        >>> project.gold_template("spam", "comments", 3).name
        'gold_3_seed0.csv'
    """
    task = project.task(task)
    name = "gold_changed.csv" if data is None else f"gold_{n}_seed{seed}.csv"
    path = Path(to) if to is not None else project.settings.annotations(task.name) / name
    if path.exists():
        raise FrameError(
            f"{path} is there already, maybe filled in; name another file with --to, or remove it"
        )
    if data is None:
        keys = changed_points(project, task, n)
    else:
        keys = _points_without(project, task, data, n or 0, SamplingOptions(seed=seed, where=where))
    columns = [column.name for column in task.columns]
    rows = project.database.read(keys, columns)
    sheet = rows[KEYS].assign(**{name: rows[name].map(_shown) for name in columns}, label="")
    now = rows_now(project, keys, columns)
    sheet[SEEN] = [seen_text(seen_of(now[point])) or "" for point in keys.itertuples(index=False, name=None)]
    write_spreadsheet(sheet.astype(str), path)
    return path


def _points_without(
    project: Project, task: Task, data: Data, n: int, options: SamplingOptions
) -> pd.DataFrame:
    """n random points without gold; a larger n gives these and more."""
    home = GoldHome(project, task.name)
    there = {*home.rows()[KEYS].itertuples(index=False, name=None)} if home.exists else set()
    if n < 1:
        raise AnnotationError(f"{n} points were asked for; expected at least 1")
    with TemporaryDirectory(prefix="adaptml-") as folder:
        drawn = draw_points(project, task, data, n + len(there), options, Path(folder)).frame[KEYS]
    free = drawn[[key not in there for key in drawn.itertuples(index=False, name=None)]].head(n)
    if free.empty:
        raise AnnotationError(f"every point has a gold label of task {task.name!r} already; name other data")
    return free.reset_index(drop=True)


def _shown(value: object) -> str:
    return "" if value is None else str(value)
