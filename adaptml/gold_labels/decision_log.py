"""The table `<task>_gold_decisions`: what people decided about gold points, and what was before."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pandas as pd

from adaptml.project import Project

if TYPE_CHECKING:
    from adaptml.database import Database

KIND = "gold_decisions"
# `was` and `became` are the rows of gold before and since, as JSON, or NULL where there is none.
COLUMNS = [
    *("decision", "table_name", "id", "origin", "was", "became"),
    *("who", "why", "made_at", "undone_by", "undone_at"),
]
KEPT = ["label", "choice", "who", "made_at", "seen"]  # of a row of gold, so that it can be put back
_MOMENTS = ("made_at", "undone_at")

GoldRow = Mapping[str, Any]  # the columns of `KEPT`


def keep(database: "Database", task: str, record: "pd.Series[Any]") -> None:
    """Write a decision, in the place of the one of its number; the table is made with the first one."""
    import sqlalchemy as sa

    types = dict.fromkeys(COLUMNS, sa.Text()) | dict.fromkeys(_MOMENTS, sa.DateTime(timezone=True))
    table = f"{task}_{KIND}"
    database.create_table(table, types, ["decision"])
    database.upsert(table, pd.DataFrame([record], dtype=object), ["decision"])


def records(project: Project, task: str) -> pd.DataFrame:
    """All decisions about a task's gold as they are kept, the last first."""
    import sqlalchemy as sa

    database, table = project.results, f"{task}_{KIND}"
    if table not in database.tables():
        return pd.DataFrame({name: pd.Series(dtype=object) for name in COLUMNS})
    source = database.found_table(table, COLUMNS)
    query = sa.select(*(source.c[name] for name in COLUMNS))
    with database.translated(), database.engine.connect() as connection:
        rows = [tuple(row) for row in connection.execute(query)]
    frame = pd.DataFrame(rows, columns=COLUMNS, dtype=object)
    for name in _MOMENTS:
        moments = [None if at is None else _utc(at) for at in frame[name]]
        frame[name] = pd.Series(moments, index=frame.index, dtype=object)
    return frame.sort_values("made_at", ascending=False, kind="stable", ignore_index=True)


def as_text(row: GoldRow | None) -> str | None:
    """A row of gold as the table keeps it."""
    if row is None:
        return None
    made_at: str | None = None if pd.isna(row["made_at"]) else _utc(row["made_at"]).isoformat()
    return json.dumps({name: row[name] for name in KEPT} | {"label": [*row["label"]], "made_at": made_at})


def as_row(text: str | None) -> dict[str, Any] | None:
    """The reverse of `as_text`."""
    if text is None:
        return None
    row: dict[str, Any] = json.loads(text)
    return row | {"made_at": row["made_at"] and datetime.fromisoformat(row["made_at"])}


def _utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
