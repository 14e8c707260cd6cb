"""From data points to votes: LF features are read, known votes are looked up, the others are computed."""

import gc
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
from snorkel.labeling import LabelingFunction

from adaptml.database import Range, StoredRows, Vector
from adaptml.database.fetching import paused_gc
from adaptml.database.keys import WHOLE
from adaptml.errors import FrameError, LabellingError
from adaptml.features.points import Points
from adaptml.features.ranges import ranged
from adaptml.features.required import check_featurized
from adaptml.frames import KEYS
from adaptml.labelled import Labelled
from adaptml.progress import progress
from adaptml.project import Project
from adaptml.reports.reading import texts_of_task
from adaptml.rules.stored_lists import StoredLists
from adaptml.tasks import ABSTAIN, Task
from dataprogramming import kept_ranges
from dataprogramming.applier import Work, apply_work, count_failures
from dataprogramming.declared_sets import DeclaredSets, declared_sets
from dataprogramming.kept_votes import Chunk, KeptVotes
from dataprogramming.label_models.core import LabelMatrix
from dataprogramming.lfs import load_lfs
from dataprogramming.patterns import CastVotes, PatternsAdded, VotePatterns
from dataprogramming.vote_store import as_slice
from dataprogramming.votes import Votes

COLLECTED_CHUNKS = 16
Rows = npt.NDArray[np.int64]


@dataclass
class Voter:
    """Applies a task's labelling functions to data points, and computes only votes that are new.

    Attributes:
        lf_parameters: values, or text, of the parameters that the task's `get_lfs` declares.
        fault_tolerant: an LF that raises abstains and is counted.
        fresh: compute every vote anew.
        text: stands in for what the task's `lfs.py` holds; None for the file.
        failures: name of an LF → how often it failed.
        first_failures: name of an LF → the error of its first failure, where one process votes.
    """

    project: Project
    task: Task
    lf_parameters: Mapping[str, Any]
    fault_tolerant: bool = False
    fresh: bool = False
    show_progress: bool = False
    text: str | None = None
    failures: Counter[str] = field(init=False, default_factory=Counter)
    first_failures: dict[str, LabellingError] = field(init=False, default_factory=dict)

    @cached_property
    def lfs(self) -> list[LabelingFunction]:
        """The labelling functions; loading them runs the task's `lfs.py`."""
        return load_lfs(self.task, self.lf_parameters, text=self.text)

    def load(self) -> None:
        """Load the labelling functions, so that what is wrong with them is said before anything is read."""
        self.lfs  # noqa: B018

    @cached_property
    def declared(self) -> DeclaredSets:
        """The sets of classes that they may vote for."""
        return declared_sets(self.lfs, self.task.labels)

    @cached_property
    def kept(self) -> KeptVotes:
        """The votes that were cast before."""
        folder = self.project.settings.votes(self.task.name)
        return KeptVotes(folder, self.lfs, self.task.labels, self.task.folder, fresh=self.fresh)

    def all_votes(self, points: pd.DataFrame | str, gold: Labelled | None) -> Votes:
        """The votes on n data points, and as their `gold` those on gold points."""
        votes = self.votes(points)
        known = (
            None
            if gold is None
            else replace(self.votes(gold.keys), Y=gold.Y, judges=gold.judges, set_aside=gold.set_aside)
        )
        return replace(votes, gold=known, failures=dict(self.failures), reuse=self.kept.reuse())

    def votes(self, points: pd.DataFrame | str) -> Votes:
        """The votes on n data points.

        Args:
            points: a frame, of which table_name and id are looked at, or the name of a table: all its rows.

        Raises:
            AdaptmlError: they cannot be read.
        """
        return self.made(*(self._of_table(points) if isinstance(points, str) else self._of_keys(points)))

    def made(self, keys: pd.DataFrame, cast: CastVotes) -> Votes:
        """Votes on data points that were cast already."""
        return Votes(
            keys,
            cast,
            tuple(lf.name for lf in self.lfs),
            tuple(self.task.class_names),
            self.task.name,
            self.task.setting,
            sets=self.declared.codes.sets,
            read_texts=texts_of_task(self.project.database, self.task),
        )

    def _of_keys(self, points: pd.DataFrame) -> tuple[pd.DataFrame, LabelMatrix]:
        """The keys of data points, and the label matrix (n, m)."""
        keys = points[KEYS].reset_index(drop=True)
        tables = list(map(str, keys["table_name"].unique()))
        matrix = np.full((len(keys), len(self.lfs)), ABSTAIN, np.int8, order="F")  # it is filled by column
        stored = self.project.points.read_stored(keys, lf_features(self.project.points, self.task, tables))
        seen: Counter[str] = Counter()
        with self.kept:
            for rows, votes in self._matrix(map(self.kept.look_up, stored), len(keys)):
                matrix[as_slice(rows.positions)] = votes
                seen[rows.table] += len(rows)
            self.kept.tidy([table for table in tables if seen[table] >= self.project.database.count(table)])
        return keys, matrix

    def _of_table(self, table: str) -> tuple[pd.DataFrame, VotePatterns]:
        """The keys of every row of a table, which is read once, keys and all, and the votes.

        Raises:
            FrameError: it has no row.
        """
        self.project.database.data_table(table, fresh=True)
        with self.kept:
            ids, patterns = self.of_range(table, WHOLE)
            if not len(ids):
                raise FrameError(f"{table} holds no data point to work on; name other data")
            self.kept.tidy([table])
        return keys_of(table, ids), patterns

    def of_range(self, table: str, where: Range) -> tuple[pa.ChunkedArray, VotePatterns]:
        """The ids of the rows of a table in a range of ids, in the database's order, and the votes on them.

        Rows are read, voted on and forgotten chunk by chunk; of each stays its id, and which votes it has.
        To be called while a block of `kept` lasts.
        """
        n_rows = self.project.database.count(table) if where == WHOLE and self.show_progress else 0
        ids, added = [], PatternsAdded(len(self.lfs))
        with paused_gc():
            for rows, votes in self._matrix(self._looked_up(table, where), n_rows):
                ids.append(pa.array(rows.ids, pa.large_string()))
                added.add(votes)
                if len(ids) % COLLECTED_CHUNKS == 0:
                    gc.collect(1)  # what rules have left in circles
        return pa.chunked_array(ids, pa.large_string()), added.found()

    def _looked_up(self, table: str, where: Range) -> Iterator[Chunk]:
        """The rows of a range with what is known of the votes on them."""
        points = self.project.points
        columns = lf_features(points, self.task, [table])
        by_range = ranged(points, table, columns) if where == WHOLE and self.kept.certain else None
        if by_range is not None:
            return kept_ranges.chunks(self.kept, by_range)
        return map(self.kept.look_up, points.scan_stored(table, columns, within=where))

    def _matrix(self, looked_up: Iterator[Chunk], n_rows: int) -> Iterator[tuple[StoredRows, LabelMatrix]]:
        """Rows with their part of the label matrix, (r, m); votes that are new are kept."""
        with progress("labelling functions vote", n_rows, shown=self.show_progress) as advance:
            for chunk in self._voted(looked_up):
                self.kept.keep(chunk)
                if self.fault_tolerant:
                    self.failures.update(count_failures(self.lfs, chunk.votes))
                # UNKNOWN is below ABSTAIN; what is kept has each labelling function's own codes.
                yield chunk.rows, self.declared.common(np.maximum(chunk.votes, ABSTAIN))
                advance(len(chunk.rows))

    def _voted(self, looked_up: Iterator[Chunk]) -> Iterator[Chunk]:
        """Chunks with all their votes, in their order."""
        waiting: deque[tuple[Chunk, list[tuple[Rows, list[int]]]]] = deque()

        def work() -> Iterator[list[Work]]:
            for chunk in looked_up:
                missing = chunk.missing()
                waiting.append((chunk, missing))
                yield [
                    Work(
                        _columns(chunk.rows, which if len(which) < len(chunk.rows) else None), numbers, which
                    )
                    for which, numbers in missing
                ]

        results = apply_work(
            self.lfs,
            work(),
            self.task.labels,
            folder=self.task.folder,
            tolerant=self.fault_tolerant,
            first_failures=self.first_failures,
        )
        for computed in results:
            chunk, missing = waiting.popleft()
            for (which, numbers), votes in zip(missing, computed, strict=True):
                if votes.shape == chunk.votes.shape:  # all of them, most often
                    chunk.votes = votes
                else:
                    chunk.votes[np.ix_(which, np.array(numbers))] = votes
            yield chunk


def keys_of(table: str, ids: pa.ChunkedArray) -> pd.DataFrame:
    """The keys of n rows of a table: table_name, id."""
    names = pa.repeat(pa.scalar(table, pa.large_string()), len(ids))
    frame: pd.DataFrame = pa.table({"table_name": names, "id": ids}).to_pandas()
    return frame


def _columns(rows: StoredRows, which: Rows | None) -> dict[str, Sequence[Any]]:
    """The columns of rows at some places (all for None); values are made of those that are asked for."""
    plain = {name: cells for name, cells in rows.cells.items() if name not in rows.decode}
    columns = replace(rows, cells=plain).columns(which)
    for name in rows.decode:
        cells = rows.cells[name]
        cells = cells if which is None else [cells[row] for row in which]
        columns[name] = StoredLists(
            cells, partial(_values, replace(rows, cells={name: rows.cells[name]}), which)
        )
    return {name: columns[name] for name in (*KEYS, *rows.cells)}


def _values(column: StoredRows, which: Rows | None, some: Rows | None) -> Sequence[Any]:
    """The values of one column at some of the places `which`; None is all."""
    (name,) = column.cells
    return column.columns(some if which is None else which if some is None else which[some])[name]


def lf_features(points: Points, task: Task, tables: Sequence[str]) -> Sequence[str]:
    """Columns that labelling functions read: those that the task names, else all that are no vectors.

    Raises:
        FeatureError: one that `adaptml featurize` is still to compute.
    """
    if task.lf_features:
        check_featurized(points, task, tables, task.lf_features)
        return task.lf_features
    columns: dict[str, None] = {}
    for table in tables:
        found = points.columns(table)
        columns |= dict.fromkeys(name for name, kind in found.items() if not isinstance(kind, Vector))
    return [name for name in columns if name not in KEYS]
