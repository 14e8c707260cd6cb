"""The training points that are nearest to a point, in the numbers that the model reads."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from adaptml.data import TASK_GOLD, as_recorded, read_gold
from adaptml.errors import ModelError
from adaptml.features.reading import Matrix
from adaptml.frames import KEYS
from adaptml.project import Project
from adaptml.tasks import names
from modelling.algorithms import EndModel
from modelling.keyed import KeyedModel
from modelling.recipe import Recipe
from modelling.sources import split

NEIGHBOURS = 5
CHUNK_ROWS = 2_000
MOST_POINTS = 20_000  # that are looked at; of more, a sample
SEED = 0  # of that sample
COSINE = "cosine"
_METRICS = {"cosine", "euclidean", "manhattan"}  # that an algorithm may measure by itself
WEAK, GOLD = "label model", "gold"


@dataclass(frozen=True)
class Neighbour:
    """A training point.

    Attributes:
        table_name, id: its key.
        labels: names of the classes that it was trained on with.
        origin: `label model` or `gold`: who gave them.
        distance: in the measure of `Nearest`; lower is nearer.
    """

    table_name: str
    id: str
    labels: tuple[str, ...]
    origin: str
    distance: float


@dataclass(frozen=True)
class Nearest:
    """The nearest training points of one point, the nearest first.

    Attributes:
        neighbours: at most as many as were asked for.
        measure: `cosine` (1 - cos, in 0 … 2), `euclidean` or `manhattan`.
        n: how many training points were looked at.
        of: how many there are.
    """

    neighbours: Sequence[Neighbour]
    measure: str
    n: int
    of: int


def nearest_training_points(
    project: Project, model: KeyedModel, recipe: Recipe, row: Matrix, n: int = NEIGHBOURS
) -> Nearest:
    """Look for the training points that are nearest to a point.

    Distances are cosine distances, but for a k-nearest-neighbours model, which has a measure of its own.

    Args:
        project: holds labels, gold and features.
        model: the model.
        recipe: how it was trained.
        row: the point as the model reads it, float32 (1, d).
        n: how many.

    Raises:
        ModelError: a model of texts.
        AdaptmlError: the labels that it was trained on are gone, or features cannot be read.
    """
    if model.takes_texts:
        raise ModelError(f"{recipe.name} was fine-tuned on texts, and has no vectors to measure distances by")
    points = training_points(project, recipe)
    measure = measure_of(model.classifier)
    of, looked_at = len(points), _sample(points)
    best: list[tuple[float, int]] = []
    for start in range(0, len(looked_at), CHUNK_ROWS):
        chunk = looked_at.iloc[start : start + CHUNK_ROWS]
        matrix = model.columns.read(model.points, chunk[KEYS].reset_index(drop=True), model.features)
        found = _distances(matrix, row, measure)
        best += [(float(found[i]), start + i) for i in np.argsort(found, kind="stable")[:n].tolist()]
        best = sorted(best)[:n]
    neighbours = []
    for distance, place in best:
        line = looked_at.iloc[place]
        neighbours.append(
            Neighbour(line["table_name"], line["id"], tuple(line["labels"]), line["origin"], distance)
        )
    return Nearest(neighbours, measure, len(looked_at), of)


def training_points(project: Project, recipe: Recipe) -> pd.DataFrame:
    """What a version was trained on, as far as it is still there.

    Returns:
        A frame of table_name, id, labels (tuples of class names) and origin (`label model` or `gold`).
    """
    task = project.task(recipe.task)
    gold = TASK_GOLD if recipe.gold == TASK_GOLD else None
    labels = split(project, task, as_recorded(recipe.train_data), recipe.share, gold, recipe.seed)
    sets = []
    if recipe.way.strategy != "gold":
        sets.append((labels.training, WEAK))
    if recipe.way.strategy != "weak" and (known := labels.gold or read_gold(project, gold, task)) is not None:
        sets.append((known, GOLD))
    frames = [
        data.keys[KEYS].assign(
            labels=pd.Series(list(map(tuple, names(data.Y, task.class_names))), dtype=object), origin=origin
        )
        for data, origin in sets
        if len(data)
    ]
    empty = pd.DataFrame(columns=[*KEYS, "labels", "origin"])
    return pd.concat(frames, ignore_index=True) if frames else empty


def measure_of(model: EndModel) -> str:
    """The measure that a model itself finds neighbours by, else cosine."""
    part = next((part for part in model.all_parts if not isinstance(part, float)), None)
    said = str(getattr(part, "metric", COSINE))
    return said if said in _METRICS else COSINE


def _sample(points: pd.DataFrame) -> pd.DataFrame:
    if len(points) <= MOST_POINTS:
        return points
    chosen = np.random.default_rng(SEED).choice(len(points), MOST_POINTS, replace=False)
    return points.iloc[np.sort(chosen)].reset_index(drop=True)


def _distances(matrix: Matrix, row: Matrix, measure: str) -> npt.NDArray[np.float64]:
    """Of each of n rows (n, d) to one row (1, d): float64 (n,); the cosine distance of zeros is 1."""
    rows, one = np.nan_to_num(matrix.astype(np.float64)), np.nan_to_num(row.astype(np.float64))
    if measure == "euclidean":
        return np.asarray(np.linalg.norm(rows - one, axis=1))
    if measure == "manhattan":
        return np.asarray(np.abs(rows - one).sum(axis=1))
    lengths = np.linalg.norm(rows, axis=1) * np.linalg.norm(one)
    alike = np.divide(rows @ one[0], lengths, out=np.zeros(len(rows)), where=lengths > 0)
    return np.asarray(1 - alike)
