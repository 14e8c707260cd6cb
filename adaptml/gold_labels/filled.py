"""Gold by hand: reading a spreadsheet that was filled in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from adaptml.errors import FrameError, listed
from adaptml.frames import KEYS, read_frame
from adaptml.gold_labels.core import Origin, Point, read_seen, seen_of, seen_text
from adaptml.gold_labels.reading import rows_now
from adaptml.labelled import GOLD_LABEL, LABEL, flagged_classes, label_sets, renamed
from adaptml.project import Project
from adaptml.tasks import NONE_CHOICE, Task
from adaptml.tasks.class_changes import in_words

SEEN = "seen"


@dataclass(frozen=True)
class Filled:
    """What a spreadsheet says.

    Attributes:
        rows: rows of gold's home, one for each point that has a label.
        empty: rows without a label.
        half: points of which only some classes were filled in.
        absent: labelled points that are in no data table.
    """

    rows: pd.DataFrame
    empty: int
    half: list[Point]
    absent: list[Point]


def read_filled(project: Project, task: Task, path: Path) -> Filled:
    """The labels of a spreadsheet: what counts, and what is left out.

    Args:
        project: holds the data tables.
        task: what the classes are, and which columns people see.
        path: a file with `table_name`, `id` and `label` (or `gold_label`, or a column of 0 and 1 per class),
            as `adaptml.labelled.labelled` reads it; `seen`, where it is there, says what the texts were like.

    Raises:
        FrameError: a file that cannot be read, names that are not classes, several classes where one is asked
            for, or no label at all; nothing is written.
    """
    frame = read_frame(path, typed_by_user=True)
    if GOLD_LABEL not in frame.columns and LABEL in frame.columns:
        frame = frame.rename(columns={LABEL: GOLD_LABEL})
    cells = label_sets(frame, task, GOLD_LABEL, str(path))
    names = renamed([label or [] for label in cells], task)
    labels = [None if cell is None else label for cell, label in zip(cells, names, strict=True)]
    _check(frame, labels, task, str(path))
    some = np.zeros(len(frame), dtype=bool)
    if GOLD_LABEL not in frame.columns:
        some = frame[flagged_classes(frame, task)].notna().any(axis=1).to_numpy()
    given = np.array([label is not None for label in labels], dtype=bool)
    if not given.any():
        raise FrameError(
            f"{path} has {len(frame)} rows and none is filled in; write a class into each row's label, "
            f"{NONE_CHOICE} for none of the classes"
        )
    now = rows_now(project, frame[given], [column.name for column in task.columns])
    rows, absent = _rows(frame[given], [label for label in labels if label is not None], now, path.name)
    if rows.empty:
        raise FrameError(
            f"none of the {len(absent)} labelled points of {path} is in its table: {named(absent)}; see that "
            "table_name and id are as in the database, for a spreadsheet rounds long numbers and drops zeros"
        )
    return Filled(rows, int((~given & ~some).sum()), _points(frame, ~given & some), absent)


def _check(frame: pd.DataFrame, labels: Sequence[list[str] | None], task: Task, source: str) -> None:
    """Refuse names that are not classes, and several classes where one is asked for."""
    classes = set(task.class_names)
    wrong = {
        name: row
        for row, label in reversed([*enumerate(labels)])
        for name in label or []
        if name not in classes
    }
    if wrong:
        points = _points(frame, sorted(wrong.values()))
        raise FrameError(
            f"{source} has {len(wrong)} names that are not classes of task {task.name!r}: "
            f"{listed([_shown(name, task) for name in wrong])}, such as in {named(points)}; its classes are "
            f"{listed(task.class_names, 20)}"
        )
    several = [row for row, label in enumerate(labels) if len(set(label or [])) > 1]
    if task.problem.exclusive and several:
        raise FrameError(
            f"{source} has {len(several)} rows with several classes, and task {task.name!r} is multiclass: "
            f"{named(_points(frame, several))}; leave one class in each"
        )


def _shown(name: str, task: Task) -> str:
    """A name that is no class; what it is now where it was one."""
    return f"{name!r} (now {in_words(task.meanings[name])})" if name in task.meanings else repr(name)


def _rows(
    frame: pd.DataFrame, labels: Sequence[list[str]], now: Mapping[Point, Mapping[str, Any]], source: str
) -> tuple[pd.DataFrame, list[Point]]:
    """Rows of gold's home, and the absent points. What was seen is what the file says, or what is there."""
    told = frame[SEEN].tolist() if SEEN in frame.columns else [None] * len(frame)
    points = _points(frame, slice(None))
    kept = [place for place, point in enumerate(points) if point in now]
    rows = pd.DataFrame([points[place] for place in kept], columns=KEYS, dtype=object)
    rows[LABEL] = pd.Series([labels[place] for place in kept], dtype=object)
    seen = [read_seen(told[place]) or seen_of(now[points[place]]) for place in kept]
    rows[SEEN] = pd.Series([seen_text(record) for record in seen], dtype=object)
    rows = rows.assign(origin=Origin.SPREADSHEET.value, choice=source, who=None, made_at=None)
    return rows, [point for point in points if point not in now]


def _points(frame: pd.DataFrame, rows: Any) -> list[Point]:
    """The points in some rows: a mask, places or a slice."""
    chosen = frame[KEYS].to_numpy()[rows]
    return [(str(table), str(key)) for table, key in chosen]


def named(points: Sequence[Point]) -> str:
    """Points in a message: the first ones, and how many more."""
    return listed([f"{table}/{key}" for table, key in points])
