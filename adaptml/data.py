"""Data is data: a table, `table where …`, a frame, a file or a run, read the same way by every step.

What names points from the past (a frame, a file, gold, an earlier run) may name rows that are gone since.
They are counted, told and left out here, so that no step ends with them.
"""

import logging
import re
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from shlex import quote

import numpy as np
import pandas as pd

from adaptml.errors import FrameError, NothingNewError, listed
from adaptml.frames import FORMATS, GONE, KEYS, check_keys, file_of_now, read_frame, rows_of_file
from adaptml.labelled import GOLD_LABEL, Labelled, labelled
from adaptml.project import Project
from adaptml.tasks import Task

Data = str | Path | pd.DataFrame
NO_GOLD, TASK_GOLD = "none", "task"
GOLD_IF_ANY = "task, if any"
_OF_BEFORE = {"0": NO_GOLD, "": NO_GOLD, "1": TASK_GOLD}  # as the original project wrote them
_RUN_ID = re.compile(r"[0-9a-f]{32}")
_log = logging.getLogger(__name__)
_TABLE_WHERE = re.compile(r"\s*(\S.*?)\s+where\s+(.+)", re.IGNORECASE | re.DOTALL)


def read_points(
    project: Project, data: Data, *, where: str | None = None, not_in: str | None = None
) -> pd.DataFrame:
    """The data points that somebody named: a frame that begins with `table_name` and `id`, n rows.

    Of a frame or file, those that are in their tables; its `attrs` say under `GONE` how many more are not.

    Args:
        project: where tables and files are looked for.
        data: a frame, a path of one, the name of a data table (all its rows), or `table where condition`.
        where: a person's own SQL condition on the rows of the table; never one of a service.
        not_in: a table of results; points that it holds already are left out.

    Raises:
        FrameError: neither a table nor a file of that name, a file that cannot be used, a condition without a
            table, or no data point.
        NothingNewError: the table of results holds every point already.
        DatabaseError: the database refuses.
    """
    if isinstance(data, pd.DataFrame):
        frame = still_there(project, check_keys(data, "the frame"), "the frame")
    elif is_file(project, data):
        frame = read_frame(project.path(data), typed_by_user=True)
        frame = still_there(project, frame, str(data))
    else:
        frame = _read_table(project, str(data), where)
        where = None
    if where is not None:
        raise FrameError(f"where {where!r} goes with a table, and {described(data)} is a file or a frame")
    if frame.empty:
        raise FrameError(f"{described(data)} holds no data point to work on; name other data")
    return frame if not_in is None else _without_results(project, frame, not_in, described(data))


def whole_table(project: Project, data: Data, where: str | None = None) -> str | None:
    """The table of which data is every row; None where it is anything else."""
    if where is not None or isinstance(data, pd.DataFrame) or is_file(project, data):
        return None
    table, condition = split_condition(str(data))
    return table if condition is None else None


def read_labels(
    project: Project, data: Data, artifact: str, check_rows: Callable[[int], None] = lambda _: None
) -> pd.DataFrame:
    """Labelled data points, those that are still in their tables; `attrs` say under `GONE` how many are not.

    Lists are as Arrow keeps them, see `some_cells`.

    Args:
        project: where runs and files are looked for.
        data: the id of a run of `label` (32 hexadecimal digits), a frame, or a path of one.
        artifact: which artifact of the run.
        check_rows: called with the number of rows of a Parquet file before these are read; may raise.

    Raises:
        TrackingError: no such run, or a run without that artifact.
        FrameError: no such file, or one that cannot be used, or every point is gone.
        DatabaseError: the database refuses, or none of the points' tables is there.
    """
    return still_there(project, _read_labels(project, data, artifact, check_rows), described(data))


def _read_labels(
    project: Project, data: Data, artifact: str, check_rows: Callable[[int], None]
) -> pd.DataFrame:
    if isinstance(data, pd.DataFrame):
        return check_keys(data, "the frame")
    if is_run(data):
        with tempfile.TemporaryDirectory() as folder:
            path = artifact_of(project, str(data), artifact, Path(folder))
            check_rows(rows_of_file(path))
            return read_frame(path, compact=True)
    path = project.path(data)
    if not path.exists():
        raise FrameError(
            f"no run and no file {str(data)!r}; "
            + (
                file_of_now(path)
                or "expected the id of a run of `adaptml label` (32 hexadecimal digits) or "
                "the path of a frame"
            )
        )
    check_rows(rows_of_file(path))
    return read_frame(path, typed_by_user=True, compact=True)


def artifact_of(project: Project, run_id: str, artifact: str, folder: Path) -> Path:
    """One artifact of a run of any step: where it lies on this machine, else a copy in a folder.

    Raises:
        TrackingError: no such run, or a run without that artifact.
    """
    # In the Docker stack, labelling has a tracking server of its own, whose artifacts are mounted here.
    for mounted in project.settings.home.glob(f"dp_mlruns/*/{run_id}/artifacts/{artifact}"):
        return mounted
    return project.runs.artifact(run_id, artifact, folder)


def read_gold(project: Project, gold: Data | None, task: Task) -> Labelled | None:
    """The gold points that a step of the task can use, those that are still in their tables.

    Args:
        project: where they are looked for.
        gold: `task` for the task's gold (`adaptml gold TASK` shows it), `none` or None for none, else a frame
            or a path of one, with `gold_label`. `1` and `0` mean `task` and `none`.
        task: what the classes are.

    Raises:
        FrameError: the task has no gold yet, or a frame that cannot be used.
        TaskError: names that are not classes of the task.
        DatabaseError: the database refuses, or none of the points' tables is there.
    """
    if gold is None:
        return None
    if isinstance(gold, pd.DataFrame):
        frame = still_there(project, check_keys(gold, "gold"), "gold")
        return labelled(frame, task, GOLD_LABEL, "gold")
    name = _OF_BEFORE.get(str(gold), str(gold))
    if name == NO_GOLD:
        return None
    if name == TASK_GOLD:
        from adaptml.gold_labels.core import JUDGE, parts
        from adaptml.gold_labels.reading import gold_frame

        frame = gold_frame(project, task.name)
        found = labelled(frame, task, GOLD_LABEL, f"gold of task {task.name!r}")
        return replace(found, judges=np.array(parts(found.keys)) == JUDGE)
    path = project.path(gold)
    frame = still_there(project, read_frame(path, typed_by_user=True), str(path))
    return labelled(frame, task, GOLD_LABEL, str(path))


def described(data: Data | None) -> str:
    """Data in a few words, for messages and a run's parameters."""
    return f"a frame of {len(data)} rows" if isinstance(data, pd.DataFrame) else str(data or NO_GOLD)


def as_recorded(data: str) -> str:
    """The name of data that a run recorded, where it may be read on no person's word.

    Whoever writes to MLflow can record any name: opening a pickle runs code, and a condition is SQL.

    Raises:
        FrameError: a pickle, or rows by a condition.
    """
    if Path(data).suffix == ".pkl":
        raise FrameError(
            f"a run recorded {data}, a pickle, which can run code; expected .parquet, .csv or .jsonl: "
            "convert it, and name that"
        )
    if split_condition(data)[1] is not None:
        raise FrameError(
            f"a run recorded {data!r}, and SQL is run on a person's word only; name it: --data {quote(data)}"
        )
    return data


def is_run(data: Data) -> bool:
    """Whether data is the id of an MLflow run."""
    return isinstance(data, str) and bool(_RUN_ID.fullmatch(data))


def is_file(project: Project, data: str | Path) -> bool:
    """Whether data is meant as a file: it is there, is a path, or ends as a frame does."""
    named = isinstance(data, Path) or Path(data).suffix in FORMATS
    return bool(named or project.path(data).is_file())


def split_condition(data: str) -> tuple[str, str | None]:
    """A table and the condition on its rows.

    >>> split_condition("posts where lang = 'en'")
    ('posts', "lang = 'en'")
    >>> split_condition("crm.old posts where lang = 'en'")
    ('crm.old posts', "lang = 'en'")
    >>> split_condition("posts")
    ('posts', None)
    """
    found = _TABLE_WHERE.fullmatch(data)
    return (found[1], found[2].strip()) if found else (data.strip(), None)


def _read_table(project: Project, data: str, where: str | None) -> pd.DataFrame:
    table, condition = split_condition(data)
    if condition is not None and where is not None:
        raise FrameError(f"two conditions, {condition!r} and {where!r}; write one")
    return project.database.keys(table, condition or where)


def still_there(project: Project, frame: pd.DataFrame, source: str) -> pd.DataFrame:
    """The points of a frame that are in their tables; the others are counted and told.

    Args:
        project: whose tables.
        frame: `table_name` and `id`, and anything else.
        source: what it is called in messages.

    Returns:
        The rows that are left; `attrs` say under `GONE` how many are not.

    Raises:
        FrameError: none is.
    """
    there = project.database.present(frame)
    if there.all():
        return frame
    gone = [f"{table}/{key}" for table, key in frame.loc[~there, KEYS].itertuples(index=False)]
    if not there.any():
        raise FrameError(
            f"every one of the {len(gone)} data points of {source} is gone from its table: {listed(gone)}; "
            "name other data"
        )
    counted = f"{len(gone)} of {len(frame)} data points of {source} are gone from their table"
    _log.warning("%s and left out: %s", counted, listed(gone))
    left = frame.loc[there].reset_index(drop=True)
    left.attrs = {**frame.attrs, GONE: len(gone)}
    return left


def _without_results(project: Project, frame: pd.DataFrame, table: str, source: str) -> pd.DataFrame:
    if table not in project.results.tables():
        return frame  # nothing was written back yet: everything is new
    done = pd.MultiIndex.from_frame(project.results.result_keys(table))
    new = frame.loc[~pd.MultiIndex.from_frame(frame[KEYS]).isin(done)].reset_index(drop=True)
    if new.empty:
        raise NothingNewError(
            f"nothing is new: {table} holds all {len(frame)} data points of {source} already"
        )
    return new
