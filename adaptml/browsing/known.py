"""What a task knows of rows: the label, the prediction and the gold label that count."""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from adaptml.browsing.conditions import Condition
from adaptml.browsing.facts import (
    GOLD,
    LABEL,
    LABEL_PROB,
    PREDICTED_PROB,
    PREDICTION,
    Facts,
    Result,
    WrittenFacts,
    gold_facts,
    newest_results,
)
from adaptml.browsing.paging import fetched
from adaptml.database import WritebackKind
from adaptml.database.class_slugs import read_slugs
from adaptml.errors import FrameError
from adaptml.frames import KEYS
from adaptml.gold_labels.home import COLUMNS, GoldHome, counting
from adaptml.project import Project

_RESULTS = {
    WritebackKind.LABELS: (LABEL, LABEL_PROB, "`adaptml label --write`"),
    WritebackKind.PREDICTIONS: (PREDICTION, PREDICTED_PROB, "`adaptml predict --write`"),
}


@dataclass(frozen=True)
class Known:
    """What a task knows of one row.

    Attributes:
        label: the newest label that `label --write` wrote, or None.
        prediction: the newest prediction that `predict --write` wrote, or None.
        gold: names of the gold label's classes, or None.
        origin: where the gold label comes from, or None.
    """

    label: Result | None = None
    prediction: Result | None = None
    gold: list[str] | None = None
    origin: str | None = None


def known_of(project: Project, task: str, table: str, ids: Sequence[str]) -> dict[str, Known]:
    """What is known of some rows, by id.

    Raises:
        DatabaseError: the database refuses.
    """
    labels, predictions = (
        {}
        if (found := results_table(project, task, kind)) is None
        else newest_results(project.results, found[0], found[1], table, ids)
        for kind in _RESULTS
    )
    gold = {key: (label, origin) for key, label, origin in _gold(project, task, table, ids)}
    return {key: Known(labels.get(key), predictions.get(key), *gold.get(key, (None, None))) for key in ids}


def results_table(project: Project, task: str, kind: WritebackKind) -> tuple[sa.Table, dict[str, str]] | None:
    """A task's table of labels or predictions and its slugs (class → slug); None where none was written."""
    database = project.results
    if not database.has_table(f"{task}_{kind}"):
        return None
    slugs = read_slugs(database, task) if database.has_table(f"{task}_classes") else {}
    return database.found_table(f"{task}_{kind}", [*KEYS, "run_id", "label", "written_at"]), slugs


def gold_rows(project: Project, task: str, table: str, ids: Sequence[str]) -> list[tuple[object, ...]]:
    """Gold's rows of some data points, of all origins, with the columns of `gold_labels.home.COLUMNS`."""
    from adaptml.database import cratedb

    home, database = GoldHome(project, task), project.results
    if not ids or not home.exists:
        return []
    if not database.has_table(home.table) or "origin" not in database.columns(home.table):
        rows = home.rows()  # of before
        chosen = rows[(rows["table_name"] == table) & rows["id"].isin(list(ids))]
        return [tuple(row) for row in chosen[COLUMNS].itertuples(index=False)]
    source = database.found_table(home.table, COLUMNS)
    with database.translated(), database.engine.connect() as connection:
        among = cratedb.among(connection, source.c.id, list(ids))
    query = sa.select(*(source.c[name] for name in COLUMNS)).where(source.c.table_name == table, among)
    return [tuple(row) for row in fetched(database, query)]


def _gold(project: Project, task: str, table: str, ids: Sequence[str]) -> list[tuple[str, list[str], str]]:
    """Id, label and origin of the gold labels that count."""
    import pandas as pd

    rows = gold_rows(project, task, table, ids)
    if not rows:
        return []
    frame = pd.DataFrame(
        {
            name: pd.Series(cells, dtype=object)
            for name, cells in zip(COLUMNS, zip(*rows, strict=True), strict=True)
        }
    )
    counted = counting(frame)
    return [
        (str(key), list(label), str(origin))
        for key, label, origin in zip(counted["id"], counted["label"], counted["origin"], strict=True)
    ]


def facts_asked(
    project: Project, task: str | None, table: str, conditions: Sequence[Condition]
) -> list[Facts]:
    """What conditions ask of labels, predictions and gold, one `Facts` each.

    Raises:
        FrameError: a condition without a task, or on results that were never written.
        DatabaseError: the database refuses.
    """
    asked = [condition for condition in conditions if condition.is_fact]
    if asked and task is None:
        raise FrameError(f"condition {str(asked[0])!r} asks for something that a task knows; name a task")
    found: list[Facts] = []
    for kind, (label, prob, step) in _RESULTS.items():
        own = [c for c in asked if c.column == label or c.column.startswith(prob)]
        if own and task is not None:
            written = results_table(project, task, kind)
            if written is None:
                raise FrameError(f"no {kind} of task {task!r} were written yet; {step} writes them")
            found.append(WrittenFacts(project.results, written[0], written[1], table, own))
    of_gold = [condition for condition in asked if condition.column == GOLD]
    if of_gold and task is not None:
        found.append(gold_facts(project, task, table, of_gold))
    return found
