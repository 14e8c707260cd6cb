"""What a run says that should be fixed next, as what JSON can hold."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import pandas as pd

from adaptml.fixing.result import Key
from adaptml.fixing.what_to_fix import what_to_fix
from adaptml.frames import KEYS
from adaptml.project import Project
from adaptml.reports.reading import texts_of_task
from adaptml.tasks import Task

ROWS = 25  # a page of rows
MOST_SLICES = 20
SUSPECTS, DUPLICATES, SLICE = "suspects", "duplicates", "slice"


def read(
    project: Project, *, task: str, run_id: str, show: str, source: str, place: int, start: int
) -> dict[str, Any]:
    """What was found, and one list of it with the texts of its points.

    Args:
        project: holds the run.
        task: the task's name.
        run_id: a run of `train` or `label`.
        show: which list: `suspects` of `source`, `duplicates`, or the wrong points of a `slice` at `place`.
        source: `gold` or `training`.
        place: of a slice.
        start: the first row that is shown.
    """
    spec = project.task(task)
    found = what_to_fix(project, spec, run_id)
    slices = [
        asdict(one) | {"is_clear": one.clear, "wrong": None, "table": one.wrong[0][0] if one.wrong else ""}
        for one in found.slices[:MOST_SLICES]
    ]
    rows: list[dict[str, Any]] = []
    if show == SUSPECTS:
        rows = [asdict(one) for one in found.suspects if one.source == source]
    elif show == DUPLICATES and found.duplicates is not None:
        rows = [asdict(one) | {"differs": one.differs} for one in found.duplicates.pairs]
    elif show == SLICE and place < len(found.slices):
        rows = [{"table_name": table, "id": key} for table, key in found.slices[place].wrong]
    twice = None
    if found.duplicates is not None:
        twice = {name: value for name, value in vars(found.duplicates).items() if name != "pairs"}
    return {
        "n_gold": found.n_gold,
        "n_training": found.n_training,
        "n_suspects": found.n_suspects or {},
        "measure": found.measure,
        "duplicates": twice,
        "slices": slices,
        "n_slices": found.n_slices,
        "total": len(rows),
        "rows": _with_texts(project, spec, rows[start : start + ROWS]),
    }


def _with_texts(project: Project, task: Task, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows with what annotators see of their points, under `texts`, and of the others under `other_texts`."""
    pairs = [(row["table_name"], row["id"]) for row in rows]
    others = [(row["other_table"], row["other_id"]) for row in rows if "other_id" in row]
    known = _texts(project, task, [*pairs, *others])
    for row in rows:
        row["texts"] = known.get((row["table_name"], row["id"]), {})
        if "other_id" in row:
            row["other_texts"] = known.get((row["other_table"], row["other_id"]), {})
    return rows


def _texts(project: Project, task: Task, keys: Sequence[Key]) -> dict[Key, dict[str, str]]:
    if not keys:
        return {}
    frame = pd.DataFrame(list(dict.fromkeys(keys)), columns=KEYS, dtype=str)
    read = texts_of_task(project.database, task)(frame)
    columns = [name for name in read.columns if name not in KEYS]
    cells = read[columns].astype(object).where(read[columns].notna(), None)
    return {
        key: {str(name): _text(cell) for name, cell in zip(columns, row, strict=True)}
        for key, row in zip(
            read[KEYS].itertuples(index=False, name=None),
            cells.itertuples(index=False, name=None),
            strict=True,
        )
    }


def _text(cell: Any) -> str:
    if cell is None:
        return ""
    return ", ".join(map(str, cell)) if isinstance(cell, list | tuple) else str(cell)
