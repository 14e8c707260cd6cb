"""The labels of a complete run go into the database: by the step itself, or later by `--run`."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from adaptml.database import WritebackKind, write_back
from adaptml.database.unwritten import complete_already
from adaptml.errors import LabellingError
from adaptml.frames import read_frame, read_metadata
from adaptml.project import Project
from adaptml.rules.of_model import ModelRules
from adaptml.rules.stored_votes import votes_table, write_votes
from adaptml.runs.artifacts import RULES, TRAINING_DATA, VOTES
from adaptml.tasks import Task
from dataprogramming.votes import Votes


def labels_table(task: str) -> str:
    """Name of the table of a task's labels."""
    return f"{task}_{WritebackKind.LABELS}"


def labels_of(project: Project, task: Task, run_id: str) -> pd.DataFrame:
    """The training data of a complete run of `label`, to write them after the run.

    Args:
        project: whose run it is.
        task: that of the run, with the classes that it had.
        run_id: the run.

    Raises:
        TrackingError: no such run, one that is not complete, or one of another step.
        LabellingError: it is a run of another task, or of other classes.
    """
    with TemporaryDirectory(prefix="adaptml-") as folder:
        path = project.runs.artifact(run_id, TRAINING_DATA, Path(folder))
        said, frame = read_metadata(path), read_frame(path)
    name, classes = said.get("task", ""), [*said.get("classes", [])]
    if (name, classes) != (task.name, task.class_names):
        raise LabellingError(
            f"run {run_id} labelled for task {name!r} with the classes {', '.join(classes)}; expected task "
            f"{task.name!r} with {', '.join(task.class_names)}: label again"
        )
    return frame.assign(label=frame["label"].map(list))  # arrays, as Parquet is read


def write_labels(project: Project, task: Task, run_id: str, labels: pd.DataFrame) -> int:
    """Write the labels of a complete run into `<task>_labels`, and its votes into `<task>_votes`.

    A second time adds nothing.

    Args:
        project: whose results.
        task: that of the run.
        run_id: the run.
        labels: its training data.

    Returns:
        How many rows of labels were new.

    Raises:
        DatabaseError: the database refuses; the run stays complete.
    """
    again = f"adaptml label {task.name} --setting {task.setting} --run {run_id} --write"
    with complete_already(project.results, f"run {run_id}", labels_table(task.name), again):
        new = write_back(project.results, task, WritebackKind.LABELS, labels, run_id)
    with complete_already(project.results, f"run {run_id}", votes_table(task.name), again):
        _write_votes(project, run_id)
    return new


def _write_votes(project: Project, run_id: str) -> None:
    """Votes of all points of a run, for a service that cannot cast them; runs of before left no rules."""
    if RULES not in project.runs.artifacts(run_id):
        return
    with TemporaryDirectory(prefix="adaptml-") as folder:
        rules = ModelRules.read(project.runs.artifact(run_id, RULES, Path(folder)))
        votes = Votes.load(project.runs.artifact(run_id, VOTES, Path(folder)))
    write_votes(project.points, rules, votes.keys, votes.L, run_id)
