"""Sample data points for people to annotate: a file that Label Studio imports."""

import json
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd

from adaptml.data import Data
from adaptml.errors import AnnotationError, listed
from adaptml.files import replacing
from adaptml.gold_labels.core import seen_of
from adaptml.own_names import own_name
from adaptml.project import Project
from adaptml.sampling import RANDOM, Sample, SamplingOptions, draw_points
from adaptml.tasks import Task, coding_guide, label_config
from labelstudio.absent import notes, nothing_in
from labelstudio.media import media_columns, with_addresses

_RESERVED = {"ref_id", "meta_info"}


@dataclass(frozen=True)
class SampledTasks:
    """The result of `sample_tasks`.

    Attributes:
        frame: `table_name`, `id` and `inclusion_prob` of the sampled points, in the order of the file.
        path: the task file.
        config: the labelling configuration, to paste into the project's settings in Label Studio.
        guide: the coding guide for annotators, Markdown.
        points: how many points were sampled.
        partial: those of them that lack a part, in whose place a note is shown.
        empty: points that were drawn and left out, because there is nothing to show of them.
        name: the name of the draw, such as `random n=30 seed=0`.

    Example:
        >>> project.sample_tasks("spam", "comments", 3).path.name
        'tasks_comments_3_seed0.json'
    """

    frame: pd.DataFrame
    path: Path
    config: Path
    guide: Path
    points: int
    partial: int
    empty: int
    name: str


def sample_tasks(
    project: Project,
    task: Task | str,
    data: Data,
    n: int,
    *,
    sampling: str = RANDOM,
    columns: Sequence[str] | None = None,
    run: str | None = None,
    by: str | None = None,
    vector: str | None = None,
    seed: int = 0,
    where: str | None = None,
    to: str | Path | None = None,
) -> SampledTasks:
    """Write n rows of a table as a Label Studio task file, with its configuration and coding guide.

    All three files are written or none. Points with nothing in any column that annotators see are left out.

    The task file is a JSON list of `{"id", "data": {"ref_id", "meta_info": {"table_name", "task",
    "sampling", "inclusion_prob"}, <column>: …}}`. `<task>_config.xml` and `<task>_guide.md` follow the task
    file (task.yaml) and are written anew beside it.

    Args:
        project: holds the table, and the folder of annotations.
        task: a task or its name: what is asked of the points.
        data: the name of a data table, `table where condition`, a frame of keys, or a path of one.
        n: how many points, at least 1; fewer where the sampling finds fewer.
        sampling: `random`, `stratified`, `diverse`, `uncertain`, `disagreement`, `uncovered`, or a mixture
            such as `uncertain:0.5,random:0.5`.
        columns: columns to send; default: those that the task shows to annotators, which are always needed.
        run: the MLflow run that `uncertain`, `disagreement` and `uncovered` look at.
        by: the column of `stratified`.
        vector: the vector column of `diverse`; default: the task's first feature.
        seed: the same arguments and seed give the same points.
        where: an SQL condition on the rows of the table.
        to: the file to write, whose name gets `.json` behind it where it does not end so, for Label Studio
            imports no other; default: `tasks_<table>_<n>_seed<seed>.json` in the task's folder of
            annotations, with a number behind it where that is there with other tasks.

    Raises:
        AnnotationError: n below 1, a sampling that cannot be done, no rows, or columns that annotators need
            and that were not named.
        FrameError: neither a table nor a file, or a file that cannot be used.
        FileError: a file that cannot be written, or `to` is there and holds something else.
        DatabaseError: no such table or column, or a condition that the database refuses.
        TrackingError: no such run.

    Example:
        >>> project.sample_tasks("spam", "comments", 3).frame["id"].tolist()
        ['s5', 'h7', 's3']
    """
    task = project.task(task)
    sent = list(columns or [column.name for column in task.columns])
    _check_columns(sent, task)
    options = SamplingOptions(sampling, run, by, vector, seed, where)
    with TemporaryDirectory(prefix="adaptml-") as folder:
        sample = draw_points(project, task, data, n, options, Path(folder))
    rows = project.database.read(sample.frame, sent)
    absent = nothing_in(rows, task)
    empty = absent.all(axis=1)
    if empty.all():
        columns_shown = listed([column.name for column in task.columns])
        raise AnnotationError(
            f"none of the {len(rows)} points drawn has anything in {columns_shown}, which is what task "
            f"{task.name!r} shows to annotators; name other columns in the task file, or other rows (--where)"
        )
    shown = np.flatnonzero(~empty)
    rows, sample = rows.iloc[shown], replace(sample, frame=sample.frame.iloc[shown].reset_index(drop=True))
    kinds = "" if sampling == RANDOM else f"{options.kinds}_"
    name = f"tasks_{sample.table}_{kinds}{n}_seed{seed}.json"
    path = Path(to) if to is not None else project.settings.annotations(task.name) / name
    if not path.name.endswith(".json"):  # Label Studio imports no other
        path = path.with_name(f"{path.name}.json")
    probs = sample.frame["inclusion_prob"].tolist()
    tasks = label_studio_tasks(rows, task, sample, probs, media=project.settings.media)
    text = json.dumps(tasks, ensure_ascii=False, indent=1) + "\n"
    path = own_name(path, lambda there: there.read_bytes() == text.encode(), named=to is not None)
    config, guide = _write_files(text, task, path)
    partial = int((absent.any(axis=1) & ~empty).sum())
    return SampledTasks(sample.frame, path, config, guide, len(rows), partial, int(empty.sum()), sample.name)


def _write_files(tasks: str, task: Task, path: Path) -> tuple[Path, Path]:
    """Write the task file with its configuration and guide beside it: all or none; gives the latter two."""
    config, guide = path.parent / f"{task.name}_config.xml", path.parent / f"{task.name}_guide.md"
    texts = {
        path: tasks,
        config: label_config(task),
        guide: coding_guide(task),
    }
    with ExitStack() as stack:
        for target, text in texts.items():
            stack.enter_context(replacing(target)).write_text(text, encoding="utf-8")
    return config, guide


def label_studio_tasks(
    rows: pd.DataFrame,
    task: Task,
    sample: Sample,
    inclusion: Sequence[float],
    *,
    media: Path | None = None,
    purpose: str = "",
) -> list[dict[str, Any]]:
    """Data points in the form that Label Studio imports.

    Args:
        rows: `table_name`, `id` and the columns to send (n rows).
        task: what is asked of them.
        sample: how they were drawn.
        inclusion: n inclusion probabilities in (0, 1], NaN where they cannot be told.
        media: folder of the files that columns of pictures, sounds and films name; None leaves them as they
            are.
        purpose: what other than annotation the tasks are for; how such points were drawn says nothing about
            the table, and is not recorded.

    Raises:
        AnnotationError: files that cannot be shown.
    """
    tasks = []
    files = [] if media is None else [name for name in media_columns(task) if name in rows.columns]
    shown = rows if media is None else with_addresses(rows, task, media)
    originals = rows[files].to_dict("records")
    lacking, note = nothing_in(rows, task), notes(task)
    names = np.array(list(note))
    for row, prob, cells, nothing in zip(
        shown.to_dict("records"), inclusion, originals, lacking, strict=True
    ):
        table_name, key = row.pop("table_name"), row.pop("id")
        meta: dict[str, Any] = {"table_name": table_name, "task": task.name}
        if purpose:
            meta["purpose"] = purpose
        else:
            meta["sampling"] = sample.name
            meta["inclusion_prob"] = prob if prob == prob else None  # NaN is not itself
        if files:  # a changed point is told by what the table holds, not by the address that was made of it
            meta["seen"] = seen_of({str(name): cell for name, cell in cells.items()})
        columns = {name: _json_value(value) for name, value in row.items()}
        if nothing.any():
            meta["absent"] = names[nothing].tolist()
            columns |= {name: note[name] for name in meta["absent"]}
        tasks.append({"id": key, "data": {"ref_id": key, "meta_info": meta, **columns}})
    return tasks


def _json_value(value: Any) -> Any:
    """A value that JSON has; a missing one becomes empty text, for Label Studio refuses a task without it."""
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, str | list | bool | int | float) and value == value:  # NaN is not itself
        return value
    return "" if pd.isna(value) else str(value)


def _check_columns(columns: Sequence[str], task: Task) -> None:
    """Refuse columns without those that annotators need, and ones named as the key."""
    if not task.columns:
        raise AnnotationError(
            f"task {task.name!r} has no columns to show to annotators; name them in the task (columns)"
        )
    needed = [column.name for column in task.columns if column.name not in columns]
    if needed:
        raise AnnotationError(
            f"task {task.name!r} shows {listed(needed)} to annotators, and the columns given are "
            f"{listed(list(columns), 20)}; add {listed(needed)}"
        )
    taken = [column for column in columns if column in _RESERVED]
    if taken:
        raise AnnotationError(f"a column cannot be named {listed(taken)}, where the key is kept; rename it")


if __name__ == "__main__":
    from adaptml.cli.support import run_file

    run_file("original_sample_tasks")
