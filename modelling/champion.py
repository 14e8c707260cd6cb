"""One deployed model, loaded and ready to answer."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

from mlflow.tracking import MlflowClient
from pydantic import AfterValidator

from adaptml.errors import ModelError
from adaptml.features.points import Points
from adaptml.frames import KEYS
from adaptml.runs.class_lists import classes_text
from adaptml.runs.models import EXAMPLE, FILES_FOLDER
from adaptml.runs.registry import model_files
from modelling.keyed import (
    ANSWERED_FROM,
    CLASSIFIER,
    NAMES,
    PROB,
    REGISTERED,
    Answer,
    KeyedModel,
    load_keyed_model,
    read_small,
)

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


@dataclass(frozen=True)
class Champion:
    """A registered end model.

    Attributes:
        name: its name in the registry.
        version: the version that is loaded.
        run_id: the MLflow run that trained it.
        classes: its class names, in the model's order.
        example: data points to try, from the model's input example; empty where it has none.
        model: what answers.
        note: what whoever asks it should know, one sentence: that its task has other classes now.
        ways: where its answers can come from, of `voting.WAYS`; none of a model that takes no votes.
    """

    name: str
    version: str
    run_id: str | None
    classes: tuple[str, ...]
    example: dict[str, list[str]]
    model: KeyedModel
    note: str = ""
    ways: tuple[str, ...] = ()

    def answer(self, table_name: list[str], ids: list[str]) -> Answer:
        """Probabilities and flags of data points, in the order in which they are given.

        Raises:
            MissingDataPointsError, DatabaseError, FeatureError: as the model raises them.
            ModelError: the model answers with numbers that are no probabilities.
        """
        said = self.model.answer(table_name, ids)
        if not ((said.probs >= 0) & (said.probs <= 1)).all():  # somebody else can have made its files
            raise ModelError(f"model {self.name} answered with numbers that are no probabilities")
        return said

    def predict(
        self, table_name: list[str], ids: list[str]
    ) -> dict[str, list[str] | list[int] | list[float]]:
        """Predict data points, in the order in which they are given.

        Returns:
            The keys, then per class a list of 0 or 1, then per class a list of probabilities; where the model
            takes votes, then `answered_from`, which of its ways each point took.

        Raises:
            AdaptmlError: as `answer`.
        """
        probs, flags, ways = self.answer(table_name, ids)
        answer: dict[str, list[str] | list[int] | list[float]] = {"table_name": table_name, "id": ids}
        answer |= dict(zip(self.classes, flags.T.tolist(), strict=True))
        answer |= {PROB + name: of for name, of in zip(self.classes, probs.T.tolist(), strict=True)}
        return answer if ways is None else answer | {ANSWERED_FROM: ways.tolist()}


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
