"""What the last label run said of each rule, to see what has changed since."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from adaptml.project import Project
from adaptml.tasks import Task
from dataprogramming.lf_history import label_runs

_SUMMARY = "lf_summary_train.csv"


@dataclass(frozen=True)
class LastLabelRun:
    """A run of `label`.

    Attributes:
        run_id: its id.
        started: UTC, ISO 8601.
        coverage: name of a rule → share of the points that it voted on, in [0, 1].
    """

    run_id: str
    started: str
    coverage: Mapping[str, float]


def last_label_run(project: Project, task: str | Task) -> LastLabelRun | None:
    """The last complete label run of a task; None where there is none.

    Raises:
        TaskError: no such task.
        TrackingError: the tracking server or store cannot be used.
    """
    runs = label_runs(project, project.task(task).name)
    if not runs:
        return None
    run_id = str(runs[0]["run_id"])
    with tempfile.TemporaryDirectory() as scratch:
        path = project.runs.artifact(run_id, _SUMMARY, Path(scratch))
        # "NA" can be a name
        table = pd.read_csv(path, dtype={"lf": str}, keep_default_na=False, na_values={"coverage": [""]})
    coverage = dict(zip(table["lf"], table["coverage"].astype(float), strict=True))
    return LastLabelRun(run_id, pd.Timestamp(str(runs[0]["started"])).isoformat(), coverage)
