"""How an end model is kept: code, a classifier file, a file of names, signature, pinned requirements."""

import json
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, DataType, Schema

from adaptml.features.catalogue import Reference
from adaptml.files import write_text
from adaptml.frames import KEYS
from adaptml.label_scoring import FittedModel
from adaptml.rules.of_model import ModelRules, VotingRule
from adaptml.runs.class_lists import CLASSES_TAG, classes_text
from adaptml.runs.models import ModelToLog
from adaptml.tasks import Task
from modelling.algorithms import EndModel
from modelling.algorithms.text_algorithm import tensors_beside
from modelling.columns import Columns
from modelling.keyed import ANSWERED_FROM, CLASSIFIER, NAMES
from modelling.voting import write_voting

EXAMPLE_POINTS = 2
MIN_SHARE = 1e-6  # of a class, in what is said of a point of which nothing is known
REQUIREMENTS = ("mlflow-skinny", "numpy", "pandas", "scikit-learn", "skops", "sqlalchemy")
OF_RULES = ("ahocorasick-rs", "simplemma")  # of a model that takes votes


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
    *,
    without_votes: EndModel | None = None,
    label_model: tuple[FittedModel, Sequence[str]] | None = None,
    rules: ModelRules | None = None,
) -> ModelToLog:
    """A fitted end model as MLflow stores and registers it.

    Args:
        task: classes, setting and name.
        model: the fitted classifier.
        features: the columns and the versions of features that it learned from, in order.
        dimensions: how many numbers a data point's features have.
        example: data points that are in the database: the request that the service's page offers.
        folder: `classifier.skops` and `names.json` are written here.
        columns: what was learned of columns that no encoder made; default: there are none.
        without_votes: where the model takes votes, what answers points without any; default: the label
            model's class balance.
        label_model: where the model takes votes, the label model that they go through, and the names of its
            labelling functions.
        rules: what that label run left of these labelling functions (`rules.json`); None: their votes are
            known of no point.
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
    files = {"classifier": folder / CLASSIFIER, "names": folder / NAMES}
    if (tensors := tensors_beside(folder / CLASSIFIER)).is_file():
        files |= {"tensors": tensors}
    if model.takes_votes:
        files |= _write_voting(task, label_model, rules, without_votes, folder)
    keys = [ColSpec(DataType.string, key) for key in KEYS]
    flags = [ColSpec(DataType.long, name) for name in task.class_names]
    probs = [ColSpec(DataType.double, f"prob_{name}") for name in task.class_names]
    ways = [ColSpec(DataType.string, ANSWERED_FROM)] if model.takes_votes else []
    return ModelToLog(
        registered_name=registered_name(task),
        kind="end_model",
        code=Path(__file__).with_name("end_model_code.py"),
        files=files,
        signature=ModelSignature(Schema([*keys]), Schema([*keys, *flags, *probs, *ways])),
        input_example=example[KEYS].head(EXAMPLE_POINTS).reset_index(drop=True),
        requirements=[f"{name}=={version(name)}" for name in (*REQUIREMENTS, *(OF_RULES if ways else ()))],
        tags={CLASSES_TAG: classes_text(task.class_names)},
    )


def _write_voting(
    task: Task,
    label_model: tuple[FittedModel, Sequence[str]] | None,
    rules: ModelRules | None,
    without_votes: EndModel | None,
    folder: Path,
) -> dict[str, Path]:
    if label_model is None:
        raise ValueError("a model that takes votes needs the label model that they go through")
    fitted, names = label_model
    if rules is None:
        unknown = tuple(VotingRule(name=name) for name in names)
        rules = ModelRules(task=task.name, lfs="", classes=tuple(task.class_names), columns={}, rules=unknown)
    if rules.names != tuple(names):
        raise ValueError("the rules are not those of the label model")
    balance = np.clip(fitted.balance, MIN_SHARE, 1 - MIN_SHARE)
    without = without_votes or EndModel.constant(task.problem, balance)
    return write_voting(fitted, rules, without, folder)
