"""What answers a batch prediction: a champion here, or the same one in each of several workers.

Workers write what they predict themselves, where it is to be written: it does not travel then, unless it is
to be in a file too.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from mlflow.exceptions import MlflowException

from adaptml.database import Range
from adaptml.database.staging import stage_predictions
from adaptml.errors import ModelError, one_line
from adaptml.fold_probs import lists_of
from adaptml.frames import KEYS
from adaptml.project import Project
from adaptml.rules.stored_votes import write_votes
from adaptml.scale.pool import Pool
from adaptml.scale.work import Chunk, ChunkFunction, runs_chunks
from adaptml.tasks import Task
from modelling.champion import Champion, load_champion
from modelling.keyed import ANSWERED_FROM
from modelling.unfinished import Done, Points, Unfinished, Wanted, points_of_range
from modelling.voting import COMPUTED


@dataclass(frozen=True)
class Answers:
    """A champion that answers, here or in each of several workers.

    Attributes:
        task: that of the predictions.
        champion: the model.
        then: its name of each of the task's classes.
        chunk_rows: points at a time.
    """

    task: Task
    champion: Champion
    then: Mapping[str, str]
    chunk_rows: int

    def here(self, points: Wanted, parts: Unfinished) -> Iterator[int]:
        """Predict in this process what the parts do not hold yet; gives how many points, chunk by chunk."""
        for tables, ids in points.after(parts, self.chunk_rows):
            parts.add(_answers(self.champion, self.then, tables, ids))
            yield len(ids)

    def by_workers(
        self, pool: Pool, points: Wanted, parts: Unfinished, *, stage: str | None, wants_file: bool
    ) -> Iterator[int]:
        """The same by workers.

        Args:
            pool: the workers.
            points: all points.
            parts: those that are there; others are added, or noted where no file is wanted.
            stage: the table into which workers write what they predict; None: they do not.
            wants_file: whether predictions are to be in a file.
        """
        said = {
            "model": self.champion.name, "version": self.champion.version, "then": dict(self.then),
            "table": points.table, "stage": stage, "wants_file": wants_file, "rows": self.chunk_rows,
        }  # fmt: skip
        so_far = parts.noted() or Done()
        chunks = points.chunks_after(parts, self.chunk_rows)
        for done, predictions in pool.run(predictions_of_chunks, self.task, said, chunks):
            for table in predictions:
                parts.add(table)
            so_far = so_far.and_then(done)
            if stage is not None and not wants_file:
                parts.note(stage, so_far)
            yield done.rows


@runs_chunks
def predictions_of_chunks(project: Project, task: Task, said: Mapping[str, Any]) -> ChunkFunction:
    """Predictions of data points → `Done`, and tables as `predict` writes them, where a file is wanted.

    A chunk is low and high as those of `Range` of the ids of a table, or table names and ids.

    Args:
        project: the worker's.
        task: whose predictions.
        said: `model` and `version` in the registry; `then`: the model's name of each class; `table` or None;
            `stage`: where predictions are written, or None; `wants_file`; `rows`: how many at a time.
    """
    try:
        champion = load_champion(project.runs.client, project.points, said["model"], said["version"])
    except MlflowException as error:
        raise ModelError(
            f"{said['model']} version {said['version']} cannot be loaded: {one_line(error)}; give it the "
            "tracking server of whoever asks (MLFLOW_TRACKING_URI)"
        ) from error

    def points_of(chunk: Chunk) -> Iterator[Points]:
        if said["table"] is None:
            return iter([tuple(chunk)])
        return points_of_range(project.database, said["table"], Range(*chunk), said["rows"])

    def predict(chunk: Chunk) -> tuple[Done, list[pa.Table]]:
        done, wanted = Done(), []
        for tables, ids in points_of(chunk):
            predictions = _answers(champion, said["then"], tables, ids)
            if said["stage"] is not None:
                _write(project, task, champion, said["stage"], predictions)
            if said["wants_file"]:
                wanted.append(predictions)
            done = done.and_then(_counted(predictions))
        return done, wanted

    return predict


def _write(project: Project, task: Task, champion: Champion, stage: str, predictions: pa.Table) -> None:
    """Stage predictions, and store the votes that the model's rules cast on the points."""
    model = f"{champion.name}/{champion.version}"
    run_id = champion.run_id or model
    frame = pd.DataFrame(predictions.to_pydict())
    stage_predictions(project.results, task, stage, frame.assign(model=model), run_id)
    if COMPUTED in champion.ways:
        store_votes(project, champion, frame[KEYS], run_id)


def store_votes(project: Project, champion: Champion, keys: pd.DataFrame, run_id: str) -> None:
    """Store the votes that a model's rules cast on points, beside those that `label --write` stores.

    Args:
        project: whose results.
        champion: a model that takes votes.
        keys: table_name and id of the points, none of them twice.
        run_id: the run that made the model.
    """
    voting = champion.model.voting
    assert voting is not None  # noqa: S101 - it takes votes
    voted = voting.of(keys["table_name"].tolist(), keys["id"].tolist())
    rows = voted.ways == COMPUTED
    write_votes(project.points, voting.rules, keys[rows], voted.votes[rows], run_id)


def _counted(predictions: pa.Table) -> Done:
    counts = Counter(chain.from_iterable(predictions["label"].to_pylist()))
    ways = predictions[ANSWERED_FROM].to_pylist() if ANSWERED_FROM in predictions.column_names else []
    last = predictions["id"][-1].as_py() if len(predictions) else None
    return Done(len(predictions), last, dict(counts), dict(Counter(ways)))


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
