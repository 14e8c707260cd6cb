"""From an address to the library's search: what is asked of the database, and what of a run."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from adaptml.browsing.conditions import Condition
from adaptml.browsing.facts import Batch, Facts, ListedIds
from adaptml.browsing.find import FoundRows, KeptIds, found_before
from adaptml.browsing.known import facts_asked, results_table
from adaptml.browsing.paging import checked
from adaptml.browsing.run_facts import lists_rows
from adaptml.browsing.search import Query
from adaptml.database import WritebackKind
from adaptml.errors import FrameError
from adaptml.project import Project
from portal.asks import Ask
from portal.data.asked import Asked, of_run


@dataclass(frozen=True)
class AskedFacts:
    """Rows by what the newest label run found of them, asked of the room that knows the runs.

    Attributes:
        ask: asks it.
        asked: `task`, `table` and `conditions`.
    """

    ask: Ask
    task: str
    table: str
    conditions: Sequence[Condition]

    @property
    def lists(self) -> bool:
        """See `Facts`."""
        return lists_rows(self.conditions)

    def batch(self, after: str | None, n: int) -> Batch:
        """See `Facts`."""
        found = self.ask("run_batch", **self._about, after=after, n=n)
        return Batch(found["ids"], found["after"])

    def holds(self, ids: Sequence[str]) -> Collection[str]:
        """See `Facts`."""
        return set(self.ask("run_holds", **self._about, ids=list(ids))["ids"])

    @property
    def _about(self) -> dict[str, Any]:
        triples = [(c.column, c.op, c.value) for c in self.conditions]
        return {"task": self.task, "table": self.table, "conditions": triples}


@dataclass(frozen=True)
class Search:
    """What an address asks for.

    Attributes:
        query: for `adaptml.browsing.search`.
        found: an earlier search of the whole table for the same, whose rows are listed; None where there is
            none or it is not needed.
        needs_a_job: the table is too long to be searched while a person waits.
    """

    query: Query
    found: FoundRows | None
    needs_a_job: bool


def searched(project: Project, ask: Ask, asked: Asked, *, whole: bool = False) -> Search:
    """What to search for.

    Raises:
        UnknownTableError, UnknownColumnError: no such table or column.
        FrameError: a condition that cannot be asked.
        DatabaseError: the database refuses.
    """
    conditions = asked.all_conditions
    own = checked(project.database, asked.table, conditions)
    facts = [*_of_run(project, ask, asked), *_of_region(ask, asked)]
    answered = {c for part in facts if isinstance(part, AskedFacts) for c in part.conditions}
    facts += facts_asked(
        project, asked.task or None, asked.table, [c for c in conditions if c not in answered]
    )
    query = Query(project.database, asked.table, own, facts, whole=whole)
    if not query.reads_all:
        return Search(query, None, needs_a_job=False)
    found = found_before(project, asked.table, own, None)
    if found is not None and found.path is not None and query.needs_a_job:
        return Search(
            Query(project.database, asked.table, (), [KeptIds(found.path), *facts], whole=whole), found, False
        )
    return Search(query, None, query.needs_a_job)


def corners_of(region: str) -> tuple[str, list[float]]:
    """The map and the corners that a region's text names.

    Raises:
        FrameError: it names none.

    >>> corners_of("abc 0 0 50 12.5")
    ('abc', [0.0, 0.0, 50.0, 12.5])
    """
    key, *numbers = region.split()
    try:
        corners = [float(number) for number in numbers]
    except ValueError:
        corners = []
    if len(corners) != 4:
        raise FrameError(
            f"{region!r} is no region of a map; expected the map and four numbers: choose it again"
        )
    return key, corners


def _of_run(project: Project, ask: Ask, asked: Asked) -> list[Facts]:
    """What a label run is asked: votes, and labels where none were written."""
    conditions = of_run(asked.conditions)
    labels = [c for c in asked.conditions if c.column == "@label" or c.column.startswith("@prob:")]
    if asked.task and labels and results_table(project, asked.task, WritebackKind.LABELS) is None:
        conditions += labels
    if not conditions:
        return []
    if not asked.task:
        raise FrameError("votes are those of a task's rules; choose a task")
    return [AskedFacts(ask, asked.task, asked.table, tuple(conditions))]


def _of_region(ask: Ask, asked: Asked) -> list[Facts]:
    if not asked.region:
        return []
    key, corners = corners_of(asked.region)
    return [ListedIds.of(ask("map_region", key=key, corners=corners)["ids"])]
