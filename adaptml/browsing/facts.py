"""What is known of rows beside their columns, asked by condition: which rows, and whether a row is one."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from adaptml.browsing.conditions import EMPTY, FILLED, Condition, compare, number
from adaptml.browsing.paging import fetched
from adaptml.database import Database, cratedb
from adaptml.database.class_slugs import FLAG, PROB
from adaptml.errors import FrameError, listed
from adaptml.gold_labels.home import GoldHome, counting
from adaptml.project import Project
from adaptml.tasks import NONE_CHOICE

LABEL, PREDICTION, GOLD, VOTES = "@label", "@prediction", "@gold", "@votes"
LABEL_PROB, PREDICTED_PROB, VOTE = "@prob:", "@predicted:", "@vote:"
WINDOW_ROWS = 5_000  # of results that one statement looks at
UNCOVERED, DISAGREEMENT = "uncovered", "disagreement"


class Batch(NamedTuple):
    """Ids that meet conditions, and the id behind which the next ones begin (None: there are no more)."""

    ids: Sequence[str]
    after: str | None


class Facts(Protocol):
    """Something that is known of the rows of one table, with the conditions that are put to it."""

    @property
    def lists(self) -> bool:
        """Whether it can list the rows that meet its conditions; false where those are all but a few."""
        ...

    def batch(self, after: str | None, n: int) -> Batch:
        """About n more ids of rows that meet the conditions, behind an id in the order of the facts' own."""
        ...

    def holds(self, ids: Sequence[str]) -> Collection[str]:
        """Those of the ids whose rows meet the conditions."""
        ...


@dataclass(frozen=True, eq=False)
class ListedIds:
    """Rows that were found before: their ids are all there is.

    Attributes:
        ids: in the order in which they are listed, no two alike.
        negated: the conditions hold for all other rows.
    """

    ids: pa.LargeStringArray
    negated: bool = False

    @classmethod
    def of(cls, ids: Iterable[str], *, negated: bool = False) -> "ListedIds":
        """Some ids, sorted."""
        return cls(pa.array(sorted(ids), pa.large_string()), negated)

    @property
    def lists(self) -> bool:
        """See `Facts`."""
        return not self.negated

    def batch(self, after: str | None, n: int) -> Batch:
        """See `Facts`."""
        start = 0 if after is None else pc.index(self.ids, after).as_py() + 1
        ids = self.ids[start : start + n].to_pylist()
        return Batch(ids, ids[-1] if start + n < len(self.ids) else None)

    def holds(self, ids: Sequence[str]) -> Collection[str]:
        """See `Facts`."""
        known = pc.is_in(pa.array(list(ids), pa.large_string()), self.ids).to_pylist()
        return {key for key, there in zip(ids, known, strict=True) if there is not self.negated}


def gold_facts(project: Project, task: str, table: str, conditions: Sequence[Condition]) -> ListedIds:
    """Rows by the gold label that counts.

    Raises:
        DatabaseError: the database refuses.
    """
    rows = GoldHome(project, task).rows()
    rows = rows[rows["table_name"] == table]
    gold = counting(rows) if len(rows) else rows
    labels = dict(zip(gold["id"], map(list, gold["label"]), strict=True))
    holding = {key for key, label in labels.items() if all_hold(conditions, label, {})}
    if all_hold(conditions, None, {}):
        return ListedIds.of(set(labels) - holding, negated=True)
    return ListedIds.of(holding)


@dataclass(frozen=True)
class WrittenFacts:
    """Rows by the newest label or prediction that was written of them, `<task>_labels` or `_predictions`.

    Attributes:
        database: holds the results.
        results: the table.
        slugs: class → slug.
        table: the data table.
        conditions: on the label and on probabilities, all of which hold.
    """

    database: Database
    results: sa.Table
    slugs: Mapping[str, str]
    table: str
    conditions: Sequence[Condition]

    @property
    def lists(self) -> bool:
        """See `Facts`."""
        return not all_hold(self.conditions, None, {})

    def batch(self, after: str | None, n: int) -> Batch:
        """See `Facts`."""
        source = self.results
        clauses = [part for condition in self.conditions if (part := self._clause(condition)) is not None]
        # A window of rows, whether they are meant or not: one statement never reads a whole long table.
        query = sa.select(source.c.id, sa.and_(sa.true(), *clauses).label("may_hold"))
        query = query.where(source.c.table_name == self.table)
        if after is not None:
            query = query.where(source.c.id > after)
        rows = fetched(self.database, query.order_by(source.c.id).limit(WINDOW_ROWS))
        last = rows[-1][0] if len(rows) == WINDOW_ROWS else None
        found = list(dict.fromkeys(row[0] for row in rows if row.may_hold))
        if len(found) > n:
            found, last = found[:n], found[n - 1]
        holding = self.holds(found)
        return Batch([key for key in found if key in holding], last)

    def holds(self, ids: Sequence[str]) -> Collection[str]:
        """See `Facts`."""
        known = newest_results(self.database, self.results, self.slugs, self.table, ids)
        return {
            key
            for key in ids
            if all_hold(
                self.conditions, *((known[key].label, known[key].probs) if key in known else (None, {}))
            )
        }

    def _clause(self, condition: Condition) -> sa.ColumnElement[bool] | None:
        """What rows of any run must be like for the newest to be one; None where that says nothing."""
        name = _class_of(condition)
        if name is None:
            if condition.op != "is" or condition.value == NONE_CHOICE:
                return None
            return self.results.c[FLAG + self._slug(condition.value)] == 1
        found: sa.ColumnElement[bool] = compare(condition.op)(
            self.results.c[PROB + self._slug(name)], sa.literal(float(number(condition)))
        )
        return found

    def _slug(self, name: str) -> str:
        slug = self.slugs.get(name)
        if slug is None or FLAG + slug not in self.results.c:
            raise FrameError(
                f"{name!r} is no class in table {self.results.name}; "
                f"expected one of {listed(list(self.slugs), 20)}"
            )
        return slug


class Result(NamedTuple):
    """A label or prediction that was written of a row: names of classes, class → probability, whose, when."""

    label: list[str]
    probs: dict[str, float]
    run_id: str
    model: str | None
    written_at: Any


def newest_results(
    database: Database, results: sa.Table, slugs: Mapping[str, str], table: str, ids: Sequence[str]
) -> dict[str, Result]:
    """The newest result of each of some rows, as far as there is one."""
    found: dict[str, Result] = {}
    for key, result in all_results(database, results, slugs, table, ids):
        if key not in found or _when(result) >= _when(found[key]):
            found[key] = result
    return found


def all_results(
    database: Database, results: sa.Table, slugs: Mapping[str, str], table: str, ids: Sequence[str]
) -> list[tuple[str, Result]]:
    """Every result of some rows, whatever run it is of, in no order."""
    if not ids:
        return []
    probs = {name: PROB + slug for name, slug in slugs.items() if PROB + slug in results.c}
    names = [
        "id",
        "run_id",
        "label",
        "written_at",
        *(["model"] if "model" in results.c else []),
        *probs.values(),
    ]
    with database.translated(), database.engine.connect() as connection:
        chosen = cratedb.among(connection, results.c.id, list(ids))
    query = sa.select(*(results.c[name] for name in names)).where(results.c.table_name == table, chosen)
    read = []
    for row in fetched(database, query):
        cells = dict(zip(names, row, strict=True))
        of_classes = {name: cells[column] for name, column in probs.items() if cells[column] is not None}
        result = Result(
            list(cells["label"] or []), of_classes, cells["run_id"], cells.get("model"), cells["written_at"]
        )
        read.append((cells["id"], result))
    return read


def _when(result: Result) -> str:
    return str(result.written_at or "")


def all_hold(
    conditions: Iterable[Condition], label: Sequence[str] | None, probs: Mapping[str, float]
) -> bool:
    """Whether conditions hold for a row with this label (None: it has none) and these probabilities."""
    return all(_holds(condition, label, probs) for condition in conditions)


def _holds(condition: Condition, label: Sequence[str] | None, probs: Mapping[str, float]) -> bool:
    name = _class_of(condition)
    if name is not None:
        return name in probs and bool(compare(condition.op)(probs[name], float(number(condition))))
    if condition.op in (EMPTY, FILLED):
        return (label is None) is (condition.op == EMPTY)
    given = label is not None and (condition.value in label or (condition.value == NONE_CHOICE and not label))
    return given is (condition.op == "is")


def _class_of(condition: Condition) -> str | None:
    """The class whose probability a condition asks for; None where it asks for the label."""
    for begin in (LABEL_PROB, PREDICTED_PROB):
        if condition.column.startswith(begin):
            return condition.column.removeprefix(begin)
    return None
