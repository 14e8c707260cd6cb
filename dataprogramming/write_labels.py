"""The labels of a complete run go into the database: by the step itself, or later by `--run`."""

from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from adaptml.database import WritebackKind, write_back
from adaptml.database.unwritten import complete_already
from adaptml.errors import LabellingError
from adaptml.frames import read_metadata
from adaptml.project import Project
from adaptml.rules.of_model import ModelRules
from adaptml.rules.stored_votes import votes_table, write_votes
from adaptml.runs.artifacts import RULES, TRAINING_DATA, VOTES
from adaptml.tasks import Task
from dataprogramming.votes import Votes

WRITE_ROWS = 100_000  # at once


def labels_table(task: str) -> str:
    """Name of the table of a task's labels."""
    return f"{task}_{WritebackKind.LABELS}"


def write_labels(project: Project, task: Task, run_id: str) -> int:
    """Write the labels of a complete run into `<task>_labels`, and its votes into `<task>_votes`.

    Some rows at a time, each of which is there wholly or not at all; a second time adds nothing but what is
    not there yet.

    Args:
        project: whose results.
        task: that of the run, with the classes that it had.
        run_id: the run.

    Returns:
        How many rows of labels were new.

    Raises:
        TrackingError: no such run, one that is not complete, or one of another step.
        LabellingError: it is a run of another task, or of other classes.
        DatabaseError: the database refuses; the run stays complete.
    """
    again = f"adaptml label {task.name} --setting {task.setting} --run {run_id} --write"
    with TemporaryDirectory(prefix="adaptml-") as folder:
        path = project.runs.artifact(run_id, TRAINING_DATA, Path(folder))
        _check_run(task, run_id, read_metadata(path))
        with complete_already(project.results, f"run {run_id}", labels_table(task.name), again):
            new = sum(
                write_back(project.results, task, WritebackKind.LABELS, frame, run_id)
                for frame in _frames(path)
            )
        with complete_already(project.results, f"run {run_id}", votes_table(task.name), again):
            _write_votes(project, run_id, Path(folder))
    return new


def _check_run(task: Task, run_id: str, said: Mapping[str, Any]) -> None:
    name, classes = said.get("task", ""), [*said.get("classes", [])]
    if (name, classes) != (task.name, task.class_names):
        raise LabellingError(
            f"run {run_id} labelled for task {name!r} with the classes {', '.join(classes)}; expected task "
            f"{task.name!r} with {', '.join(task.class_names)}: label again"
        )


def _frames(path: Path) -> Iterator[pd.DataFrame]:
    """Training data, some rows at a time, at least once."""
    with pq.ParquetFile(path) as file:
        batches = file.iter_batches(WRITE_ROWS)
        for batch in chain([next(batches, file.schema_arrow.empty_table())], batches):
            frame = batch.to_pandas()
            yield frame.assign(label=frame["label"].map(list))  # arrays, as Parquet is read


def _write_votes(project: Project, run_id: str, folder: Path) -> None:
    """Votes of all points of a run, for a service that cannot cast them; runs of before left no rules."""
    if RULES not in project.runs.artifacts(run_id):
        return
    rules = ModelRules.read(project.runs.artifact(run_id, RULES, folder))
    votes = Votes.load(project.runs.artifact(run_id, VOTES, folder))
    for start in range(0, len(votes), WRITE_ROWS):
        some = slice(start, start + WRITE_ROWS)
        keys = votes.keys.iloc[some].reset_index(drop=True)
        write_votes(project.points, rules, keys, votes.patterns.matrix(some), run_id)
