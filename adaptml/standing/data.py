"""What the database and the project's files say of where a task stands; no run is looked at."""

import json
from math import isfinite
from pathlib import Path

from adaptml.browsing.counts import count_rows
from adaptml.database.catalogue import OWN
from adaptml.errors import AdaptmlError, FrameError
from adaptml.features.catalogue import split_reference
from adaptml.frames import KEYS
from adaptml.gold_labels.core import JUDGE
from adaptml.gold_labels.reading import gold_labels, undecided
from adaptml.project import Project
from adaptml.standing.core import AgreementStands, DataStands, GoldStands
from adaptml.tasks import Task
from adaptml.tasks.scaffold import PLACEHOLDERS


def data_standing(project: Project, task: Task, table: str | None = None) -> DataStands:
    """What the database and the project's files say.

    Args:
        project: holds them.
        task: the task.
        table: the data table that it is about; default: of those that have its columns, the largest.

    Returns:
        What was found; a database that does not answer is its `problem`.
    """
    unguided = tuple(spec.name for spec in task.classes if spec.description in ("", *PLACEHOLDERS))
    agreement = _agreement(project.settings.annotations(task.name) / "agreement.json")
    try:
        fitting = task_tables(project, task)
        counts = {name: count_rows(project.database, name) for name in fitting}
        if table not in counts:
            table = max(counts, key=lambda name: counts[name].rows, default=None)
        return DataStands(
            table=table,
            points=None if table is None else counts[table],
            unmade=() if table is None else _unmade(project, task, table),
            unguided=unguided,
            gold=_gold(project, task),
            agreement=agreement,
        )
    except AdaptmlError as error:
        return DataStands(unguided=unguided, agreement=agreement, problem=str(error))


def data_tables(project: Project) -> list[str]:
    """The tables and views of data points, without those that steps made.

    Raises:
        DatabaseError: the database does not answer.
    """
    found = []
    for table in project.database.tables():
        if not table.startswith(OWN):
            columns = project.database.columns(table)
            if "id" in columns and not set(KEYS) <= set(columns):
                found.append(table)
    return found


def task_tables(project: Project, task: Task) -> list[str]:
    """The data tables that have every column which the task shows and computes features of.

    Raises:
        DatabaseError: the database does not answer.
    """
    made = {name for part in task.featurize for name in part.makes}
    wanted = {column.name for column in task.columns} | {part.text for part in task.featurize} - made
    return [table for table in data_tables(project) if wanted <= set(project.database.columns(table))]


def _unmade(project: Project, task: Task, table: str) -> tuple[str, ...]:
    """What rules and models read that is neither a column nor a feature with values."""
    there = set(project.points.columns(table))
    wanted = dict.fromkeys([*task.lf_features, *task.model_features])
    return tuple(name for name in wanted if split_reference(name)[0] not in there)


def _gold(project: Project, task: Task) -> GoldStands:
    try:
        gold = gold_labels(project, task.name)
    except FrameError:  # there is none
        return GoldStands()
    frame = gold.frame
    again = frame["changed"].eq(True) | undecided(frame, task)
    return GoldStands(
        points=len(frame),
        judging=int(frame["part"].eq(JUDGE).sum()),
        again=int(again.sum()),
        gone=len(gold.gone),
    )


def _agreement(path: Path) -> AgreementStands | None:
    """What the last report of agreement says; one that cannot be read counts as none."""
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        alpha = said["alphas"][said["measure"]]
        value, low, high = (_number(alpha[name]) for name in ("value", "low", "high"))
        return AgreementStands(
            alpha=value, low=low, high=high, points=said["compared"], verdict=said["verdict"]
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _number(value: float | None) -> float | None:
    return value if value is not None and isfinite(value) else None
