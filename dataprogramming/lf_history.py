"""Which versions of its labelling functions a task was labelled with, run by run."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from mlflow.entities import Run

from adaptml.errors import listed
from adaptml.project import Project
from adaptml.runs.artifacts import LFS
from adaptml.runs.listing import list_runs
from adaptml.tasks import Task
from dataprogramming.lf_versions import LFChange, LFVersion, changes_between, read_versions

RUNS = 20
MOST_NAMES = 3
_MARKS = {"added": "+", "removed": "−", "changed": "~", "renamed": "="}


@dataclass(frozen=True, eq=False, repr=False)
class LFHistory:
    """The `label` runs of a task, the newest first.

    Attributes:
        task: its name.
        table: frame of a row per run: `run_id`, `started` (UTC), `data`, `lfs` (how many; NaN where the run
            does not say), `changes` (against the run before: + added, − removed, ~ changed, = renamed;
            "none", or NaN where one of the two does not say), `coverage` (share of the points with a vote),
            `metric` (`accuracy` or `f1_samples`) and `on_gold`, its value in [0, 1], or NaN.

    Example:
        >>> labelled = project.label("spam", "comments", label_model="majority_vote")
        >>> history = project.lf_history("spam")
        >>> history.table[["data", "lfs", "coverage"]].head(1)
               data  lfs  coverage
        0  comments  5.0  0.958333
    """

    task: str
    table: pd.DataFrame

    def __repr__(self) -> str:
        return f"LFHistory of {self.task}\n{self.table.to_string(index=False)}"

    def _repr_html_(self) -> str:
        """What a notebook shows: the runs."""
        return self.table.to_html(index=False, float_format="{:.3f}".format, na_rep="–")


def lf_history(project: Project, task: str | Task, *, n: int = RUNS) -> LFHistory:
    """The `label` runs of a task with what changed in its labelling functions from run to run.

    Args:
        project: whose runs.
        task: the task, or its name.
        n: at most so many runs, the newest.

    Raises:
        TaskError: no such task.
        TrackingError: the tracking server or store cannot be used.

    Example:
        >>> labelled = project.label("spam", "comments", label_model="majority_vote")
        >>> len(project.lf_history("spam", n=1).table)
        1
    """
    name = project.task(task).name
    listing = label_runs(project, name)[
        : n + 1
    ]  # one more: the oldest that is shown has a run before it, too
    with tempfile.TemporaryDirectory() as scratch:
        known = [versions_of(project, str(row["run_id"]), Path(scratch)) for row in listing]
    rows = []
    for number, row in enumerate(listing[:n]):
        before = known[number + 1 : number + 2]
        rows.append(_row(project.runs.get(str(row["run_id"])), row, known[number], before))
    columns = ["run_id", "started", "data", "lfs", "changes", "coverage", "metric", "on_gold"]
    frame = pd.DataFrame(rows, columns=columns)
    return LFHistory(name, frame.astype(dict.fromkeys(("lfs", "coverage", "on_gold"), "float64")))


def label_runs(project: Project, task: str) -> list[dict[str, object]]:
    """The complete `label` runs of a task, the newest first, as rows of `list_runs`."""
    runs = list_runs(project, task)
    found = runs[(runs["step"] == "label") & (runs["status"] == "FINISHED")]
    return [{str(name): value for name, value in row.items()} for row in found.to_dict("records")]


def versions_of(project: Project, run_id: str, folder: Path) -> list[LFVersion] | None:
    """The versions of labelling functions that a run used; None where it does not say.

    Args:
        project: whose run.
        run_id: a complete run.
        folder: where its file may be copied to.
    """
    if LFS not in project.runs.artifacts(run_id):
        return None
    place = folder / run_id
    place.mkdir(exist_ok=True)
    return read_versions(project.runs.artifact(run_id, LFS, place))


def changes_in_words(changes: Sequence[LFChange]) -> str:
    """Changes in one short line, such as `+ link; ~ long, short`.

    >>> changes_in_words([])
    'none'
    """
    parts = []
    for kind, mark in _MARKS.items():
        names = [change.name for change in changes if change.kind == kind]
        if names:
            parts.append(f"{mark} {listed(names, MOST_NAMES)}")
    return "; ".join(parts) or "none"


def _row(
    run: Run,
    row: Mapping[str, object],
    versions: Sequence[LFVersion] | None,
    before: Sequence[Sequence[LFVersion] | None],
) -> list[object]:
    """One line of the table; `before` is empty for the first run of all."""
    metrics = run.data.metrics
    points, left_out = metrics.get("points"), metrics.get("points_left_out")
    changes = None
    if versions is not None and before and before[0] is not None:
        changes = changes_in_words(changes_between(before[0], versions))
    return [
        row["run_id"],
        row["started"],
        run.data.params.get("train_data", ""),
        None if versions is None else len(versions),
        changes,
        1 - left_out / points if points and left_out is not None else None,
        row["metric"],
        row["on_gold"],
    ]
