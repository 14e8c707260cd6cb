"""Results go to tables of their own beside the data: who said what of a data point, in which run, when."""

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import sqlalchemy as sa
from sqlalchemy.types import TypeEngine

from adaptml.database.class_slugs import PROB, class_columns, keep_slugs, read_slugs
from adaptml.database.core import Database
from adaptml.database.types import TextList
from adaptml.database.writeback_before import OF_BEFORE, migrate, pages, probs_of_before
from adaptml.errors import DatabaseError, listed
from adaptml.frames import KEYS
from adaptml.tasks.problems import indicator
from adaptml.tasks.schema import Task


class WritebackKind(StrEnum):
    """What is written back; the table is `<task>_<kind>`."""

    ANNOTATIONS = "annotations"
    LABELS = "labels"
    PREDICTIONS = "predictions"


_Columns = dict[str, TypeEngine[Any]]
_KEY_TYPES: _Columns = {"table_name": sa.Text(), "id": sa.Text(), "run_id": sa.Text()}
_PAYLOAD: dict[WritebackKind, _Columns] = {
    WritebackKind.ANNOTATIONS: {"annotator": sa.Text(), "label": TextList()},
    WritebackKind.LABELS: {"label": TextList()},
    # String and not Text, which on CrateDB has no index: people ask for one version.
    WritebackKind.PREDICTIONS: {"model": sa.String(), "label": TextList()},
}
_WRITTEN_AT: _Columns = {"written_at": sa.DateTime(timezone=True)}


def write_back(
    database: Database,
    task: Task,
    kind: WritebackKind,
    frame: pd.DataFrame,
    run_id: str,
    *,
    current: bool = True,
) -> int:
    """Write results of one run into `<task>_<kind>`; writing the same run again adds nothing.

    Labels and predictions get two columns a class beside the names, `is_<slug>` (0 or 1) and `prob_<slug>`;
    `<task>_classes` says which slug is whose. A table of before, with its probabilities in one array, gets
    them first. Predictions are those of the last time: a row that was edited since, and asked again, has its
    new one.

    Args:
        database: where the data lie.
        task: whose results; its classes are those of the frame.
        kind: which table, and so which columns.
        frame: table_name, id and the kind's columns: `annotator` and `label` (annotations), `label` (class
            names) and `label_probs` (k floats in [0, 1] in the task's class order; labels, predictions),
            `model` (predictions: name and version, as `name/3`); other columns are left out.
        run_id: the MLflow run, or the hash of an export.
        current: whether the classes are those of the task now, and not those of some model of it.

    Returns:
        How many rows were new.

    Raises:
        TaskError: a label that is no class of the task.
        DatabaseError: probabilities that are not finite, or not one a class; the database refuses.
    """
    rows = frame[[*KEYS, *_PAYLOAD[kind]]].assign(run_id=run_id)
    values = None if kind is WritebackKind.ANNOTATIONS else by_class(frame, task)
    columns = make_results(database, task, kind, current=current)
    if values is not None:
        rows = pd.concat([rows, values.set_axis(columns, axis=1)], axis=1)
    # object: pandas' own timestamps are not what a driver takes
    rows["written_at"] = pd.Series([datetime.now(UTC)] * len(rows), index=rows.index, dtype=object)
    table, replace = f"{task.name}_{kind}", kind is WritebackKind.PREDICTIONS
    return database.upsert(table, rows, result_keys(kind), replace=replace)


def make_results(database: Database, task: Task, kind: WritebackKind, *, current: bool = True) -> list[str]:
    """Make the table `<task>_<kind>` as results of now are written into it.

    Returns:
        Names of its columns of classes, in the order of `by_class`; none of annotations.
    """
    keys, table, types = result_keys(kind), f"{task.name}_{kind}", result_types(kind) | _WRITTEN_AT
    if kind is WritebackKind.ANNOTATIONS:
        database.create_table(table, types, keys)
        return []
    slugs = keep_slugs(database, task, current=current)
    database.create_table(table, types | class_columns(slugs), keys)
    if OF_BEFORE in database.columns(table):
        migrate(database, table, keys, slugs)
    return [*class_columns(slugs)]


def result_keys(kind: WritebackKind) -> list[str]:
    """Columns of the primary key of `<task>_<kind>`."""
    return [*KEYS, "run_id", *(["annotator"] if kind is WritebackKind.ANNOTATIONS else [])]


def result_types(kind: WritebackKind) -> dict[str, TypeEngine[Any]]:
    """Its columns but for those of classes and the time."""
    return _KEY_TYPES | _PAYLOAD[kind]


def by_class(frame: pd.DataFrame, task: Task) -> pd.DataFrame:
    """Flags of the n rows and then probabilities, (n, 2 k), in the order of the task's classes.

    Raises:
        TaskError: a label that is no class of the task.
        DatabaseError: probabilities that are not finite, or not one a class.
    """
    classes = task.class_names
    flags = indicator(frame["label"].tolist(), classes)
    of_rows = [np.asarray(row, np.float64) for row in frame["label_probs"]]
    wrong = [key for key, row in zip(frame["id"], of_rows, strict=True) if not _fine(row, len(classes))]
    if wrong:
        raise DatabaseError(
            f"label_probs of {len(wrong)} of {len(frame)} rows ({listed(wrong)}) are not {len(classes)} "
            f"finite numbers, one for each class of task {task.name!r}: make them anew"
        )
    probs = np.array(of_rows).reshape(len(frame), len(classes))
    return pd.concat([pd.DataFrame(flags, frame.index), pd.DataFrame(probs, frame.index)], axis=1)


def _fine(probs: npt.NDArray[np.float64], k: int) -> bool:
    return probs.shape == (k,) and bool(np.isfinite(probs).all())


def read_back(database: Database, task: Task, kind: WritebackKind) -> pd.DataFrame:
    """What was written into `<task>_<kind>`, also by a version before, in the order of its keys.

    Args:
        database: where the results lie.
        task: whose.
        kind: which.

    Returns:
        A row per data point and run (annotations: and annotator): table_name, id, run_id, the kind's columns
        as `write_back` takes them, written_at (UTC). `label_probs` is float64 (k,) in the order of the task's
        classes, NaN for a class that the run did not know, and throughout where a row of before has other
        classes than the task now; `model` is None in such rows.

    Raises:
        UnknownTableError: nothing was written yet.
        DatabaseError: the database refuses, or a table of that name that is not of this kind.
    """
    keys, table = result_keys(kind), f"{task.name}_{kind}"
    target = database.found_table(table, [*keys, "label", "written_at"])
    slugs = {} if kind is WritebackKind.ANNOTATIONS else read_slugs(database, task.name)
    probs = [PROB + slugs[name] for name in task.class_names if name in slugs]
    names = list(dict.fromkeys([*keys, *_PAYLOAD[kind], *probs, OF_BEFORE, "written_at"]))
    names = [name for name in names if name in target.c]
    read = pages(database, target, [target.c[name] for name in names], keys)
    frame = pd.DataFrame([tuple(row) for page in read for row in page], columns=names, dtype=object)
    frame["written_at"] = pd.to_datetime(frame["written_at"], utc=True)
    shown = [*KEYS, "run_id", *_PAYLOAD[kind]]
    if kind is not WritebackKind.ANNOTATIONS:
        frame["label_probs"] = list(_probabilities(frame, task, slugs))
        shown.append("label_probs")
    for name in set(shown) - set(frame.columns):  # before, predictions did not name their model
        frame[name] = None
    return frame[[*shown, "written_at"]]


def _probabilities(frame: pd.DataFrame, task: Task, slugs: Mapping[str, str]) -> npt.NDArray[np.float64]:
    """Of the rows (n, k) in the task's order, NaN where they are not known."""
    probs = np.full((len(frame), len(task.classes)), np.nan)
    for place, name in enumerate(task.class_names):
        column = PROB + slugs.get(name, "")
        if column in frame:
            probs[:, place] = frame[column].astype(np.float64)
    if OF_BEFORE in frame:
        probs_of_before(frame, task.class_names, probs)
    return probs
