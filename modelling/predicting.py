"""What answers a batch prediction: a champion here, or the same one in each of several workers."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from mlflow.exceptions import MlflowException

from adaptml.errors import ModelError, one_line
from adaptml.fold_probs import lists_of
from adaptml.project import Project
from adaptml.scale.pool import Pool
from adaptml.scale.work import ChunkFunction, runs_chunks
from adaptml.tasks import Task
from modelling.champion import Champion, load_champion
from modelling.keyed import ANSWERED_FROM


@dataclass(frozen=True)
class Answers:
    """A champion that answers, here or in each of several workers.

    Attributes:
        task: that of the predictions.
        champion: the model.
        then: its name of each of the task's classes.
        pool: the workers; None for this process.
    """

    task: Task
    champion: Champion
    then: Mapping[str, str]
    pool: Pool | None

    def of(self, chunks: Iterator[tuple[list[str], list[str]]]) -> Iterator[pa.Table]:
        """Predictions of chunks of points, in their order."""
        if self.pool is None:
            return (_answers(self.champion, self.then, tables, ids) for tables, ids in chunks)
        said = {"model": self.champion.name, "version": self.champion.version, "then": dict(self.then)}
        return self.pool.run(predictions_of_points, self.task, said, chunks)


@runs_chunks
def predictions_of_points(project: Project, _task: Task, said: Mapping[str, Any]) -> ChunkFunction:
    """Predictions of data points: table names and ids → a table as `predict` writes it.

    Args:
        project: the worker's.
        said: `model` and `version` in the registry, and `then`: the model's name of each class.
    """
    try:
        champion = load_champion(project.runs.client, project.points, said["model"], said["version"])
    except MlflowException as error:
        raise ModelError(
            f"a worker cannot load {said['model']} version {said['version']}: {one_line(error)}; see that it "
            "reaches the tracking server (MLFLOW_TRACKING_URI)"
        ) from error
    return lambda chunk: _answers(champion, said["then"], *chunk)


def _answers(champion: Champion, then: Mapping[str, str], tables: list[str], ids: list[str]) -> pa.Table:
    """Predictions of some points, in their order; `then` has the champion's name of each class."""
    probs, flags, ways = champion.answer(tables, ids)
    places = {name: place for place, name in enumerate(champion.classes)}
    order = [places[name] for name in then.values()]
    names, probs, has = pa.array([*then], pa.string()), probs[:, order], flags[:, order] > 0
    lengths = np.concatenate([[0], np.cumsum(has.sum(axis=1))]).astype(np.int32)
    labels = pa.ListArray.from_arrays(pa.array(lengths), names.take(pa.array(np.nonzero(has)[1])))
    columns = {"table_name": tables, "id": ids, "label": labels, "label_probs": lists_of(probs)}
    table = pa.table(columns, schema=SCHEMA)
    if ways is not None:
        table = table.append_column(ANSWERED_FROM, pa.array(ways, pa.string()))
    return table


SCHEMA = pa.schema(
    {
        "table_name": pa.string(),
        "id": pa.string(),
        "label": pa.list_(pa.string()),
        "label_probs": pa.list_(pa.float64()),
    }
)
