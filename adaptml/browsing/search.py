"""Rows that meet conditions on columns and on what is known of them, page by page within a bound of work."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from adaptml.browsing.conditions import Condition
from adaptml.browsing.counts import SEARCHED_ROWS, count_rows
from adaptml.browsing.facts import Batch, Facts
from adaptml.browsing.paging import PAGE_ROWS, Listed, page, rows_among
from adaptml.database import Database
from adaptml.database.facts import indexed_by_id

BATCH_ROWS = 500
PATIENCE_S = (
    1.0  # of a search while a person waits; what is found by then is shown, and the rest is asked for
)


@dataclass(frozen=True)
class Query:
    """What is looked for in a table.

    Attributes:
        database: holds the table.
        table: a data table.
        conditions: on its own columns.
        facts: what else has to hold, each with conditions of its own.
        columns: which are shown; None for all but vectors.
        whole: cut no text off.
    """

    database: Database
    table: str
    conditions: Sequence[Condition] = ()
    facts: Sequence[Facts] = ()
    columns: Sequence[str] | None = None
    whole: bool = False

    @property
    def reads_all(self) -> bool:
        """Whether no index and no list of what is known leads to the rows, so that all have to be read."""
        return any(condition.column != "id" for condition in self.conditions) and self.lister is None

    @property
    def needs_a_job(self) -> bool:
        """Whether that takes too long to wait for: beyond `SEARCHED_ROWS` rows."""
        return self.reads_all and count_rows(self.database, self.table).rows > SEARCHED_ROWS

    @property
    def is_quick(self) -> bool:
        """Whether the next page is there at once: by an index, or since the table is short."""
        if self.facts or self.reads_all:
            return False
        source = self.database.data_table(self.table)
        return bool(indexed_by_id(self.database, source)) or count_rows(self.database, self.table).exact

    @property
    def lister(self) -> Facts | None:
        """What lists the rows; None where the table has to."""
        return next((facts for facts in self.facts if facts.lists), None)


@dataclass(frozen=True)
class Hits:
    """Rows that were found.

    Attributes:
        rows: as a list shows them.
        after: the id behind which the search goes on; None where it is at its end.
        complete: False where the search ended because time was up: nothing is known of what follows.
    """

    rows: Listed
    after: str | None
    complete: bool


def search(
    query: Query, *, after: str | None = None, n: int = PAGE_ROWS, patience_s: float | None = PATIENCE_S
) -> Hits:
    """The next rows that meet all conditions.

    Where conditions are on columns alone, rows come in the order of their ids. Where something is known of
    few rows (labels, votes, gold), these are listed and looked up; where it holds for all but some, the table
    is read in the order of its ids and those are left out.

    Args:
        query: what is looked for.
        after: where to go on, as the last page said.
        n: rows, at most.
        patience_s: when to stop, in seconds; None for never.

    Raises:
        UnknownTableError, UnknownColumnError, FrameError, DatabaseError: as `paging.checked`.
    """
    if not query.facts:
        found = page(
            query.database, query.table, query.conditions, columns=query.columns, after=after, n=n,
            whole=query.whole,
        )  # fmt: skip
        return Hits(found, found.ids[-1] if found.more else None, True)
    ids: list[str] = []
    cells: list[Sequence[Any]] = []
    until = None if patience_s is None else time.monotonic() + patience_s
    while True:
        batch = _batch(query, after)
        rows = rows_among(
            query.database, query.table, batch.ids, query.conditions, query.columns, whole=query.whole
        )
        wanted, after = n - len(ids), batch.after
        ids += rows.ids[:wanted]
        cells += rows.cells[:wanted]
        if len(rows.ids) > wanted:
            after = ids[-1]
        late = until is not None and time.monotonic() > until
        if after is None or len(ids) >= n or late:
            return Hits(
                Listed(rows.columns, ids, cells, after is not None), after, after is None or len(ids) >= n
            )


def _batch(query: Query, after: str | None) -> Batch:
    """Some more ids for which all facts hold."""
    lister = query.lister
    if lister is None:
        read = page(query.database, query.table, query.conditions, columns=[], after=after, n=BATCH_ROWS)
        batch = Batch(read.ids, read.ids[-1] if read.more else None)
    else:
        batch = lister.batch(after, BATCH_ROWS)
    ids = list(batch.ids)
    for facts in query.facts:
        if facts is not lister and ids:
            there = facts.holds(ids)
            ids = [key for key in ids if key in there]
    return Batch(ids, batch.after)


def every_page(query: Query, n: int = 5_000) -> Iterator[Listed]:
    """All rows that meet the conditions, some at a time."""
    after: str | None = None
    while True:
        hits = search(query, after=after, n=n, patience_s=None)
        if hits.rows.ids:
            yield hits.rows
        after = hits.after
        if after is None:
            return
