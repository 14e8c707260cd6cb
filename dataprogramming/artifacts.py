"""Parts of what a `label` run leaves behind: frames, metrics on gold, the model's arrays."""

import json
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, DataType, Schema

from adaptml import label_scoring
from adaptml.files import replacing
from adaptml.fold_probs import lists_of
from adaptml.frames import KEYS, METADATA, key_arrays, points_writer
from adaptml.runs.models import LABEL_MODEL, ModelToLog
from adaptml.tasks import Task, names
from dataprogramming.label_models.core import Floats, Indicator
from dataprogramming.selection import Selection
from dataprogramming.votes import CHUNK_ROWS, Votes


def labelled_frame(keys: pd.DataFrame, labels: Indicator, probs: Floats, task: Task) -> pd.DataFrame:
    """table_name, id, label (class names) and label_probs (k floats, in the task's class order), n rows.

    Its `attrs`, which `write_frame` keeps, say the task, its setting and its classes.
    """
    frame = keys[KEYS].reset_index(drop=True)
    frame["label"] = names(labels, task.class_names)
    frame["label_probs"] = probs.tolist()
    frame.attrs[METADATA] = _said(task)
    return frame


def write_training_data(votes: Votes, probs: Floats, labels: Indicator, task: Task, path: Path) -> Path:
    """Write `labelled_frame` of the points with votes as Parquet, some rows at a time, whole or not at all.

    Args:
        votes: on n points.
        probs: of each of the u distinct rows of votes, float64 (u, k).
        labels: of the same, int8 (u, k).
        task: names the classes.
        path: where to.

    Returns:
        The path.
    """
    patterns = votes.patterns
    named = pa.array(names(labels, task.class_names), pa.list_(pa.string()))
    columns = {"label": named, "label_probs": lists_of(probs)}
    types = {name: column.type for name, column in columns.items()}
    said = {METADATA: json.dumps(_said(task), ensure_ascii=False)}
    schema = pa.schema({**dict.fromkeys(KEYS, pa.large_string()), **types}, said)
    with replacing(path) as temporary, points_writer(temporary, schema) as file:
        for start in range(0, len(votes), CHUNK_ROWS):
            some = slice(start, start + CHUNK_ROWS)
            which = patterns.which[some]
            rows = np.flatnonzero(patterns.covered[which])
            keys = [key.take(pa.array(rows)) for key in key_arrays(votes.keys, some)]
            there = pa.array(which[rows])
            file.write_table(pa.table([*keys, *(c.take(there) for c in columns.values())], schema=schema))
    return path


def _said(task: Task) -> dict[str, object]:
    return {"task": task.name, "setting": task.setting, "classes": task.class_names}


def registered_name(task: Task) -> str:
    """Name of a task's label models in the registry."""
    return f"{task.setting}_{task.name}_label_model"


def model_to_log(task: Task, selection: Selection, votes: Votes, folder: Path) -> ModelToLog:
    """The chosen model as MLflow stores it: code and arrays.

    Args:
        task: names the classes and the registered model, `<setting>_<task>_label_model`.
        selection: holds the chosen model.
        votes: of the m labelling functions that are the model's input columns.
        folder: `label_model.npz` is written here.
    """
    path, lf_names = folder / "label_model.npz", list(votes.lf_names)
    label_scoring.save_model(selection.model.fitted_, task.class_names, lf_names, path)
    flags = [ColSpec(DataType.long, name) for name in task.class_names]
    probs = [ColSpec(DataType.double, f"prob_{name}") for name in task.class_names]
    return ModelToLog(
        registered_name=registered_name(task),
        kind=LABEL_MODEL,
        code=Path(__file__).with_name("label_model_code.py"),
        files={"label_model": path, "scoring": Path(label_scoring.__file__)},
        signature=ModelSignature(
            Schema([ColSpec(DataType.long, name) for name in lf_names]), Schema([*flags, *probs])
        ),
        input_example=pd.DataFrame(votes.patterns.matrix(slice(5)).astype(np.int64), columns=lf_names),
        requirements=[f"{name}=={version(name)}" for name in ("mlflow-skinny", "numpy", "pandas")],
    )
