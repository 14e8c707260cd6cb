"""Results go to tables of their own beside the data: who said what of a data point, in which run, when."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import pandas as pd
import sqlalchemy as sa
from sqlalchemy.types import TypeEngine

from adaptml.database.core import Database
from adaptml.database.types import TextList, Vector
from adaptml.frames import KEYS


class WritebackKind(StrEnum):
    """What is written back; the table is `<task>_<kind>`."""

    ANNOTATIONS = "annotations"
    LABELS = "labels"
    PREDICTIONS = "predictions"


_Columns = dict[str, TypeEngine[Any]]
_KEY_TYPES: _Columns = {"table_name": sa.Text(), "id": sa.Text(), "run_id": sa.Text()}
_PAYLOAD: dict[WritebackKind, _Columns] = {
    WritebackKind.ANNOTATIONS: {"annotator": sa.Text(), "label": TextList()},
    WritebackKind.LABELS: {"label": TextList(), "label_probs": Vector()},
    WritebackKind.PREDICTIONS: {"label": TextList(), "label_probs": Vector()},
}


def write_back(database: Database, task: str, kind: WritebackKind, frame: pd.DataFrame, run_id: str) -> int:
    """Write results of one run into `<task>_<kind>`; writing the same run again adds nothing.

    Predictions are those of the last time: a row that was edited since, and asked again, has its new one.

    Args:
        database: where the data lie.
        task: the task's name.
        kind: which table, and so which columns.
        frame: table_name, id and the kind's columns: `annotator` and `label` (annotations),
            `label` and `label_probs` (labels, predictions); other columns are left out.
        run_id: the MLflow run, or the hash of an export.

    Returns:
        How many rows were new.
    """
    payload = _PAYLOAD[kind]
    keys = [*KEYS, "run_id", *(["annotator"] if kind is WritebackKind.ANNOTATIONS else [])]
    table = f"{task}_{kind}"
    database.create_table(table, _KEY_TYPES | payload | {"written_at": sa.DateTime(timezone=True)}, keys)
    rows = frame[[*KEYS, *payload]].assign(run_id=run_id)
    # object: pandas' own timestamps are not what a driver takes
    rows["written_at"] = pd.Series([datetime.now(UTC)] * len(rows), index=rows.index, dtype=object)
    return database.upsert(table, rows, keys, replace=kind is WritebackKind.PREDICTIONS)
