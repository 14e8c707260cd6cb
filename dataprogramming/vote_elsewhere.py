"""Votes that workers cast, by the same functions as here: on ranges of a table, or on some data points."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from adaptml.database import Range
from adaptml.database.splitting import split
from adaptml.progress import progress
from adaptml.project import Project
from adaptml.scale.pool import Pool, open_pool
from adaptml.scale.work import Begin, Chunk, ChunkFunction, runs_chunks
from adaptml.tasks import Task
from dataprogramming.kept_votes import Reuse
from dataprogramming.label_models.core import LabelMatrix
from dataprogramming.patterns import VotePatterns
from dataprogramming.vote_range import RangeVotes, joined, votes_on
from dataprogramming.vote_store import SEGMENT_ROWS
from dataprogramming.voter import Voter

KEYS_ROWS = 10_000  # data points a chunk
FEW_ROWS = 2_000  # so many are voted on here before any worker is asked
RANGES = 32  # at least so many of a table, unless they would be small, so that all workers end together


class _KeysVotes(NamedTuple):
    """Votes on some data points: as `RangeVotes`, with an int8 matrix (r, m) in place of patterns."""

    matrix: LabelMatrix
    failures: Mapping[str, int]
    reuse: Reuse


@runs_chunks
def votes_of_ranges(project: Project, task: Task, said: Mapping[str, Any]) -> ChunkFunction:
    """Votes on the rows of ranges of a table: low and high as those of `Range` → `RangeVotes`.

    Args:
        project: the worker's; votes are kept in its home folder.
        task: whose labelling functions.
        said: `table`, and what a `Voter` is told.
    """
    voter = _voter(project, task, said)
    return lambda chunk: votes_on(voter, said["table"], Range(*chunk))


@runs_chunks
def votes_of_keys(project: Project, task: Task, said: Mapping[str, Any]) -> ChunkFunction:
    """Votes on data points: table names and ids → `_KeysVotes`."""
    voter = _voter(project, task, said)

    def vote(chunk: Chunk) -> _KeysVotes:
        tables, ids = chunk
        before = voter.kept.counts
        voter.failures.clear()
        cast = voter.votes(pd.DataFrame({"table_name": tables, "id": ids}, dtype=str))
        return _KeysVotes(cast.L, dict(voter.failures), voter.kept.reuse_since(before))

    return vote


def _voter(project: Project, task: Task, said: Mapping[str, Any]) -> Voter:
    voter = Voter(
        project, task, said["lf_parameters"], fault_tolerant=said["fault_tolerant"], fresh=said["fresh"]
    )
    voter.load()
    return voter


@dataclass
class SharedVoter(Voter):
    """A voter whose work several workers do.

    Attributes:
        pool: the workers.
    """

    pool: Pool = field(kw_only=True)

    def _of_table(self, table: str) -> tuple[pd.DataFrame, VotePatterns]:
        n_rows = self.project.database.count(table)
        if n_rows <= FEW_ROWS:
            return super()._of_table(table)
        ranges = split(self.project.database, table, range_rows(n_rows))
        parts = self._parts(votes_of_ranges, {"table": table}, map(list, ranges), n_rows)
        found = joined(parts)
        return found.keys, found.patterns

    def _of_keys(self, points: pd.DataFrame) -> tuple[pd.DataFrame, LabelMatrix]:
        if len(points) <= FEW_ROWS:
            return super()._of_keys(points)
        keys = points[["table_name", "id"]].reset_index(drop=True)
        starts = range(0, len(keys), KEYS_ROWS)
        parts = (keys[start : start + KEYS_ROWS] for start in starts)
        chunks = ([part["table_name"].tolist(), part["id"].tolist()] for part in parts)
        found = [part.matrix for part in self._parts(votes_of_keys, {}, chunks, len(keys))]
        return keys, np.concatenate(found)

    def _parts(
        self, begin: Begin, more: Mapping[str, Any], chunks: Iterable[Chunk], n_rows: int
    ) -> Iterator[Any]:
        """What workers make of chunks; what they kept and what failed is counted here."""
        told = {"lf_parameters": dict(self.lf_parameters), "fault_tolerant": self.fault_tolerant}
        said = {**told, "fresh": self.fresh, **more}
        with progress("labelling functions vote", n_rows, shown=self.show_progress) as advance, self.pool:
            for part in self.pool.run(begin, self.task, said, chunks):
                self.failures.update(part.failures)
                self.kept.add(part.reuse)
                yield part
                advance(len(part.ids) if isinstance(part, RangeVotes) else len(part.matrix))
        self.kept.tidy([])


def range_rows(n_rows: int) -> int:
    """How many rows a range of a table has: few enough for many workers, and as many as are kept together."""
    return min(SEGMENT_ROWS, max(FEW_ROWS, -(-n_rows // RANGES)))


def voter_of(
    project: Project,
    task: Task,
    lf_parameters: Mapping[str, Any],
    *,
    workers: int = 1,
    scheduler: str | None = None,
    fault_tolerant: bool = False,
    fresh: bool = False,
    show_progress: bool = False,
) -> Voter:
    """A voter that votes here, by processes of this machine, or by the workers of a scheduler.

    Raises:
        ScaleError: as `open_pool`.
    """
    pool = open_pool(project, workers, scheduler)
    if pool is None:
        return Voter(project, task, lf_parameters, fault_tolerant, fresh, show_progress)
    return SharedVoter(project, task, lf_parameters, fault_tolerant, fresh, show_progress, pool=pool)
