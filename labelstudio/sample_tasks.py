"""Sample data points for people to annotate: a file that Label Studio imports."""

import json
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import typer
from rich.console import Console

from adaptml.cli.support import run_command
from adaptml.errors import AnnotationError, listed
from adaptml.files import replacing
from adaptml.project import Project
from adaptml.sampling import RANDOM, Sample, Source, draw_sample
from adaptml.tasks import Task, coding_guide, label_config

SEED = 0
_RESERVED = {"ref_id", "meta_info"}


@dataclass(frozen=True)
class SampledTasks:
    """What was written.

    Attributes:
        path: the task file.
        config: the labelling configuration, to paste into the project's settings in Label Studio.
        guide: the coding guide for annotators, Markdown.
        points: how many points were sampled.
        empty: points with nothing in a column that annotators see.
    """

    path: Path
    config: Path
    guide: Path
    points: int
    empty: int


def sample_tasks(
    project: Project,
    table: str,
    columns: Sequence[str],
    n: int,
    task: Task,
    filename: Path | None = None,
    seed: int = SEED,
) -> SampledTasks:
    """Write n random rows of a table as a Label Studio task file, with its configuration and coding guide.

    All three files are written or none.

    The task file is a JSON list of `{"id", "data": {"ref_id", "meta_info": {"table_name", "task",
    "sampling", "inclusion_prob"}, <column>: …}}`. `<task>_config.xml` and `<task>_guide.md` follow the task
    file (task.yaml) and are written anew beside it.

    Args:
        project: holds the table, and the folder of annotations.
        table: name of a data table.
        columns: columns to send; at least those that the task shows to annotators.
        n: how many rows, at least 1; all rows where the table holds fewer.
        task: what is asked of the points.
        filename: the file to write; default `tasks_<table>_<n>_seed<seed>.json` in the task's folder
            of annotations.
        seed: the same table, n and seed give the same rows.

    Raises:
        AnnotationError: n below 1, no rows, or columns that annotators need and that were not named.
        FrameError: a file that cannot be written.
        UnknownTableError, UnknownColumnError: as they say.
    """
    _check(columns, n, task)
    database = project.database
    if database.count(table) == 0:
        raise AnnotationError(f"table {table!r} has no rows; load some before sampling")
    sample = draw_sample(Source(database, table), RANDOM, n, seed)
    rows = database.read(sample.frame, columns)
    path = filename or project.settings.annotations(task.name) / f"tasks_{table}_{n}_seed{seed}.json"
    tasks = label_studio_tasks(rows, task, sample, sample.frame["inclusion_prob"].tolist())
    config, guide = path.parent / f"{task.name}_config.xml", path.parent / f"{task.name}_guide.md"
    text_of_tasks = json.dumps(tasks, ensure_ascii=False, indent=1) + "\n"
    with ExitStack() as stack:
        for target, text in (
            (path, text_of_tasks),
            (config, label_config(task)),
            (guide, coding_guide(task)),
        ):
            stack.enter_context(replacing(target)).write_text(text, encoding="utf-8")
    shown = [column.name for column in task.columns]
    empty = int((rows[shown].isna() | (rows[shown] == "")).any(axis=1).sum())
    return SampledTasks(path, config, guide, len(rows), empty)


def label_studio_tasks(
    rows: pd.DataFrame, task: Task, sample: Sample, inclusion: Sequence[float]
) -> list[dict[str, Any]]:
    """Data points in the form that Label Studio imports.

    Args:
        rows: `table_name`, `id` and the columns to send (n rows).
        task: what is asked of them.
        sample: how they were drawn.
        inclusion: n inclusion probabilities in (0, 1], NaN where they cannot be told.
    """
    tasks = []
    for row, chance in zip(rows.to_dict("records"), inclusion, strict=True):
        table_name, key = row.pop("table_name"), row.pop("id")
        meta = {"table_name": table_name, "task": task.name, "sampling": sample.name}
        meta["inclusion_prob"] = chance if chance == chance else None  # NaN is not itself
        columns = {name: _plain(value) for name, value in row.items()}
        tasks.append({"id": key, "data": {"ref_id": key, "meta_info": meta, **columns}})
    return tasks


def _plain(value: Any) -> Any:
    """A value that JSON has; nothing becomes empty text, for Label Studio refuses a task without it."""
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, str | list | bool | int | float) and value == value:  # NaN is not itself
        return value
    return "" if pd.isna(value) else str(value)


def _check(columns: Sequence[str], n: int, task: Task) -> None:
    if n < 1:
        raise AnnotationError(f"{n} points were asked for; expected at least 1")
    needed = [column.name for column in task.columns if column.name not in columns]
    if needed:
        raise AnnotationError(
            f"task {task.name!r} shows {listed(needed)} to annotators, and the columns given are "
            f"{listed(list(columns), 20) or 'none'}; add {listed(needed)}"
        )
    taken = [column for column in columns if column in _RESERVED]
    if taken:
        raise AnnotationError(f"a column cannot be named {listed(taken)}, where the key is kept; rename it")


def command(
    table: Annotated[str, typer.Argument(help="Data table to sample from.")],
    columns: Annotated[list[str], typer.Argument(help="Columns to send, such as the text to read.")],
    n: Annotated[int, typer.Argument(help="How many points; all where the table holds fewer.")],
    task: Annotated[str, typer.Argument(help="Name of the task: a folder in tasks/.")],
    filename: Annotated[
        Path | None,
        typer.Option(help="File to write. Default: annotations/TASK/ in the home folder."),
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same points.")] = SEED,
) -> None:
    """Sample data points for annotation in Label Studio.

    Writes a task file to import into a Label Studio project, the labelling configuration to paste into
    its settings, and the coding guide for the annotators.

    Example: `sample-tasks example_data txt 30 example`
    """
    with Project() as project:
        done = sample_tasks(project, table, columns, n, project.task(task), filename, seed)
    console = Console(soft_wrap=True, highlight=False, markup=False)
    fewer = f" (all rows: the table holds fewer than {n})" if done.points < n else ""
    console.print(f"{done.points} points of {table} for task {task}{fewer}, seed {seed}")
    if done.empty:
        console.print(f"{done.empty} of them have nothing to show in a column that annotators see")
    console.print(f"tasks          {done.path}")
    console.print(f"configuration  {done.config}")
    console.print(f"coding guide   {done.guide}")
    console.print(
        "Next: in Label Studio make a project, paste the configuration under Labeling Interface > Code, "
        "import the tasks; when they are annotated, export as JSON and run process-annotations."
    )


if __name__ == "__main__":
    run_command(command)
