"""From data points to votes: LF features are read, known votes are looked up, the others are computed."""

from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from snorkel.labeling import LabelingFunction

from adaptml.database import StoredRows, Vector
from adaptml.features.points import Points
from adaptml.features.required import check_featurized
from adaptml.frames import KEYS
from adaptml.labelled import Labelled
from adaptml.progress import progress
from adaptml.project import Project
from adaptml.reports.reading import texts_of_task
from adaptml.tasks import ABSTAIN, Task
from dataprogramming.applier import Work, apply_work, count_failures
from dataprogramming.kept_votes import Chunk, KeptVotes
from dataprogramming.label_models.core import LabelMatrix
from dataprogramming.lfs import load_lfs
from dataprogramming.vote_store import as_slice
from dataprogramming.votes import Votes

Rows = npt.NDArray[np.int64]


@dataclass
class Voter:
    """Applies a task's labelling functions to data points, and computes only votes that are new.

    Attributes:
        lf_parameters: values, or text, of the parameters that the task's `get_lfs` declares.
        workers: number of processes.
        fault_tolerant: an LF that raises abstains and is counted.
        fresh: compute every vote anew.
        failures: name of an LF → how often it failed.
    """

    project: Project
    task: Task
    lf_parameters: Mapping[str, Any]
    workers: int = 1
    fault_tolerant: bool = False
    fresh: bool = False
    show_progress: bool = False
    failures: Counter[str] = field(init=False, default_factory=Counter)

    @cached_property
    def lfs(self) -> list[LabelingFunction]:
        """The labelling functions; loading them runs the task's `lfs.py`."""
        return load_lfs(self.task, self.lf_parameters)

    def load(self) -> None:
        """Load the labelling functions, so that what is wrong with them is said before anything is read."""
        self.lfs  # noqa: B018

    @cached_property
    def kept(self) -> KeptVotes:
        """The votes that were cast before."""
        folder = self.project.settings.votes(self.task.name)
        return KeptVotes(folder, self.lfs, self.task.labels, self.task.folder, fresh=self.fresh)

    def all_votes(self, points: pd.DataFrame, gold: Labelled | None) -> Votes:
        """The votes on n data points, and as their `gold` those on gold points."""
        votes = self.votes(points)
        known = (
            None
            if gold is None
            else replace(self.votes(gold.keys), Y=gold.Y, judges=gold.judges, set_aside=gold.set_aside)
        )
        return replace(votes, gold=known, failures=dict(self.failures), reuse=self.kept.reuse())

    def votes(self, points: pd.DataFrame) -> Votes:
        """The votes on n data points, of which table_name and id are looked at."""
        keys = points[KEYS].reset_index(drop=True)
        return Votes(
            keys,
            self._matrix(keys),
            tuple(lf.name for lf in self.lfs),
            tuple(self.task.class_names),
            self.task.name,
            self.task.setting,
            read_texts=texts_of_task(self.project.database, self.task),
        )

    def _matrix(self, keys: pd.DataFrame) -> LabelMatrix:
        """The label matrix (n, m)."""
        matrix = np.full((len(keys), len(self.lfs)), ABSTAIN, np.int8, order="F")  # it is filled by column
        database, points = self.project.database, self.project.points
        rows = points.read_stored(keys, lf_features(points, self.task, keys))
        with progress("labelling functions vote", len(keys), shown=self.show_progress) as advance, self.kept:
            for chunk in self._voted(rows):
                self.kept.keep(chunk)
                self.failures.update(count_failures(self.lfs, chunk.votes))
                # UNKNOWN is below ABSTAIN.
                matrix[as_slice(chunk.rows.positions)] = np.maximum(chunk.votes, ABSTAIN)
                advance(len(chunk.rows))
            self.kept.tidy({table: database.count(table) for table in map(str, keys["table_name"].unique())})
        return matrix

    def _voted(self, chunks: Iterator[StoredRows]) -> Iterator[Chunk]:
        """Chunks with all their votes, in their order."""
        waiting: deque[tuple[Chunk, list[tuple[Rows, list[int]]]]] = deque()

        def work() -> Iterator[list[Work]]:
            for rows in chunks:
                chunk = self.kept.look_up(rows)
                missing = chunk.missing()
                waiting.append((chunk, missing))
                yield [
                    Work(rows.columns(which if len(which) < len(rows) else None), numbers, which)
                    for which, numbers in missing
                ]

        results = apply_work(
            self.lfs,
            work(),
            self.task.labels,
            folder=self.task.folder,
            workers=self.workers,
            tolerant=self.fault_tolerant,
        )
        for computed in results:
            chunk, missing = waiting.popleft()
            for (which, numbers), votes in zip(missing, computed, strict=True):
                chunk.votes[np.ix_(which, np.array(numbers))] = votes
            yield chunk


def lf_features(points: Points, task: Task, keys: pd.DataFrame) -> Sequence[str]:
    """Columns that labelling functions read: those that the task names, else all that are no vectors.

    Raises:
        FeatureError: one that `adaptml featurize` is still to compute.
    """
    if task.lf_features:
        check_featurized(points, task, map(str, keys["table_name"].unique()), task.lf_features)
        return task.lf_features
    columns: dict[str, None] = {}
    for table in keys["table_name"].unique():
        found = points.columns(str(table))
        columns |= dict.fromkeys(name for name, kind in found.items() if not isinstance(kind, Vector))
    return [name for name in columns if name not in KEYS]
