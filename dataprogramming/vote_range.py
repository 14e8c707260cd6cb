"""Votes on a range of a table's rows, a piece of work that any process can do; and all pieces together."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
import pyarrow as pa

from adaptml.database import Range
from adaptml.project import Project
from adaptml.tasks import Task
from dataprogramming.kept_votes import Reuse
from dataprogramming.patterns import PatternsAdded, VotePatterns
from dataprogramming.voter import Voter, keys_of


@dataclass(frozen=True, eq=False)
class RangeVotes:
    """Votes on the rows of a range, as they travel between processes.

    Attributes:
        table: the rows' table.
        ids: of the r rows, large_string, in the order of the database.
        patterns: the votes. What label models ask of a label matrix follows from the distinct ones and how
            often each occurs; those of several ranges add up.
        failures: name of a labelling function → how often it failed and abstained, where that was allowed.
        reuse: how many of the votes were kept from before.
    """

    table: str
    ids: pa.ChunkedArray
    patterns: VotePatterns
    failures: Mapping[str, int]
    reuse: Reuse

    @property
    def keys(self) -> pd.DataFrame:
        """The rows' keys: table_name, id."""
        return keys_of(self.table, self.ids)


def vote_range(
    project: Project,
    task: str | Task,
    table: str,
    where: Range,
    *,
    lf_parameters: Mapping[str, Any] | None = None,
    fault_tolerant: bool = False,
    fresh: bool = False,
) -> RangeVotes:
    """Apply a task's labelling functions to the rows of a range of ids.

    Votes that the project keeps are looked up, and those that are new are kept, as `label` does.

    Args:
        project: holds the table.
        task: the task, or its name.
        table: name of a data table.
        where: which rows, such as one of `adaptml.database.splitting.split`; best are 100,000 rows, of which
            the votes are kept together.
        lf_parameters, fault_tolerant, fresh: as those of `label`.

    Raises:
        LabellingError: labelling functions that cannot be used, or one that fails.
        FeatureError, DatabaseError: rows that cannot be read.
    """
    task = project.task(task)
    voter = Voter(project, task, lf_parameters or {}, fault_tolerant=fault_tolerant, fresh=fresh)
    voter.load()
    with voter.kept:
        return votes_on(voter, table, where)


def votes_on(voter: Voter, table: str, where: Range) -> RangeVotes:
    """The same by a voter that may vote on several ranges one after the other; what it keeps is written."""
    before = voter.kept.counts
    voter.failures.clear()
    try:
        ids, patterns = voter.of_range(table, where)
    finally:
        voter.kept.flush()
    return RangeVotes(table, ids, patterns, dict(voter.failures), voter.kept.reuse_since(before))


def joined(parts: Iterable[RangeVotes]) -> RangeVotes:
    """The votes on several ranges of a table as those on one.

    Args:
        parts: at least one, in the order of the ranges.
    """
    ids: list[pa.Array] = []
    failures: Counter[str] = Counter()
    added: PatternsAdded | None = None
    last: RangeVotes | None = None
    kept = computed = 0
    for last in parts:
        added = added or PatternsAdded(last.patterns.rows.shape[1])
        added.add_patterns(last.patterns)
        ids += last.ids.chunks
        failures.update(last.failures)
        kept, computed = kept + last.reuse.kept, computed + last.reuse.computed
    if last is None or added is None:
        raise ValueError("no part")
    problems = list(last.reuse.problems)
    reuse = Reuse(kept, computed, last.reuse.uncertain, problems, last.reuse.n_bytes)
    return RangeVotes(last.table, pa.chunked_array(ids, pa.large_string()), added.found(), failures, reuse)
