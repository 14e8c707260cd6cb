"""How the values of a column are spread, on a bounded sample of the rows."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from adaptml.browsing.facts import GOLD, LABEL, PREDICTION
from adaptml.browsing.known import Known, known_of
from adaptml.browsing.paging import fetched
from adaptml.browsing.sample import SAMPLE_ROWS, sample_ids
from adaptml.database import Database, cratedb
from adaptml.database.facts import kind
from adaptml.database.keys import to_column
from adaptml.errors import FrameError, UnknownColumnError, listed
from adaptml.project import Project
from adaptml.reports.charts import Series, bars, histogram
from adaptml.reports.html import Html, joined

MOST_VALUES = 20
VALUE_CHARS = 200  # of a text that is compared with others
CHUNK_IDS = 5_000
NONE_OF_THEM = "(none of the classes)"

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Distribution:
    """How the values of a column are spread.

    Attributes:
        column: its name, or `@label`, `@prediction` or `@gold`.
        of: what the rows are, in words for people, such as `a random sample of 5,000 rows`.
        n: how many rows were looked at.
        missing: in how many of them there is nothing.
        frequent: the most frequent values and their numbers of rows, the most frequent first.
        distinct: how many values there are; of texts, their first 200 characters count.
        numbers: the values of a column of numbers, or lengths of texts in characters; None of others.
        measure: what the numbers are.
        written: how a number is written.
    """

    column: str
    of: str
    n: int
    missing: int
    frequent: Sequence[tuple[str, int]]
    distinct: int
    numbers: Floats | None
    measure: str
    written: Callable[[float], str] = "{:,.6g}".format

    def charts(self) -> Html:
        """A histogram of the numbers, bars of the most frequent values; each where there are some."""
        drawn: list[Html] = []
        if self.numbers is not None and len(self.numbers):
            low, high = float(self.numbers.min()), float(self.numbers.max())
            if high > low:
                drawn.append(
                    histogram(
                        f"{self.column}: {self.measure}",
                        self.numbers,
                        self.measure,
                        (low, high),
                        self.written,
                    )
                )
        if self.frequent and (self.numbers is None or self.frequent[0][1] > 1):
            shares = np.array([count / self.n for _, count in self.frequent])
            texts = [f"{count:,} · {count / self.n:.1%}" for _, count in self.frequent]
            title = f"{self.column}: most frequent values" + (
                f", {len(self.frequent)} of {self.distinct:,}" if self.distinct > len(self.frequent) else ""
            )
            drawn.append(bars(title, [value for value, _ in self.frequent], [Series("rows", shares, texts)]))
        return joined(drawn)


def distribution(
    project: Project, table: str, column: str, *, task: str | None = None, n: int = SAMPLE_ROWS, seed: int = 0
) -> Distribution:
    """How the values of a column are spread, on at most n rows.

    Args:
        project: holds the table.
        table: a data table.
        column: one of its columns; or `@label`, `@prediction` or `@gold` of a task.
        task: whose label it is.
        n: how many rows are looked at.
        seed: the same rows and seed give the same sample.

    Raises:
        UnknownTableError: no such table.
        UnknownColumnError: no such column.
        FrameError: a column of vectors, or a label without a task.
        DatabaseError: the database refuses.
    """
    if column in _OF_TASK:
        return _of_task(project, table, column, task, n, seed)
    database = project.database
    source = database.data_table(table)
    if column not in source.c:
        raise UnknownColumnError(
            f"table {table!r} has no column {column!r}; its columns are {listed(list(source.c.keys()), 20)}"
        )
    what = kind(source.c[column].type)
    if what == "vector":
        raise FrameError(f"column {column!r} of table {table!r} holds vectors; the map shows these")
    chosen = sample_ids(database, table, n, seed)
    rows = _values(database, source, column, chosen.ids)
    return _counted(column, what, chosen.how, rows)


_OF_TASK: dict[str, Callable[[Known], list[str] | None]] = {
    LABEL: lambda known: known.label.label if known.label else None,
    PREDICTION: lambda known: known.prediction.label if known.prediction else None,
    GOLD: lambda known: known.gold,
}


def _of_task(project: Project, table: str, column: str, task: str | None, n: int, seed: int) -> Distribution:
    if task is None:
        raise FrameError(f"{column!r} is what a task knows; name a task")
    chosen = sample_ids(project.database, table, n, seed)
    found = known_of(project, task, table, chosen.ids)
    labels = [_OF_TASK[column](found[key]) for key in chosen.ids]
    values = [name for label in labels if label is not None for name in (label or [NONE_OF_THEM])]
    return _spread(column, chosen.how, len(labels), labels.count(None), values, None, "")


def _values(database: Database, source: sa.Table, column: str, ids: Sequence[str]) -> list[tuple[Any, Any]]:
    """The column's cells, of texts the first characters and their length."""
    cell: sa.ColumnElement[Any] = source.c[column]
    size: sa.ColumnElement[Any] = sa.null()
    if kind(source.c[column].type) == "text":
        size, cell = sa.func.length(cell), sa.func.substr(cell, 1, VALUE_CHARS)
    query = sa.select(cell.label("cell"), size.label("size"))
    rows: list[tuple[Any, Any]] = []
    for start in range(0, len(ids), CHUNK_IDS):
        values = to_column(ids[start : start + CHUNK_IDS], source.c.id.type, database.engine.dialect.name)
        with database.translated(), database.engine.connect() as connection:
            among = cratedb.among(connection, source.c.id, values)
        rows += [(row.cell, row.size) for row in fetched(database, query.where(among))]
    return rows


def _counted(column: str, what: str, how: str, rows: Sequence[tuple[Any, Any]]) -> Distribution:
    there = [(cell, size) for cell, size in rows if cell is not None]
    missing = len(rows) - len(there)
    cells = [cell for cell, _ in there]
    if what == "list of text":
        items = [str(item) for cell in cells for item in cell]
        lengths = np.array([len(cell) for cell in cells], dtype=np.float64)
        return _spread(column, how, len(rows), missing, items, lengths, "items in a list")
    if cells and all(isinstance(cell, datetime | date) for cell in cells):
        days = np.array([cell.toordinal() for cell in cells], dtype=np.float64)
        found = _spread(column, how, len(rows), missing, [], days, "day")
        return Distribution(
            **{**vars(found), "written": lambda day: date.fromordinal(round(day)).isoformat()}
        )
    if what == "number":
        numbers = np.array([float(cell) for cell in cells], dtype=np.float64)
        numbers = numbers[np.isfinite(numbers)]
        few = (
            [f"{value:,.6g}" for value in numbers.tolist()]
            if len(set(numbers.tolist())) <= MOST_VALUES
            else []
        )
        return _spread(column, how, len(rows), missing, few, numbers, "value")
    texts = [str(cell) for cell in cells]
    lengths = np.array(
        [len(text) if size is None else size for text, (_, size) in zip(texts, there, strict=True)],
        np.float64,
    )
    is_class = len(set(texts)) <= MOST_VALUES
    return _spread(column, how, len(rows), missing, texts, None if is_class else lengths, "characters")


def _spread(
    column: str, of: str, n: int, missing: int, values: Sequence[str], numbers: Floats | None, measure: str
) -> Distribution:
    counted = Counter(values)
    frequent = sorted(counted.items(), key=lambda found: (-found[1], found[0]))[:MOST_VALUES]
    return Distribution(column, of, n, missing, frequent, len(counted), numbers, measure)
