"""What the served model says of rows that it did not learn from.

A model is surer of rows that it learned from, and finds other classes there, whatever comes later. So new
rows are compared with rows that were held out of its training (`train --test 0.2`), or, where none were,
with the new rows of the first watch of this model. Rows held out of training have votes: of new rows, those
with votes are compared with them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from adaptml.evaluation import metric_names
from adaptml.frames import KEYS
from adaptml.project import Project
from adaptml.runs.artifacts import PREDICTIONS
from adaptml.tasks import ABSTAIN, Task, indicator
from adaptml.tasks.vote_codes import VoteCodes
from dataprogramming.label_models.core import Indicator, LabelMatrix, covered
from dataprogramming.votes import Votes
from dataprogramming.watching.history import Watch, first_predictions
from dataprogramming.watching.model import Model
from dataprogramming.watching.reference import Origin
from dataprogramming.watching.statistics import FEWEST, Kind, Quantity, compare_means, compare_shares

Floats = npt.NDArray[np.float64]
Vote = Callable[[pd.DataFrame], Votes]
MOST_PREDICTED = 5_000
CHUNK_ROWS = 50_000
LEFT_OUT = "left out"


@dataclass(frozen=True)
class Served:
    """What the model says of n rows with votes.

    Attributes:
        frame: `table_name`, `id`, `label` (class names), `label_probs` (k floats).
        Y: int8 (n, k), values in {0, 1}: the classes.
        confidence: float64 (n,), how sure the model is.
        agreement: float64 (n,), the share of a row's votes that are for a class that the model says.
    """

    frame: pd.DataFrame
    Y: Indicator
    confidence: Floats
    agreement: Floats

    @classmethod
    def of(cls, task: Task, frame: pd.DataFrame, vote: Vote) -> "Served":
        """Votes are cast on the rows; those without any are left out."""
        votes = vote(frame)
        L, there = votes.L, covered(votes.L)
        frame, L = frame.loc[there].reset_index(drop=True), L[there]
        Y = indicator(frame["label"].tolist(), task.class_names)
        probs = np.array(frame["label_probs"].tolist(), np.float64).reshape(Y.shape)
        return cls(frame, Y, task.problem.confidence(Y, probs), agreement(L, Y, votes.codes))


def agreement(L: LabelMatrix, Y: Indicator, codes: VoteCodes) -> Floats:
    """The share of each row's votes that are for one of its classes.

    Args:
        L: label matrix (n, m), with at least one vote a row.
        Y: (n, k), values in {0, 1}.
        codes: what the votes stand for.

    >>> agreement(np.array([[0, 1, -1]], np.int8), np.array([[1, 0]], np.int8), VoteCodes(2)).tolist()
    [0.5]
    """
    return np.asarray(codes.right(L, Y).sum(axis=1) / (L != ABSTAIN).sum(axis=1))


def compare_served(task: Task, old: Served, new: Served) -> list[Quantity]:
    """Share of each class among predictions, mean confidence, agreement with the votes."""
    n, m = len(old.Y), len(new.Y)
    found = [
        compare_shares(
            Kind.PREDICTED,
            f"{Kind.PREDICTED}/{clean}",
            f"rows predicted as {name}, of those with votes",
            (int(old.Y[:, c].sum()), n),
            (int(new.Y[:, c].sum()), m),
            name,
        )
        for c, (name, clean) in enumerate(zip(task.class_names, metric_names(task.class_names), strict=True))
    ]
    title = "mean confidence of the predictions"
    found.append(compare_means(Kind.CONFIDENCE, Kind.CONFIDENCE, title, old.confidence, new.confidence))
    title = "votes that agree with the predictions"
    found.append(compare_means(Kind.AGREEMENT, Kind.AGREEMENT, title, old.agreement, new.agreement))
    return found


@dataclass(frozen=True)
class Sides:
    """Predictions to compare.

    Attributes:
        old, new: what the model says; `old` is None where nothing can be compared yet.
        kept: predictions that later watches compare with; None where there are others to compare with.
        note: what they are, in a sentence.
        model: whose they are; empty where nobody was asked.
    """

    old: Served | None
    new: Served | None
    kept: pd.DataFrame | None
    note: str
    model: str = ""


@dataclass(frozen=True)
class Asking:
    """Asks the served model, and for votes.

    Attributes:
        project: holds tables and runs.
        task: whose model.
        origin: the runs that new rows are compared with.
        model: the served model.
        vote: casts the task's votes on rows.
        folder: for files on the way.
        seed: draws rows where there are more than 5,000.
    """

    project: Project
    task: Task
    origin: Origin
    model: Model
    vote: Vote
    folder: Path
    seed: int

    def sides(self, new: pd.DataFrame, watches: list[Watch]) -> Sides:
        """Predictions of rows that the model did not learn from, and of new rows.

        Args:
            new: keys of the new rows with votes.
            watches: earlier ones, the oldest first.

        Raises:
            ModelError: the champion does not load.
            FeatureError: rows that are not featurised.
        """
        old, name = self._held_out(), self.model.name
        whose = "rows held out of the training"
        if old is None:
            before = first_predictions(self.project, watches, self.origin.label_run, name, self.folder)
            if before is not None:
                whose, old = f"new rows of the first watch, {before[0]}", before[1]
                taken = pd.MultiIndex.from_frame(old[KEYS])
                new = new.loc[~pd.MultiIndex.from_frame(new[KEYS]).isin(taken)]
        asked = new.sample(min(len(new), MOST_PREDICTED), random_state=self.seed).sort_index()
        said = self.model.predict(asked) if len(asked) else asked
        if len(said) < FEWEST:
            return Sides(None, None, None, f"{LEFT_OUT}: only {len(said)} new rows with votes", name)
        now = Served.of(self.task, said, self.vote)
        if old is None:
            return Sides(None, now, now.frame, _FIRST.format(n=len(now.frame)), name)
        was = Served.of(self.task, old.loc[self.project.database.present(old)], self.vote)
        if len(was.frame) < FEWEST:
            return Sides(None, now, None, f"{LEFT_OUT}: only {len(was.frame)} {whose}", name)
        note = f"{len(now.frame)} new rows with votes against {len(was.frame)} {whose}; {name}"
        return Sides(was, now, None, note, name)

    def _held_out(self) -> pd.DataFrame | None:
        """Predictions of a random share of the training data that the model was not trained on."""
        run_id = self.origin.train_run
        if run_id is None or PREDICTIONS not in self.project.runs.artifacts(run_id):
            return None
        if not _is_share(self.project.runs.get(run_id).data.params.get("test_data", "")):
            return None  # a file or a run of somebody's choice is no sample of the training data
        path = self.project.runs.artifact(run_id, PREDICTIONS, self.folder)
        frame = drawn_rows(path, [*KEYS, "label", "label_probs"], MOST_PREDICTED, self.seed)
        return frame if len(frame) >= FEWEST else None


def drawn_rows(path: Path, columns: list[str], most: int, seed: int) -> pd.DataFrame:
    """At most so many rows of a Parquet file, drawn at random, read in chunks."""
    with pq.ParquetFile(path) as file:
        drawn = np.sort(np.random.default_rng(seed).permutation(file.metadata.num_rows)[:most])
        parts: list[pd.DataFrame] = []
        start = 0
        for batch in file.iter_batches(CHUNK_ROWS, columns=columns):
            here = drawn[(drawn >= start) & (drawn < start + batch.num_rows)] - start
            parts.append(batch.take(pa.array(here)).to_pandas())
            start += batch.num_rows
    return pd.concat(parts, ignore_index=True)


_FIRST = (
    "no row was held out of the training, so the {n} new rows with votes of this watch are what later ones "
    "compare predictions with; `adaptml train --test 0.2` holds some out"
)


def _is_share(text: str) -> bool:
    try:
        return 0 < float(text) < 1
    except ValueError:
        return False
