"""How an end model is kept: code, a classifier file, a file of names, signature, pinned requirements."""

import json
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import pandas as pd
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, DataType, Schema

from adaptml.features.catalogue import Reference
from adaptml.files import write_text
from adaptml.frames import KEYS
from adaptml.runs.class_lists import CLASSES_TAG, classes_text
from adaptml.runs.models import ModelToLog
from adaptml.tasks import Task
from modelling.algorithms import EndModel
from modelling.columns import Columns
from modelling.keyed import CLASSIFIER, NAMES

EXAMPLE_POINTS = 2
REQUIREMENTS = ("mlflow-skinny", "numpy", "pandas", "scikit-learn", "skops", "sqlalchemy")


def registered_name(task: Task) -> str:
    """Name of a task's end models in the registry; its endpoint is `/predict_<name>`."""
    return f"{task.setting}_{task.name}"


def task_name(registered: str, setting: str) -> str:
    """Name of the task of a registered end model: the inverse of `registered_name`.

    >>> task_name("multiclass_spam", "multiclass")
    'spam'
    """
    return registered.removeprefix(f"{setting}_")


def model_to_log(
    task: Task,
    model: EndModel,
    features: Sequence[str | Reference],
    dimensions: int,
    example: pd.DataFrame,
    folder: Path,
    columns: Columns | None = None,
) -> ModelToLog:
    """A fitted end model as MLflow stores and registers it.

    Args:
        task: classes, setting and name.
        model: the fitted classifier.
        features: the columns and the versions of features that it learned from, in order.
        dimensions: how many numbers a data point's features have.
        example: data points that are in the database: the request that the service's page offers.
        folder: `classifier.skops` and `names.json` are written here.
        columns: what was learned of columns with gaps and of categories; default: there are none.
    """
    names: dict[str, object] = {
        "setting": task.setting,
        "classes": task.class_names,
        "features": list(map(str, features)),
    }
    names |= {"columns": columns.to_json()} if columns and columns.learned else {}
    names |= {"dimensions": dimensions}
    model.save(folder / CLASSIFIER)
    write_text(json.dumps(names, indent=2, ensure_ascii=False) + "\n", folder / NAMES)
    keys = [ColSpec(DataType.string, key) for key in KEYS]
    flags = [ColSpec(DataType.long, name) for name in task.class_names]
    probs = [ColSpec(DataType.double, f"prob_{name}") for name in task.class_names]
    return ModelToLog(
        registered_name=registered_name(task),
        kind="end_model",
        code=Path(__file__).with_name("end_model_code.py"),
        files={"classifier": folder / CLASSIFIER, "names": folder / NAMES},
        signature=ModelSignature(Schema([*keys]), Schema([*keys, *flags, *probs])),
        input_example=example[KEYS].head(EXAMPLE_POINTS).reset_index(drop=True),
        requirements=[f"{name}=={version(name)}" for name in REQUIREMENTS],
        tags={CLASSES_TAG: classes_text(task.class_names)},
    )
