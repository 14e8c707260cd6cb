"""Gold labels as the steps use them: those that count, of points that are still there."""

import logging
from dataclasses import dataclass
from typing import Any

import pandas as pd

from adaptml.errors import AnnotationError, FrameError, UnknownTableError
from adaptml.frames import GONE, KEYS
from adaptml.gold_labels.core import Point, cell_hash, differ, read_seen
from adaptml.gold_labels.home import GoldHome, counting
from adaptml.labelled import GOLD_LABEL, in_names_of_now
from adaptml.project import Project
from adaptml.tasks import Task

UNKNOWN = "unknown"
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class GoldLabels:
    """A task's gold labels.

    Attributes:
        frame: one row a point that is still in its table: `table_name`, `id`, `gold_label` (list of class
            names), `origin`, `choice`, `who`, `made_at`, `part` (`tune` or `judge`) and `changed`: whether
            the point reads otherwise than what was labelled; None where that is not on record.
        gone: `table_name` and `id` of gold points that are no longer in their table.
        overruled: rows of a lower origin, of points that have one of a higher origin.

    Example:
        >>> gold = project.gold("spam")
        >>> gold.changed, len(gold.gone)
        (0, 0)
    """

    frame: pd.DataFrame
    gone: pd.DataFrame
    overruled: int

    @property
    def changed(self) -> int:
        """How many points read otherwise than what was labelled."""
        return int(self.frame["changed"].eq(True).sum())


def gold_labels(project: Project, task_name: str) -> GoldLabels:
    """A task's gold labels, compared with the rows of their tables as they are now.

    Args:
        project: holds gold and the data tables.
        task_name: whose gold.

    Raises:
        FrameError: the task has no gold.
        DatabaseError: the database refuses.
    """
    home = GoldHome(project, task_name)
    rows = home.rows() if home.exists else None
    if rows is None or rows.empty:
        path = project.settings.gold(task_name)
        raise FrameError(
            f"the task {task_name!r} has no gold labels: no table {home.table} with any and no file {path}; "
            "make them with `adaptml process-annotations`, by hand with "
            f"`adaptml gold {task_name} --template 50`, or name a frame"
        )
    gold = counting(rows)
    changed = pd.Series(_changed(project, gold), index=gold.index, dtype=object)
    there = changed.notna()
    frame = gold.rename(columns={"label": GOLD_LABEL}).drop(columns="seen")
    frame["changed"] = changed.where(changed != UNKNOWN, None)
    return GoldLabels(
        frame[there].reset_index(drop=True),
        gold.loc[~there, KEYS].reset_index(drop=True),
        len(rows) - len(gold),
    )


def _changed(project: Project, gold: pd.DataFrame) -> list[bool | str | None]:
    """For each point whether it changed since it was seen, "unknown", or None where it is gone."""
    seen = [read_seen(text) for text in gold["seen"]]
    now = rows_now(project, gold, sorted(set().union(*seen)))
    found: list[bool | str | None] = []
    for point, was in zip(gold[KEYS].itertuples(index=False, name=None), seen, strict=True):
        cells = now.get(point)
        shown = {} if cells is None else {name: cell_hash(cells[name]) for name in was if name in cells}
        found.append(None if cells is None else differ(was, shown) if shown else UNKNOWN)
    return found


def rows_now(project: Project, keys: pd.DataFrame, columns: list[str]) -> dict[Point, dict[str, Any]]:
    """Point → column → cell, of the points that are there, as far as their tables have the columns."""
    found: dict[Point, dict[str, Any]] = {}
    for name, group in keys.groupby("table_name", sort=False):
        table = str(name)
        try:
            there = set(project.database.columns(table)) if columns else set()
            wanted = [column for column in columns if column in there]
            rows = project.database.read(group[KEYS], wanted, skip_missing=True)
        except UnknownTableError:
            continue
        cells = {column: rows[column].tolist() for column in wanted}
        for place, key in enumerate(rows["id"]):
            found[table, key] = {column: values[place] for column, values in cells.items()}
    return found


def changed_points(project: Project, task: Task, n: int | None = None) -> pd.DataFrame:
    """`table_name` and `id` of the first n gold points (all for None) that have to be asked about again.

    They read otherwise than when they were labelled, or a class of theirs was split or dropped since.

    Raises:
        AnnotationError: there is none.
        FrameError, DatabaseError: as `gold_labels`.
    """
    found = gold_labels(project, task.name).frame
    wanted = found["changed"].eq(True) | undecided(found, task)
    changed = found.loc[wanted, KEYS].head(len(found) if n is None else n)
    if changed.empty:
        raise AnnotationError(f"no gold point of task {task.name!r} has changed since it was labelled")
    return changed.reset_index(drop=True)


def undecided(frame: pd.DataFrame, task: Task) -> "pd.Series[bool]":
    """Which gold points do not say which class they are now; `frame` has `gold_label`."""
    now = in_names_of_now([[*label] for label in frame[GOLD_LABEL]], task)
    return pd.Series([bool(found.undecided) for found in now], index=frame.index, dtype=bool)


def gold_frame(project: Project, task_name: str) -> pd.DataFrame:
    """What `--gold task` reads: `gold_df` of the points that are still there; what is odd becomes a warning.

    Args:
        project, task_name: as `gold_labels`.

    Raises:
        FrameError: the task has no gold, or no point of it is there any longer.
        DatabaseError: the database refuses.
    """
    gold = gold_labels(project, task_name)
    if gold.frame.empty:
        raise FrameError(
            f"none of the {len(gold.gone)} gold points of task {task_name!r} is in its table any longer; "
            "load the rows again, or annotate others"
        )
    if len(gold.gone):
        gold.frame.attrs[GONE] = len(gold.gone)
        _log.warning("%d gold points are no longer in their tables and are left out", len(gold.gone))
    if gold.changed:
        _log.warning(
            "%d gold points have changed since they were labelled; ask again: `adaptml annotate push %s "
            "--sampling changed`, or `adaptml gold %s --changed`",
            gold.changed, task_name, task_name,
        )  # fmt: skip
    return gold.frame
