"""What a page shows of data points: what annotators see of each, cut where it is long."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from adaptml.database.catalogue import OWN
from adaptml.frames import KEYS
from adaptml.gold_labels.core import Point
from adaptml.gold_labels.reading import rows_now
from adaptml.project import Project
from adaptml.tasks import Task

MOST_CHARS = 600
PICTURE, SOUND, FILM = "image", "audio", "video"


@dataclass(frozen=True)
class Part:
    """One column of a point.

    Attributes:
        name: of the column.
        kind: `text`, `number`, `image`, `audio` or `video`, as the task says.
        text: its beginning, or the file that it names; empty where there is nothing.
        cut: whether there is more.
    """

    name: str
    kind: str
    text: str
    cut: bool


def shown(project: Project, task: Task, points: Sequence[Point]) -> dict[Point, list[Part]]:
    """The parts of some points; those that are gone from their tables are not among them."""
    columns = {column.name: column.type for column in task.columns}
    keys = pd.DataFrame(list(dict.fromkeys(points)), columns=KEYS, dtype=object)
    found = rows_now(project, keys, list(columns)) if len(keys) else {}
    return {
        point: [_part(name, columns[name], cell) for name, cell in cells.items()]
        for point, cells in found.items()
    }


def _part(name: str, kind: str, cell: object) -> Part:
    if isinstance(cell, list | tuple | np.ndarray):
        text = ", ".join(map(str, cell))
    else:
        text = "" if cell is None or cell != cell else str(cell)  # NaN is not itself
    if kind in (PICTURE, SOUND, FILM) and "://" in text:
        kind = "text"  # of another machine: the page loads nothing from there
    return Part(name, kind, text[:MOST_CHARS], len(text) > MOST_CHARS)


def data_tables(project: Project, task: Task) -> list[str]:
    """The tables whose rows a task can be about, those with the columns that annotators see first."""
    wanted = {column.name for column in task.columns}
    found = []
    for table in project.database.tables():
        columns = set() if table.startswith(OWN) else set(project.database.columns(table))
        if "id" in columns and "table_name" not in columns:
            found.append((not wanted <= columns, table))
    return [table for _, table in sorted(found)]
