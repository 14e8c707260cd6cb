"""What a person decides about a gold point: settle, change, remove, take back; with who, when and why."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Lock
from typing import Any

import pandas as pd

from adaptml.errors import FrameError, listed
from adaptml.frames import KEYS
from adaptml.gold_labels.core import Origin, Point, seen_of, seen_text
from adaptml.gold_labels.decision_log import COLUMNS, KEPT, as_row, as_text, keep, records
from adaptml.gold_labels.home import ROW_KEYS, GoldHome
from adaptml.gold_labels.reading import rows_now
from adaptml.labelled import renamed
from adaptml.project import Project
from adaptml.tasks import Task

BY_HAND = "by hand"  # the choice of a row that was decided about by itself
_writing = Lock()  # gold is read and then written: one at a time


@dataclass(frozen=True)
class Decision:
    """One decision about the label of a point.

    Attributes:
        number: names the decision.
        point: `table_name` and `id`.
        origin: of the label that was given or removed.
        before: the label of that origin until then; None where there was none.
        label: the label since; None where it was removed.
        who: the person who decided.
        why: the reason, in that person's words; empty where none was given.
        made_at: when, UTC.
        undone_by: who took it back; None where it stands.
        undone_at: when, UTC.
    """

    number: str
    point: Point
    origin: Origin
    before: list[str] | None
    label: list[str] | None
    who: str
    why: str
    made_at: datetime
    undone_by: str | None
    undone_at: datetime | None

    def __str__(self) -> str:
        said = "removed" if self.label is None else " + ".join(self.label) or "none of the classes"
        what = "" if self.before is None else f", before {' + '.join(self.before) or 'none of the classes'}"
        why = f": {self.why}" if self.why else ""
        day = self.made_at.strftime("%Y-%m-%d %H:%M")
        return f"{'/'.join(self.point)} {said} ({self.origin}{what}) by {self.who}, {day}{why}"


def decide(
    project: Project,
    task: Task | str,
    point: Point,
    label: Sequence[str],
    *,
    who: str,
    why: str = "",
    origin: Origin = Origin.PAGE,
) -> Decision:
    """Give a point a gold label, in the place of an earlier one of the same origin.

    Args:
        project: holds gold and the data table.
        task: a task or its name.
        point: `table_name` and `id` of a row that is there.
        label: class names, one in a multiclass task; none for none of the classes.
        who: the person who decides.
        why: the reason.
        origin: `page` for somebody who looked at the point, `adjudication` for somebody who settles what
            annotators differ on, which counts more.

    Raises:
        FrameError: no name of the person, names that are not classes, several classes where one is asked for,
            or a point that is not in its table. Nothing is written then.
        DatabaseError: the database refuses.

    Example:
        >>> from adaptml.gold_labels.decisions import decide
        >>> decide(project, "spam", ("comments", "s1"), ["spam"], who="anna").before is None
        True
    """
    task = project.task(task)
    label = _checked(label, task)
    cells = rows_now(project, _keys([point]), [column.name for column in task.columns]).get(point)
    if cells is None:
        raise FrameError(f"{point[0]}/{point[1]} is not in its table any longer; label another point")
    row = {"label": label, "choice": BY_HAND, "who": _named(who), "seen": seen_text(seen_of(cells))}
    return _write(project, task, (*point, origin), row, who, why)


def remove(
    project: Project, task: Task | str, point: Point, origin: Origin, *, who: str, why: str = ""
) -> Decision:
    """Remove the label of one origin from a point; one of a lower origin then counts again.

    What annotators said is not brought back by a later pull, unless they say it anew.

    Raises:
        FrameError: no name of the person, or no label of that origin.
        DatabaseError: the database refuses.
    """
    return _write(project, project.task(task), (*point, origin), None, who, why)


def undo(project: Project, task: Task | str, number: str, *, who: str) -> Decision:
    """Take a decision back: the label of before is there again. The decision stays on record.

    Args:
        project: holds gold.
        task: a task or its name.
        number: of a decision that stands.
        who: the person who takes it back.

    Raises:
        FrameError: no such decision, one that was taken back already, or one after which somebody decided
            about the same label again.
        DatabaseError: the database refuses.
    """
    task = project.task(task)
    with _writing:
        log = records(project, task.name)
        found = log[log["decision"] == number]
        if found.empty:
            raise FrameError(f"task {task.name!r} has no decision {number!r}; it may have been forgotten")
        record = found.iloc[0]
        if record["undone_by"] is not None:
            raise FrameError(f"that decision was taken back already, by {record['undone_by']}")
        same = (log[ROW_KEYS] == record[ROW_KEYS]).all(axis=1) & log["undone_by"].isna()
        last = log[same].iloc[0]
        if last["decision"] != number:
            raise FrameError(
                f"{last['who']} decided about {record['table_name']}/{record['id']} again since; take that "
                "back first"
            )
        now = record.copy()
        now["undone_by"], now["undone_at"] = _named(who), datetime.now(UTC)
        _put(project, task, tuple(record[ROW_KEYS]), as_row(record["was"]))
        keep(project.results, task.name, now)
    return _decision(now, task)


def decisions(project: Project, task: Task | str, point: Point | None = None) -> list[Decision]:
    """All decisions about a task's gold, or about one point, the last first; labels by the names of now.

    Raises:
        DatabaseError: the database refuses.
    """
    task = project.task(task)
    log = records(project, task.name)
    if point is not None:
        log = log[(log["table_name"] == point[0]) & (log["id"] == point[1])]
    return [_decision(record, task) for _, record in log.iterrows()]


def as_decided(project: Project, task: Task, rows: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Rows that are about to replace all of their origins, as people's decisions leave them.

    What was said last counts: a decision holds against a row that was made before it and gives way to one
    that was made since.

    Args:
        project: holds the decisions.
        task: the task.
        rows: rows of gold, some of each of their origins.

    Returns:
        The rows, and how many of them a decision changed or left out.
    """
    log = records(project, task.name)
    standing = log[log["undone_by"].isna() & log["origin"].isin(set(rows["origin"]))]
    if standing.empty:
        return rows, 0
    last = standing.drop_duplicates(ROW_KEYS)
    said_at = dict(zip(_row_keys(rows), pd.to_datetime(rows["made_at"], utc=True), strict=True))
    since = zip(_row_keys(last), last["made_at"], strict=True)
    holds = last[[not said_at.get(key, pd.NaT) > at for key, at in since]]  # NaT is later than nothing
    keys = pd.MultiIndex.from_frame(holds[ROW_KEYS])
    kept = rows[~pd.MultiIndex.from_frame(rows[ROW_KEYS]).isin(keys)]
    put = [
        dict(zip(ROW_KEYS, key, strict=True)) | row
        for key, text in zip(keys, holds["became"], strict=True)
        if (row := as_row(text)) is not None
    ]
    if not put:
        return kept.reset_index(drop=True), len(rows) - len(kept)
    new = pd.DataFrame(put, dtype=object)
    new["label"] = pd.Series(renamed(new["label"], task), dtype=object)
    return pd.concat([kept, new[rows.columns]], ignore_index=True), len(rows) - len(kept)


def _write(
    project: Project, task: Task, key: tuple[str, str, Origin], row: dict[str, Any] | None, who: str, why: str
) -> Decision:
    """Write or remove a row of gold, and the decision."""
    moment, person = datetime.now(UTC), _named(who)
    now = None if row is None else row | {"made_at": moment}
    with _writing:
        was = _row(project, task, key)
        if was is None and now is None:
            raise FrameError(
                f"{key[0]}/{key[1]} has no gold label by {key[2]}; it may have been removed already"
            )
        record = pd.Series(
            [uuid.uuid4().hex, *map(str, key), as_text(was), as_text(now),
             person, why.strip() or None, moment, None, None],
            index=COLUMNS, dtype=object,
        )  # fmt: skip
        _put(project, task, key, now)
        keep(project.results, task.name, record)
    return _decision(record, task)


def _row(project: Project, task: Task, key: Sequence[str]) -> dict[str, Any] | None:
    """What gold says of a point by one origin."""
    rows = GoldHome(project, task.name).rows()
    mine = (rows[ROW_KEYS] == [*map(str, key)]).all(axis=1)
    return dict(rows.loc[mine, KEPT].iloc[0]) if mine.any() else None


def _put(project: Project, task: Task, key: Sequence[str], row: dict[str, Any] | None) -> None:
    home = GoldHome(project, task.name)
    keys = dict(zip(ROW_KEYS, map(str, key), strict=True))
    if row is None:
        home.take_out(pd.DataFrame([keys], dtype=object))
    else:
        label = pd.Series([row["label"]], dtype=object)
        home.add(pd.DataFrame([keys | row | {"label": None}], dtype=object).assign(label=label))


def _decision(record: "pd.Series[Any]", task: Task) -> Decision:
    was, became = (
        None if row is None else renamed([row["label"]], task)[0]
        for row in (as_row(record["was"]), as_row(record["became"]))
    )
    return Decision(
        record["decision"], (record["table_name"], record["id"]), Origin(record["origin"]), was, became,
        record["who"], record["why"] or "", record["made_at"], record["undone_by"], record["undone_at"],
    )  # fmt: skip


def _checked(label: Sequence[str], task: Task) -> list[str]:
    """The label in the task's order, without duplicates."""
    wrong = [name for name in label if name not in task.class_names]
    if wrong:
        raise FrameError(
            f"{listed(wrong)} is no class of task {task.name!r}; its classes are "
            f"{listed(task.class_names, 20)}"
        )
    chosen = [name for name in task.class_names if name in label]
    if task.problem.exclusive and len(chosen) > 1:
        raise FrameError(f"{listed(chosen)} were given, and task {task.name!r} is multiclass; give one class")
    return chosen


def _named(who: str) -> str:
    if not who.strip():
        raise FrameError("no name was given; a gold label says who gave it: name yourself")
    return who.strip()


def _keys(points: Sequence[Point]) -> pd.DataFrame:
    return pd.DataFrame(points, columns=KEYS, dtype=object)


def _row_keys(rows: pd.DataFrame) -> list[tuple[str, ...]]:
    return [*rows[ROW_KEYS].itertuples(index=False, name=None)]
