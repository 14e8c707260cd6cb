"""Parts of what a `label` run leaves behind: frames, metrics on gold, the model's arrays."""

from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, DataType, Schema

from adaptml import label_scoring
from adaptml.frames import KEYS, METADATA
from adaptml.runs.models import LABEL_MODEL, ModelToLog
from adaptml.tasks import Task, names
from dataprogramming.label_models.core import Floats, Indicator
from dataprogramming.selection import Selection
from dataprogramming.votes import Votes


def labelled_frame(keys: pd.DataFrame, labels: Indicator, probs: Floats, task: Task) -> pd.DataFrame:
    """table_name, id, label (class names) and label_probs (k floats, in the task's class order), n rows.

    Its `attrs`, which `write_frame` keeps, say the task, its setting and its classes.
    """
    frame = keys[KEYS].reset_index(drop=True)
    frame["label"] = names(labels, task.class_names)
    frame["label_probs"] = probs.tolist()
    frame.attrs[METADATA] = {"task": task.name, "setting": task.setting, "classes": task.class_names}
    return frame


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
        input_example=pd.DataFrame(votes.L[:5].astype(np.int64), columns=lf_names),
        requirements=[f"{name}=={version(name)}" for name in ("mlflow-skinny", "numpy", "pandas")],
    )
