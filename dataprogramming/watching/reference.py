"""What new rows are compared with: the points of a `label` run and the votes on them, read in chunks."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from mlflow.exceptions import MlflowException

from adaptml.data import is_run
from adaptml.errors import TrackingError
from adaptml.frames import KEYS, read_metadata
from adaptml.project import Project
from adaptml.runs.artifacts import VOTES
from adaptml.runs.registry import CHAMPION
from adaptml.tasks import Task
from adaptml.tasks.vote_codes import VoteCodes, sets_in
from dataprogramming.label_models.core import LabelMatrix
from dataprogramming.lf_history import label_runs, versions_of
from dataprogramming.lf_versions import LFVersion
from dataprogramming.watching.voted import VoteCounts

CHUNK_ROWS = 50_000
Hashes = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class Origin:
    """Which runs the rows are compared with.

    Attributes:
        label_run: id of the `label` run.
        train_run: id of the training on it; None where it is not known.
        champion: name and version of the task's champion; empty where this store has none, as that of data
            programming in the Docker stack, whose end models have a store of their own.
        is_champions: whether the champion is what learned from these labels.
    """

    label_run: str
    train_run: str | None = None
    champion: str = ""
    is_champions: bool = False


def find_origin(project: Project, task: Task, run: str | None) -> Origin:
    """The `label` run that the champion learned from, or the one that was named.

    Args:
        project: whose runs.
        task: whose champion.
        run: id of a `label` run or of a training on one; None for the champion's, and without a champion the
            newest `label` run.

    Raises:
        TrackingError: no such run, or one that is none of these, or there is none at all.
    """
    trained, champion = _champion(project, task)
    learned_from = "" if trained is None else _train_data(project, trained)
    chosen = run or trained
    if chosen is None:
        runs = label_runs(project, task.name)
        if not runs:
            raise TrackingError(
                f"task {task.name!r} has no run of `label` that new rows could be compared with; label first"
            )
        return Origin(str(runs[0]["run_id"]))
    if VOTES in project.runs.artifacts(chosen):
        is_champions = chosen == learned_from
        return Origin(chosen, trained if is_champions else None, champion, is_champions)
    source = _train_data(project, chosen)
    if not is_run(source):
        raise TrackingError(
            f"run {chosen} learned from {source or 'nothing that it names'}, not from a run of `label`, "
            "whose votes new rows are compared with; name one with --run"
        )
    return Origin(source, chosen, champion, chosen == trained)


def _train_data(project: Project, run_id: str) -> str:
    """What a run says that it read."""
    return str(project.runs.get(run_id).data.params.get("train_data", ""))


def _champion(project: Project, task: Task) -> tuple[str | None, str]:
    """The training run of the task's champion, and its name and version."""
    name = f"{task.setting}_{task.name}"
    try:
        found = project.runs.client.get_model_version_by_alias(name, CHAMPION)
    except MlflowException:  # none yet, or not in this store
        return None, ""
    return found.run_id, f"{name} version {found.version}"


@dataclass(frozen=True)
class Reference:
    """The points of a run.

    Attributes:
        hashes: uint64 (n,), sorted: of the points' keys. Of 10,000,000, two are alike with a chance of 1 in
            400,000; a new row that is one of them would be taken for an old one.
        sample: `table_name` and `id` of at most so many points as were asked for, drawn at random.
        lf_names: of the run, in the order of its votes.
        counts: its votes.
    """

    hashes: Hashes
    sample: pd.DataFrame
    lf_names: Sequence[str]
    counts: VoteCounts

    def holds(self, keys: pd.DataFrame) -> npt.NDArray[np.bool_]:
        """Which of n keys are points of the run, bool (n,)."""
        asked = key_hashes(keys)
        places = np.minimum(np.searchsorted(self.hashes, asked), len(self.hashes) - 1)
        return np.asarray(self.hashes[places] == asked)


def key_hashes(keys: pd.DataFrame) -> Hashes:
    """A hash of each of n keys: uint64 (n,)."""
    parts = [keys[KEYS].iloc[start : start + CHUNK_ROWS] for start in range(0, len(keys), CHUNK_ROWS)]
    # As objects, or the same text would have another hash where pandas keeps it otherwise.
    hashed = [
        pd.util.hash_pandas_object(part.astype(object), index=False, categorize=False) for part in parts
    ]
    return np.concatenate([np.empty(0, np.uint64), *(part.to_numpy(np.uint64) for part in hashed)])


def read_reference(
    project: Project, task: Task, run_id: str, sample: int, seed: int, folder: Path
) -> Reference:
    """Read the votes of a run, a chunk at a time.

    Args:
        project: whose run.
        task: its classes must be those of the run.
        run_id: a `label` run.
        sample: how many points to draw.
        seed: draws them.
        folder: where the file may be copied to.

    Raises:
        TrackingError: a run that keeps no votes, or was made with other classes.
    """
    if VOTES not in project.runs.artifacts(run_id):
        raise TrackingError(f"run {run_id} keeps no votes; name a run of `label` that does, or label again")
    path = project.runs.artifact(run_id, VOTES, folder)
    said = read_metadata(path)
    classes = list(said.get("classes", []))
    if classes != task.class_names:
        raise TrackingError(
            f"run {run_id} was made with the classes {', '.join(classes)}, and the task has "
            f"{', '.join(task.class_names)}; label and train again, then watch"
        )
    with pq.ParquetFile(path) as file:
        n = file.metadata.num_rows
        lf_names = [name for name in file.schema_arrow.names if name not in KEYS]
        drawn = np.sort(np.random.default_rng(seed).permutation(n)[:sample])
        counts = VoteCounts(len(lf_names), VoteCodes(len(classes), sets_in(said)))
        hashes, kept, start = [], [], 0
        for batch in file.iter_batches(CHUNK_ROWS):
            keys = batch.select(KEYS).to_pandas()
            counts.add(_matrix(batch, lf_names))
            hashes.append(key_hashes(keys))
            here = drawn[(drawn >= start) & (drawn < start + len(keys))] - start
            kept.append(keys.iloc[here])
            start += len(keys)
    return Reference(np.sort(np.concatenate(hashes)), _frame(kept), lf_names, counts)


def _matrix(batch: pa.RecordBatch, lf_names: Sequence[str]) -> LabelMatrix:
    return np.stack([batch.column(name).to_numpy() for name in lf_names], axis=1).astype(np.int8)


def _frame(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    return pd.concat(parts, ignore_index=True).astype(str)


def same_rules(project: Project, run_id: str, now: Sequence[LFVersion], folder: Path) -> bool:
    """Whether a run's labelling functions are those of now, so that its votes are what they would say."""
    was = versions_of(project, run_id, folder)
    return (
        was is not None
        and [lf.name for lf in was] == [lf.name for lf in now]
        and all(old.votes_as(new) for old, new in zip(was, now, strict=True))
    )


def lf_parameters(params: dict[str, Any], declared: Sequence[str]) -> dict[str, str]:
    """Values of the parameters that a task's `get_lfs` declares, as a run recorded them."""
    return {name: str(params[name]) for name in declared if name in params}
