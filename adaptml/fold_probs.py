"""`fold_probs.parquet`: what every label model of a run says of every point, with and without a fold's gold.

    table_name, id     the point: every one that was to be labelled, and every gold point; each once
    fold               of gold points, see `adaptml.folds`; null of others
    voted              whether a labelling function votes on it
    first              number of the first row with the same votes, which alone has what label models say:
    NAME               k floats: probabilities of label model NAME fitted with all gold
    NAME.without_F     the same of NAME fitted without the gold of fold F

In files of before, which have no `first`, every row has them.

`train` and `compare` judge end models with labels that come from a label model which has not seen the gold
they are judged on, and choose among the label models by what an end model learns from them.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from adaptml.errors import FrameError
from adaptml.files import replacing
from adaptml.folds import Folds
from adaptml.frames import KEYS, METADATA, key_arrays, points_writer, rows_of_keys
from adaptml.label_scoring import DECISIONS, FittedModel
from adaptml.tasks.metrics import Outcome

CHUNK_ROWS = 100_000
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Flags = npt.NDArray[np.int8]
Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class FoldProbs:
    """What label models say, read from a run.

    Attributes:
        path: the file; probabilities are read from it when they are asked for.
        keys: `table_name` and `id` (n rows).
        fold: int64 (n,), values in {0 … FOLDS-1}; -1 of points without gold.
        voted: bool (n,).
        classes: k names, in the order of the probabilities.
        label_models: their names, the simplest first.
        chosen: the one that the run chose.
        decisions: column of the file → how its probabilities become classes.
        says_of: which of the probabilities that the file has a row has, int64 (n,).
    """

    path: Path
    keys: pd.DataFrame
    fold: Folds
    voted: Mask
    classes: tuple[str, ...]
    label_models: tuple[str, ...]
    chosen: str
    decisions: Mapping[str, Mapping[str, Any]]
    says_of: Rows

    def says(self, label_model: str, rows: Rows, without: int | None = None) -> Outcome:
        """What a label model says of r rows.

        Args:
            label_model: one of `label_models`.
            rows: row numbers, int64 (r,).
            without: the fold whose gold it has not seen; None: it has seen all.
        """
        name = _column(label_model, without)
        how, probs = self.decisions[name], self._column(name)[self.says_of[rows]]
        decide = DECISIONS[how["decision"]]
        return Outcome(probs, decide(probs, np.array(how["balance"]), np.array(how["thresholds"])))

    def unseen(self, label_model: str, rows: Rows) -> Outcome:
        """What it says of r gold points without having seen them.

        Args:
            label_model: one of `label_models`.
            rows: row numbers of points that have a fold, int64 (r,).
        """
        probs, named = np.empty((len(rows), len(self.classes))), np.empty((len(rows), len(self.classes)))
        for f in np.unique(self.fold[rows]):
            some = self.fold[rows] == f
            said = self.says(label_model, rows[some], int(f))
            probs[some], named[some] = said.probs, said.predicted
        return Outcome(probs, named.astype(np.int8))

    def rows_of(self, keys: pd.DataFrame) -> Rows:
        """The row number of each key, int64 (r,); -1 of one that is not here."""
        return rows_of_keys(self.keys, keys)

    def _column(self, name: str) -> Floats:
        column = pq.read_table(self.path, columns=[name])[name].combine_chunks()
        return np.asarray(column.flatten().to_numpy().reshape(-1, len(self.classes)), np.float64)


def write_fold_probs(
    path: Path,
    keys: pd.DataFrame,
    fold: Folds,
    voted: Mask,
    votes: npt.NDArray[np.int8],
    pattern: npt.NDArray[np.integer],
    models: Mapping[str, Sequence[FittedModel]],
    said: Mapping[str, Any],
) -> Path:
    """Write the file, some rows at a time; what is said of distinct rows of votes is there once.

    Args:
        path: the file.
        keys: `table_name` and `id` (n rows), each once.
        fold: int64 (n,), -1 of points without gold.
        voted: bool (n,).
        votes: the u distinct rows of the points' votes, int8 (u, m), in the order in which they come first.
        pattern: which of them a point has, integers (n,), values in {0 … u-1}.
        models: label model → FOLDS + 1 of it: fitted with all gold, then without each fold's; the simplest
            label model first.
        said: `task`, `setting`, `classes` and `chosen`, the label model that the run chose.
    """
    named = {
        _column(name, None if f == 0 else f - 1): model
        for name, fitted in models.items()
        for f, model in enumerate(fitted)
    }
    columns = {name: model.predict_proba(votes).astype(np.float32) for name, model in named.items()}
    ours = {**said, "label_models": list(models), "decisions": {n: _decision(m) for n, m in named.items()}}
    metadata = {METADATA: json.dumps(ours, ensure_ascii=False)}
    types = {"fold": pa.int8(), "voted": pa.bool_(), "first": pa.int64()}
    types = dict.fromkeys(KEYS, pa.large_string()) | types
    schema = pa.schema({**types, **dict.fromkeys(columns, pa.list_(pa.float32()))}, metadata)
    first = np.empty(len(votes), np.int64)
    first[pattern[::-1]] = np.arange(len(keys))[::-1]  # the last one that is written is the first row
    with replacing(path) as temporary, points_writer(temporary, schema, "zstd") as writer:
        for start in range(0, len(keys), CHUNK_ROWS):
            some = slice(start, min(start + CHUNK_ROWS, len(keys)))
            arrays = [*key_arrays(keys, some), pa.array(fold[some], pa.int8(), mask=fold[some] < 0)]
            arrays += [pa.array(voted[some]), pa.array(first[pattern[some]])]
            new = first[pattern[some]] == np.arange(some.start, some.stop)
            arrays += [lists_of(table[pattern[some][new]], new) for table in columns.values()]
            writer.write_table(pa.table(arrays, schema=schema))
    return path


def read_fold_probs(path: Path) -> FoldProbs:
    """Read what `write_fold_probs` wrote.

    Raises:
        FrameError: it is something else.
    """
    try:
        said = json.loads((pq.read_schema(path).metadata or {})[METADATA.encode()])
        names = [*KEYS, "fold", "voted", "first"]
        table = pq.read_table(path, columns=[name for name in names if name in pq.read_schema(path).names])
        first = table["first"].to_numpy() if "first" in table.column_names else np.arange(len(table))
        return FoldProbs(
            path,
            table.select(KEYS).to_pandas(),
            table["fold"].cast(pa.int64()).fill_null(-1).to_numpy(),
            table["voted"].to_numpy(),
            tuple(said["classes"]),
            tuple(said["label_models"]),
            said["chosen"],
            said["decisions"],
            np.unique(first, return_inverse=True)[1],
        )
    except (OSError, ValueError, KeyError) as error:  # pyarrow's are ValueErrors
        raise FrameError(
            f"{path} holds no probabilities by folds ({type(error).__name__}: {error}); label again"
        ) from error


def _column(label_model: str, without: int | None) -> str:
    return label_model if without is None else f"{label_model}.without_{without}"


def _decision(model: FittedModel) -> dict[str, Any]:
    return {
        "decision": model.decision.__name__,
        "balance": model.balance.tolist(),
        "thresholds": model.thresholds.tolist(),
    }


def lists_of(values: npt.NDArray[np.floating], there: Mask | None = None) -> pa.Array:
    """Rows (r, k) as lists; with a mask (n,) that holds r times, n lists, of which the others are null."""
    k = values.shape[1]
    if there is None:
        return pa.ListArray.from_arrays(np.arange(len(values) + 1, dtype=np.int32) * k, values.ravel())
    ends = np.concatenate([[0], np.cumsum(there)]).astype(np.int32) * k
    return pa.ListArray.from_arrays(pa.array(ends), pa.array(values.ravel()), mask=pa.array(~there))
