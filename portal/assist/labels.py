"""A row's gold label on the page: what it is, which part it belongs to, and what a key press makes of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from adaptml.frames import KEYS
from adaptml.gold_labels.core import RANK, TUNE, Origin, part_of
from adaptml.gold_labels.decisions import Decision, decide, decisions
from adaptml.gold_labels.home import GoldHome
from adaptml.project import Project
from adaptml.tasks import Task

MOST_SHOWN = 5
Point = tuple[str, str]


@dataclass(frozen=True)
class RowLabel:
    """What is known of a row's gold.

    Attributes:
        table, id: the row.
        part: `tune` or `judge`.
        label: its classes; None without a label, or where it is hidden.
        by: who gave the page's label; empty without one.
        decision: the label that was just given; None otherwise.
        before_by: who gave the page's label of before.
        overruled_by: the origin whose label counts more than the page's; empty where there is none.
    """

    table: str
    id: str
    part: str
    label: Sequence[str] | None = None
    by: str = ""
    decision: Decision | None = None
    before_by: str = ""
    overruled_by: str = ""


def row_context(project: Project, task: Task) -> dict[str, Any]:
    """What `rules/_row_actions.html` wants beside a row."""
    return {
        "task": task.name,
        "class_names": task.class_names,
        "exclusive": task.problem.exclusive,
        "part_of": part_of,
        "page_labels": _page_labels(project, task),
    }


def _page_labels(project: Project, task: Task) -> dict[Point, list[str]]:
    """Point → label, of all points that were labelled on the page."""
    home = GoldHome(project, task.name)
    rows = home.rows() if home.exists else None
    if rows is None:
        return {}
    rows = rows[rows["origin"] == Origin.PAGE.value]
    keys = rows[KEYS].itertuples(index=False, name=None)
    return {(str(table), str(key)): [*label] for (table, key), label in zip(keys, rows["label"], strict=True)}


def row_label(project: Project, task: Task, table: str, key: str) -> RowLabel:
    """A row's label for those who write rules.

    A label of the part that judges is hidden, unless it was given on the page, where it was seen.
    """
    part = part_of(table, key)
    mine, who = _labels(project, task, table, key)
    page = mine.pop(Origin.PAGE.value, None)
    highest = max(mine, key=RANK.__getitem__, default="")
    overruled = highest if page is not None and highest and RANK[highest] > RANK[Origin.PAGE] else ""
    shown = page if page is not None and not overruled else mine.get(highest) if part == TUNE else page
    return RowLabel(table, key, part, shown, who.get(Origin.PAGE.value, ""), overruled_by=overruled)


def label_row(project: Project, task: Task, table: str, key: str, name: str, who: str) -> RowLabel:
    """Give a row the label that the key of a class makes; an empty name is none of the classes.

    Raises:
        FrameError: as `decide`.
    """
    before = row_label(project, task, table, key)
    chosen = toggled(before.label, name, task) if name else []
    made = decide(project, task, (table, key), chosen, who=who)
    now = row_label(project, task, table, key)
    return replace(now, label=made.label, decision=made, before_by=before.by)


def toggled(label: Sequence[str] | None, name: str, task: Task) -> list[str]:
    """The label after the key of a class: in a multiclass task that class, else with it or without it."""
    if task.problem.exclusive:
        return [name]
    now = list(label or [])
    return [other for other in now if other != name] if name in now else [*now, name]


def my_last(project: Project, task: Task, who: str) -> list[Decision]:
    """What a person labelled last on the page, and did not take back."""
    found = [
        one
        for one in decisions(project, task)
        if one.who == who and one.origin == Origin.PAGE and one.undone_by is None
    ]
    return found[:MOST_SHOWN]


def _labels(
    project: Project, task: Task, table: str, key: str
) -> tuple[dict[str, list[str]], dict[str, str]]:
    """Origin → label, and origin → who gave it."""
    home = GoldHome(project, task.name)
    if not home.exists:
        return {}, {}
    rows = home.rows()
    rows = rows[(rows["table_name"] == table) & (rows["id"] == key)]
    labels = {origin: [*label] for origin, label in zip(rows["origin"], rows["label"], strict=True)}
    return labels, {origin: who or "" for origin, who in zip(rows["origin"], rows["who"], strict=True)}
