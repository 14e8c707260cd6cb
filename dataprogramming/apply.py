"""The step `apply_lfs`: what a task's labelling functions say of data points."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from snorkel.labeling import LabelingFunction

from adaptml.data import NO_GOLD, TASK_GOLD, Data, read_gold, read_points
from adaptml.database import Database, Vector
from adaptml.errors import AdaptmlError
from adaptml.frames import KEYS
from adaptml.labelled import Labelled
from adaptml.project import Project
from adaptml.reports.reading import texts_of_task
from adaptml.tasks import Task
from dataprogramming.applier import CHUNK_ROWS, apply_to_chunks
from dataprogramming.label_models.core import LabelMatrix
from dataprogramming.lfs import load_lfs
from dataprogramming.votes import Votes

GOLD_IF_ANY = "task, if any"


def apply_lfs(
    project: Project,
    task: str | Task,
    data: Data,
    *,
    n: int | None = None,
    seed: int = 0,
    where: str | None = None,
    gold: Data | None = GOLD_IF_ANY,
    lf_parameters: Mapping[str, str] | None = None,
    workers: int = 1,
    fault_tolerant: bool = False,
    show_progress: bool = False,
) -> Votes:
    """Apply a task's labelling functions to data points; nothing is logged.

    Args:
        project: holds the data.
        task: the task, or its name; or a task made in Python, with its labelling functions.
        data: which points: a table, `table where …`, a frame or a path of one.
        n: how many of them, drawn at random; None for all.
        seed: the same seed draws the same points.
        where: a person's own SQL condition on the rows of the table.
        gold: the points that votes are judged on: `task` for the task's gold, by default where there is some,
            `none` or None, a frame with gold_label or a path of one.
        lf_parameters: values, as text, of the parameters that the task's `get_lfs` declares.
        workers: number of processes.
        fault_tolerant: an LF that raises abstains and is counted, instead of ending the step.
        show_progress: draw progress bars.

    Returns:
        int8 votes (n, m) with their keys; see `Votes`.

    Raises:
        LabellingError: labelling functions that cannot be used, or one that fails.
        FrameError, TaskError, DatabaseError: data or gold that cannot be read.
        MissingDataPointsError: data points that are not in their table.

    Example:
        >>> task = adaptml.Task(
        ...     classes=["ham", "spam"],
        ...     lfs=[adaptml.keyword_lf("subscribe", ["subscribe"], "spam", "tokens")],
        ... )
        >>> votes = project.apply_lfs(task, "comments", n=10)
        >>> votes.L.shape
        (10, 1)
    """
    task = project.task(task)
    voter = Voter(project, task, lf_parameters or {}, workers, fault_tolerant, show_progress).load()
    points = sampled(read_points(project, data, where=where), n, seed)
    known = voter.gold_votes(gold_if_any(project, gold, task))
    return replace(voter.votes(points), gold=known, failures=dict(voter.failures or {}))


@dataclass
class Voter:
    """Reads LF features and applies a task's labelling functions, chunk by chunk.

    Attributes:
        lfs: the labelling functions.
        failures: counted per LF where they are allowed; None where they are not.
    """

    project: Project
    task: Task
    lf_parameters: Mapping[str, str]
    workers: int = 1
    fault_tolerant: bool = False
    show_progress: bool = False
    lfs: list[LabelingFunction] = field(init=False, default_factory=list)
    failures: Counter[str] | None = field(init=False, default=None)

    def load(self) -> "Voter":
        """Load the labelling functions, which runs the task's `lfs.py`."""
        self.lfs = load_lfs(self.task, self.lf_parameters)
        self.failures = Counter() if self.fault_tolerant else None
        return self

    def votes(self, points: pd.DataFrame) -> Votes:
        """The votes on n data points, of which table_name and id are looked at."""
        keys = points[KEYS].reset_index(drop=True)
        return self._votes(keys, self.matrix(self.features(keys), len(keys)))

    def votes_on(self, features: pd.DataFrame) -> Votes:
        """The votes on n data points whose LF features were read already, in one frame with their keys."""
        return self._votes(features[KEYS], self.matrix(iter([features]), len(features)))

    def gold_votes(self, gold: Labelled | None) -> Votes | None:
        """The votes on gold points, and their classes."""
        return None if gold is None else replace(self.votes(gold.keys), Y=gold.Y)

    def features(self, keys: pd.DataFrame) -> Iterator[pd.DataFrame]:
        """The LF features of data points, in chunks, each read when it is asked for."""
        for start in range(0, len(keys), CHUNK_ROWS):
            chunk = keys.iloc[start : start + CHUNK_ROWS]
            yield self.project.database.read(chunk, lf_features(self.project.database, self.task, chunk))

    def matrix(self, chunks: Iterator[pd.DataFrame], n: int) -> LabelMatrix:
        """The label matrix (n, m) of chunks that together have n rows."""
        return apply_to_chunks(
            self.lfs,
            chunks,
            n,
            self.task.labels,
            folder=self.task.folder,
            workers=self.workers,
            failures=self.failures,
            show_progress=self.show_progress,
        )

    def _votes(self, keys: pd.DataFrame, L: LabelMatrix) -> Votes:
        return Votes(
            keys,
            L,
            tuple(lf.name for lf in self.lfs),
            tuple(self.task.class_names),
            self.task.name,
            self.task.setting,
            read_texts=texts_of_task(self.project.database, self.task),
        )


def lf_features(database: Database, task: Task, keys: pd.DataFrame) -> Sequence[str]:
    """Columns that labelling functions read: those that the task names, else all that are no vectors."""
    if task.lf_features:
        return task.lf_features
    columns: dict[str, None] = {}
    for table in keys["table_name"].unique():
        found = database.columns(str(table))
        columns |= dict.fromkeys(name for name, kind in found.items() if not isinstance(kind, Vector))
    return [name for name in columns if name not in KEYS]


def gold_if_any(project: Project, gold: Data | None, task: Task) -> Labelled | None:
    """Gold points; by default those of the task, where there are some that can be used."""
    if not isinstance(gold, str) or gold != GOLD_IF_ANY:
        return read_gold(project, gold, task)
    there = project.settings.gold(task.name).is_file()
    try:
        return read_gold(project, TASK_GOLD if there else NO_GOLD, task)
    except AdaptmlError:  # of other classes, or of none that a multiclass task can use: nobody asked for it
        return None


def sampled(points: pd.DataFrame, n: int | None, seed: int) -> pd.DataFrame:
    """At most n rows, drawn at random, in their order."""
    if n is None or n >= len(points):
        return points
    chosen = np.random.default_rng(seed).choice(len(points), n, replace=False)
    return points.iloc[np.sort(chosen)].reset_index(drop=True)
