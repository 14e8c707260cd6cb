"""Taking the last change of a task's classes back."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from adaptml.changing_classes import tables
from adaptml.changing_classes.gold import GoldBack, GoldCounts, gold_before, gold_rows
from adaptml.changing_classes.kept import AFTER, BEFORE, Kept, folder_of, kept
from adaptml.changing_classes.report import ClassesChanged
from adaptml.changing_classes.runs import mark_champions
from adaptml.changing_classes.task_file import TaskText
from adaptml.database.writeback import WritebackKind
from adaptml.errors import TaskError
from adaptml.files import replacing
from adaptml.frames import KEYS
from adaptml.gold_labels.home import GoldHome, counting
from adaptml.own_names import own_name
from adaptml.project import Project
from adaptml.tasks import ClassChange
from adaptml.tasks.class_edits import PlannedClass
from adaptml.tasks.loader import parse_task
from adaptml.tasks.mentions import mentions, said_of


def undo(
    project: Project,
    file: TaskText,
    *,
    preview: bool,
    write: Callable[[TaskText], None] | None = None,
) -> ClassesChanged:
    """Take the last change of a task's classes back, see `change_classes`.

    Args:
        project: holds the task.
        file: the task file as it is.
        preview: only say what would happen.
        write: what puts the file of before in its place; by default it is written here.

    Raises:
        TaskError: there is none, or what was before it is not kept here.
    """
    task = file.task
    if not task.class_changes:
        raise TaskError(
            f"the classes of task {task.name!r} were never changed; there is nothing to take back"
        )
    change, place = task.class_changes[-1], kept(project, task.name, len(task.class_changes))
    if not place.exists:
        raise TaskError(
            f"what was before the change of {change.date} is not kept in {place.folder}; it was made on "
            "another machine, or that folder was removed: take it back there, or change the classes once more"
        )
    before = _file_before(file, place, change)
    rows = gold_rows(project, task.name)
    gold = gold_before(rows, place.gold(), task, change)
    there = tables.tables_of(project.results, task.name)
    result = ClassesChanged(
        task=task.name,
        before=(*task.class_names,),
        after=(*before.task.class_names,),
        change=change,
        done=not preview,
        undo=True,
        gold=GoldCounts(len(counting(rows)) if len(rows) else 0),
        lost=len(gold.lost),
        mapped=gold.mapped,
        tables={table: tables.count_labels(project.results, table).total() for table in there.values()},
        mentions=_mentions(before, file, change),
    )
    if not preview:
        _take_back_gold(project, task.name, gold)
        if WritebackKind.ANNOTATIONS in there and len(place.annotations()):
            keys = [*KEYS, "run_id", "annotator"]
            project.results.upsert(
                there[WritebackKind.ANNOTATIONS], place.annotations()[[*keys, "label"]], keys
            )
        tables.take_back(project.results, task.name, change, place.slugs())
        (write or TaskText.write)(before)
        place.remove()
        mark_champions(project, before.task)
    return result


def _mentions(before: TaskText, file: TaskText, change: ClassChange) -> list[str]:
    """Lines of the task's code with names that will be none any more."""
    was = {new: frozenset(names) for new, names in tables.sources(change).items()}
    names = {name for name in file.task.class_names if name not in before.task.meanings and name in was}
    return said_of(mentions(file.task, names), was)


def _file_before(file: TaskText, place: Kept, change: ClassChange) -> TaskText:
    """The task file as it was; where it was edited since, with the classes of before."""
    text, after = place.text(BEFORE), place.text(AFTER)
    if text is not None and file.text == after:
        return file.with_text(text)
    was = None if text is None else parse_task(text, file.path.parent, str(place.folder / BEFORE))
    plain: Any = [] if was is None else was.model_dump(mode="json", exclude_defaults=True)["classes"]
    said = {spec.pop("name"): spec for spec in plain}
    planned: list[PlannedClass] = []
    taken: set[Any] = set()
    for name in change.before:
        first = next(iter(change.targets(name)), None)
        written_as = first if first not in taken and (first == name or first not in change.before) else None
        taken.add(written_as)
        planned.append(PlannedClass(name, written_as))
    positive = None if was is None else was.positive
    return file.changed(planned, positive, file.task.class_changes[:-1], said)


def _take_back_gold(project: Project, task: str, gold: GoldBack) -> None:
    home = GoldHome(project, task)
    if len(gold.lost):
        _write_lost(folder_of(project, task), gold.lost)
        home.take_out(gold.lost)
    if len(gold.changed):
        home.add(gold.changed)


def _write_lost(folder: Path, lost: pd.DataFrame) -> None:
    """Keep what is taken out of gold in a file."""
    wanted = folder / f"taken_out_{datetime.now(UTC):%Y%m%dT%H%M%S}.parquet"
    with replacing(own_name(wanted, lambda _: False, named=False)) as path:
        lost.to_parquet(path, index=False)
