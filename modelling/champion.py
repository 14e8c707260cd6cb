"""One deployed model, loaded and ready to answer."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Protocol

import numpy as np
import pandas as pd
from mlflow.tracking import MlflowClient
from pydantic import AfterValidator

from adaptml.errors import ModelError
from adaptml.features.points import Points
from adaptml.frames import KEYS
from adaptml.runs.class_lists import classes_text
from adaptml.runs.models import EXAMPLE, FILES_FOLDER
from adaptml.runs.registry import model_files
from modelling.keyed import ANSWERED_FROM, CLASSIFIER, NAMES, PROB, REGISTERED, load_keyed_model, read_small

MAX_EXAMPLE, MAX_KEY_CHARS = 100, 500


def _checked_example(example: dict[str, list[str]]) -> dict[str, list[str]]:
    """Data points that can be asked for: each health check asks for them."""
    keys = [key for column in example.values() for key in column]
    lengths = {len(column) for column in example.values()}
    if (example and {*example} != {*KEYS}) or len(lengths) > 1 or max(lengths, default=0) > MAX_EXAMPLE:
        raise ValueError(f"is no table_name and id of {MAX_EXAMPLE} data points or fewer")
    if any(not key or len(key) > MAX_KEY_CHARS or "\0" in key for key in keys):
        raise ValueError("holds a key that is no key")
    return example


Example = Annotated[dict[str, list[str]], AfterValidator(_checked_example)]


class Predictor(Protocol):
    """What a champion needs of its model."""

    def predict(self, data: pd.DataFrame) -> object:
        """Predict a frame of keys."""


@dataclass(frozen=True)
class Champion:
    """A registered end model.

    Attributes:
        name: its name in the registry.
        version: the version that is loaded.
        run_id: the MLflow run that trained it.
        classes: its class names, in the model's order.
        example: data points to try, from the model's input example; empty where it has none.
        model: takes a frame of `table_name`, `id`; gives a 0/1 column per class named by the class and
            a float column `prob_<class>`.
        note: what whoever asks it should know, one sentence: that its task has other classes now.
        ways: where its answers can come from, of `voting.WAYS`; none of a model that takes no votes.
    """

    name: str
    version: str
    run_id: str | None
    classes: tuple[str, ...]
    example: dict[str, list[str]]
    model: Predictor
    note: str = ""
    ways: tuple[str, ...] = ()

    def predict(
        self, table_name: list[str], ids: list[str]
    ) -> dict[str, list[str] | list[int] | list[float]]:
        """Predict data points, in the order in which they are given.

        Returns:
            The keys, then per class a list of 0 or 1, then per class a list of probabilities; where the model
            takes votes, then `answered_from`, which of its ways each point took.

        Raises:
            MissingDataPointsError, DatabaseError, FeatureError: as the model raises them.
            ModelError: the model's answer is not of the form that its signature promises.
        """
        keys = pd.DataFrame({"table_name": table_name, "id": ids}, dtype=object)
        out = self.model.predict(keys)
        columns = [*self.classes, *(PROB + name for name in self.classes)]
        if not isinstance(out, pd.DataFrame) or len(out) != len(ids) or set(columns) - set(out.columns):
            raise ModelError(f"model {self.name} did not answer with a row per data point and {columns}")
        values = np.array([out[column].to_numpy(dtype=np.float64) for column in columns])
        flags, probs = np.split(values, 2)
        if not ((flags == 0) | (flags == 1)).all() or not ((probs >= 0) & (probs <= 1)).all():
            raise ModelError(
                f"model {self.name} answered with flags that are not 0 or 1, or no probabilities"
            )
        lists = [*flags.astype(np.int8).tolist(), *probs.tolist()]
        answer = {"table_name": table_name, "id": ids} | dict(zip(columns, lists, strict=True))
        return answer | ({ANSWERED_FROM: list(map(str, out[ANSWERED_FROM]))} if self.ways else {})


def note_on_classes(model: str, classes: Sequence[str], now: str | None) -> str:
    """One sentence where a model was made with other classes than its task has now; else empty.

    Args:
        model: what it is called.
        classes: those it was made with.
        now: those of its task, as the registry's tag has them; None where it has none.
    """
    made_with = classes_text(classes)
    if now is None or now == made_with:
        return ""
    return f"{model} was made with the classes {made_with}; its task has {now} now: train and deploy again"


def load_champion(client: MlflowClient, points: Points, name: str, version: str) -> Champion:
    """Load one version of a registered model from its plain files; no code that comes with it is run.

    Args:
        client: of the registry.
        points: reads the features of data points.
        name: name of the registered model.
        version: its version.

    Raises:
        MlflowException: it cannot be fetched.
        ModelError: it is not an end model.
    """
    with TemporaryDirectory(prefix="adaptml-") as scratch:
        folder = model_files(client, name, version, Path(scratch), (*REGISTERED, EXAMPLE))
        files = folder / FILES_FOLDER
        if not (files / CLASSIFIER).is_file():
            raise ModelError(
                f"model {name} version {version} has no file {CLASSIFIER}; expected an end model that "
                "`adaptml train` registered"
            )
        model = load_keyed_model(files / CLASSIFIER, files / NAMES, points)
        example = _read_example(folder / EXAMPLE)
    run_id = client.get_model_version(name, version).run_id
    return Champion(name, version, run_id, model.class_names, example, model, ways=model.ways)


def _read_example(path: Path) -> dict[str, list[str]]:
    """The data points of a model's input example, a frame as MLflow keeps it; none of anything else."""
    try:
        said = json.loads(read_small(path))
        rows = [dict(zip(said["columns"], map(str, row), strict=True)) for row in said["data"]]
        return _checked_example({key: [row[key] for row in rows] for key in KEYS} if rows else {})
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return {}
