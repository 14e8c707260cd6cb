"""What a run says that should be fixed next."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from adaptml.errors import TrackingError, one_line
from adaptml.fixing.find import Points, find_what_to_fix
from adaptml.fixing.result import ToFix, read_to_fix
from adaptml.frames import KEYS, read_frame
from adaptml.gold_labels.home import GoldHome
from adaptml.project import Project
from adaptml.runs.artifacts import GOLD_VOTES, TO_FIX
from adaptml.runs.judged import judged
from adaptml.tasks import Task


def what_to_fix(project: Project, task: Task | str, run_id: str) -> ToFix:
    """Labels that look wrong, near-duplicates, and slices on which a model is weak, as a run found them.

    A run of `train` with gold keeps all of it. Of a run of `label`, and of one that an earlier version made,
    it is worked out from the run's predictions of gold: labels of gold that look wrong, and weak slices.
    Labels that somebody has given or confirmed since the run are left out.

    Args:
        project: holds the run, gold and the data tables.
        task: a task or its name.
        run_id: a complete run of `train` or `label` that was compared with gold.

    Raises:
        TrackingError: no such run, it is not complete, or was not compared with gold.
        DatabaseError: the database refuses.

    Example:
        >>> labelled = project.label("spam", "comments", gold="task")
        >>> found = project.what_to_fix("spam", labelled.run_id)
        >>> found.n_gold, found.n_training
        (12, 0)
    """
    task = project.task(task)
    with TemporaryDirectory(prefix="adaptml-") as folder:
        if TO_FIX in project.runs.artifacts(run_id):
            path = project.runs.artifact(run_id, TO_FIX, Path(folder))
            try:
                found = read_to_fix(path)
            except ValueError as error:
                raise TrackingError(
                    f"{TO_FIX} of run {run_id} is not what `train` writes: "
                    f"{one_line(error)[:200]}; train again"
                ) from error
        else:
            found = _worked_out(project, task, run_id, Path(folder))
    return _without_settled(found, _settled_since(project, task, project.runs.get(run_id).info.start_time))


def _worked_out(project: Project, task: Task, run_id: str, folder: Path) -> ToFix:
    """From the predictions that the run keeps of gold points."""
    side = judged(project, run_id, task)
    if side is None:
        raise TrackingError(
            f"run {run_id} was compared with no gold, so nothing says which labels look wrong; name a run "
            "that was: `adaptml train TASK --data RUN --gold task`"
        )
    there = project.database.present(side.keys)
    if not there.any():
        raise TrackingError(f"every gold point of run {run_id} is gone from its table; name another run")
    votes = None
    if GOLD_VOTES in project.runs.artifacts(run_id):
        votes = read_frame(project.runs.artifact(run_id, GOLD_VOTES, folder))
    keys = side.keys.loc[there].reset_index(drop=True)
    return find_what_to_fix(
        project, Points(keys, side.Y[there], side.probs[there], side.predicted[there]), votes=votes,
        metric=side.metric, class_names=side.class_names, texts=texts_of(task),
    )  # fmt: skip


def texts_of(task: Task) -> list[str]:
    """The columns of text that people see of a task's points."""
    return [column.name for column in task.columns if column.type == "text"]


def _settled_since(project: Project, task: Task, started_ms: int) -> set[tuple[str, str]]:
    """Points to which somebody has given a gold label since a time."""
    home = GoldHome(project, task.name)
    if not home.exists:
        return set()
    rows = home.rows()
    made_at = pd.to_datetime(rows["made_at"], utc=True, errors="coerce")
    since = rows[made_at > datetime.fromtimestamp(started_ms / 1000, UTC)]
    return {*since[KEYS].itertuples(index=False, name=None)}


def _without_settled(found: ToFix, settled: set[tuple[str, str]]) -> ToFix:
    left = tuple(one for one in found.suspects if (one.table_name, one.id) not in settled)
    counts = dict(found.n_suspects or {})
    for one in found.suspects:
        counts[one.source] -= (one.table_name, one.id) in settled
    return replace(found, suspects=left, n_suspects=counts)
