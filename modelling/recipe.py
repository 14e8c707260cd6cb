"""How a registered end model was trained, so that it can be trained again on other points."""

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from mlflow.entities import Run
from mlflow.exceptions import MlflowException
from sklearn.base import clone

from adaptml.data import NO_GOLD
from adaptml.errors import AdaptmlError, ModelError, one_line
from adaptml.features.catalogue import Reference
from adaptml.project import Project
from adaptml.runs.models import FILES_FOLDER
from adaptml.runs.registry import model_files
from modelling.algorithms import Classifier, EndModel, algorithms, classifier
from modelling.algorithms.core import ENSEMBLE
from modelling.keyed import CLASSIFIER, NAMES, REGISTERED, Names, read_names
from modelling.sources import share_of
from modelling.strategies import AUTO, LABELS_BY, STRATEGY_USED
from modelling.ways import Way, read_members


@dataclass(frozen=True)
class Recipe:
    """What a model was trained by.

    Attributes:
        model: name in the registry.
        version: its version.
        run_id: the MLflow run that trained it.
        task: name of its task.
        class_names: k names, in the order of the task when it was trained.
        classifier: unfitted, with the parameters of the training.
        way: how gold and weak labels were combined: what was used.
        features: the versions of features that it learned from.
        train_data: the run of `label`, or the file, with its weak labels.
        gold: the gold that it was trained with too: `task`, a file, or `none`.
        share: of these points, that was tested on and not trained on; None for none.
        seed: of the training.
        searched: whether its parameters were searched for on gold.
    """

    model: str
    version: str
    run_id: str
    task: str
    class_names: tuple[str, ...]
    classifier: Classifier
    way: Way
    features: tuple[Reference, ...]
    train_data: str
    gold: str
    share: float | None
    seed: int
    searched: bool

    @property
    def name(self) -> str:
        """What it is called in messages."""
        return f"{self.model} version {self.version}"


def read_recipe(project: Project, model: str, version: str) -> Recipe:
    """The recipe of a registered version, from its files and from the run that trained it.

    Args:
        project: whose registry and runs they are.
        model: name in the registry.
        version: a version that is there.

    Raises:
        ModelError: its run or its files are gone, or do not say how it was trained.
    """
    try:
        run = project.runs.get(str(project.runs.client.get_model_version(model, version).run_id))
        with TemporaryDirectory(prefix="adaptml-") as scratch:
            files = model_files(project.runs.client, model, version, Path(scratch), REGISTERED) / FILES_FOLDER
            said = read_names(files / NAMES)
            made = classifier_of(run.data.params, files / CLASSIFIER)
        return _recipe(model, version, run, said, made)
    except (AdaptmlError, MlflowException, OSError, ValueError, KeyError) as error:
        raise ModelError(
            f"{model} version {version} cannot be trained again: {one_line(error)}; a version that is, is "
            f"one that `adaptml train` made and whose run is kept: train it anew, or decide without comparing"
        ) from error


def _recipe(model: str, version: str, run: Run, said: Names, made: Classifier) -> Recipe:
    params = run.data.params
    return Recipe(
        model=model,
        version=version,
        run_id=run.info.run_id,
        task=params["task"],
        class_names=said.classes,
        classifier=made,
        way=_way(run),
        features=tuple(Reference.recorded(name) for name in said.features),
        train_data=params["train_data"],
        gold=params.get("gold", NO_GOLD),
        share=_share(params.get("test_data", "")),
        seed=int(params.get("seed", 0)),
        searched="search" in params,
    )


def _way(run: Run) -> Way:
    """How a run trained in the end; runs of before recorded less of it."""
    params = run.data.params
    return Way(
        strategy_used(run),
        params.get(LABELS_BY, ""),
        params.get("soft_labels_used", params.get("soft_labels")) == "True",
        params.get("class_weight_used") == "balanced",
        params.get("penalty_used") == "stronger",
        read_members(params.get(ENSEMBLE, "")),
    )


def classifier_of(params: Mapping[str, str], file: Path) -> Classifier:
    """The unfitted classifier: an algorithm by its recorded parameters, another one by its fitted form."""
    algorithm = params["algorithm"]
    if algorithm in algorithms():
        known = algorithms()[algorithm].parameters()
        return classifier(algorithm, {name: _value(params[name]) for name in known if name in params})
    fitted = [part for part in EndModel.load(file).all_parts if not isinstance(part, float)]
    return clone(fitted[0])


def _value(text: str) -> object:
    """A recorded parameter; algorithms read all of them from text but a mapping."""
    if not text.startswith("{"):
        return text
    try:
        return ast.literal_eval(text)
    except (SyntaxError, MemoryError, RecursionError) as error:  # as it was not written
        raise ValueError(f"parameter {text[:40]!r} cannot be read") from error


def strategy_used(run: Run) -> str:
    """The strategy that was used; runs of before recorded the one that was asked for."""
    params, metrics = run.data.params, run.data.metrics
    used = params.get(STRATEGY_USED) or params.get("combine", "weak")
    if used != AUTO:
        return used
    losses = {
        name.removeprefix("strategy_").removesuffix("/log_loss"): value
        for name, value in metrics.items()
        if name.startswith("strategy_") and name.endswith("/log_loss")
    }
    if losses:
        return min(losses, key=lambda name: losses[name])
    return "union" if metrics.get("train_points") else "gold"


def _share(test_data: str) -> float | None:
    try:
        return share_of(test_data)
    except ModelError:  # a file that is called like a number
        return None
