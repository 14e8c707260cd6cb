"""The step `change_classes`: classes are renamed, merged, split, added or dropped, and all else follows.

The task file is the one thing that decides. A change writes it first, for by its list of changes every step
reads the names of before; gold and tables follow, and what was interrupted is finished by the next call.
Taking a change back goes the other way round: the names of before return everywhere, and the task file comes
last. So at every moment each name that is found anywhere means one thing.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from adaptml.changing_classes import tables, undoing
from adaptml.changing_classes.gold import count_gold, follow_gold, gold_rows
from adaptml.changing_classes.kept import Kept, kept
from adaptml.changing_classes.report import ClassesChanged
from adaptml.changing_classes.runs import runs_before, tell_classes
from adaptml.changing_classes.task_file import TaskText
from adaptml.database.class_slugs import keep_slugs
from adaptml.database.writeback import WritebackKind, read_back
from adaptml.errors import AdaptmlError, TaskError
from adaptml.project import Project
from adaptml.tasks import Task
from adaptml.tasks.class_edits import ClassEdits, plan_classes
from adaptml.tasks.mentions import mentions, said_of


def change_classes(
    project: Project,
    task: str | Task,
    *,
    rename: Mapping[str, str] | None = None,
    merge: Mapping[str, Sequence[str]] | None = None,
    split: Mapping[str, Sequence[str]] | None = None,
    add: Sequence[str] = (),
    drop: Sequence[str] = (),
    undo: bool = False,
    preview: bool = False,
) -> ClassesChanged:
    """Change the classes of a task, all at once and said in the names of now.

    The task file is written anew where it is about classes and keeps a list of what became of which name.
    Gold labels, their export and the tables of labels, predictions and annotations get the names of now. What
    was labelled before is read by that list: exports, frames, runs. Points of a class that was split, or in a
    multiclass task dropped, are left out until somebody labels them anew.

    Args:
        project: holds the task.
        task: its name, or the task as it was read.
        rename: name → new name.
        merge: name of what they become → classes; it may be one of them.
        split: name → names of what it becomes.
        add: new classes; they come last.
        drop: classes that are to be no more.
        undo: take the last change back instead.
        preview: only say what would happen.

    Returns:
        What it did or would do; `print` shows it. Without any change, what an interruption left is finished.

    Raises:
        TaskError: no such task, a task without a file, or changes that cannot be made.
        FileError, DatabaseError: something cannot be written; the same call again, or one without a change,
            does the rest.

    Example:
        >>> project.change_classes("spam", rename={"spam": "advert"}).after
        ('ham', 'advert')
        >>> project.change_classes("spam", undo=True).after
        ('ham', 'spam')
    """
    name = task.name if isinstance(task, Task) else task
    file = TaskText.read(project, name)
    edits = ClassEdits(rename or {}, merge or {}, split or {}, add, drop)
    if undo and edits:
        raise TaskError("undo takes the last change back, and a change was given too; ask for one of them")
    if undo:
        return undoing.undo(project, file, preview=preview)
    if not preview:
        _finish(project, file.task)
    if not edits:
        names = (*file.task.class_names,)
        return ClassesChanged(name, names, names, None, done=not preview)
    return _change(project, file, edits, preview)


def _change(project: Project, file: TaskText, edits: ClassEdits, preview: bool) -> ClassesChanged:
    plan = plan_classes(file.task, edits, datetime.now(UTC).date())
    after = file.changed(plan.classes, plan.positive, (*file.task.class_changes, plan.change))
    name, gone = file.task.name, [n for n in file.task.class_names if n not in plan.names]
    there = tables.tables_of(project.results, name)
    result = ClassesChanged(
        task=name,
        before=(*file.task.class_names,),
        after=(*plan.names,),
        change=plan.change,
        done=not preview,
        gold=count_gold(gold_rows(project, name), after.task, plan.change),
        tables={table: tables.count_labels(project.results, table).total() for table in there.values()},
        runs=runs_before(project, name),
        mentions=said_of(mentions(after.task, gone), after.task.meanings),
    )
    if not preview:
        place = kept(project, name, len(after.task.class_changes))
        keep(project, after.task, place, (file.text, after.text))
        try:
            after.write()
        except AdaptmlError:
            place.remove()
            raise
        _finish(project, after.task)
    return result


def keep(project: Project, task: Task, place: Kept, texts: tuple[str, str] | None = None) -> None:
    """Keep what is before a change: gold, annotations, whose columns are whose."""
    kind = WritebackKind.ANNOTATIONS
    there = kind in tables.tables_of(project.results, task.name)
    annotations = read_back(project.results, task, kind) if there else gold_rows(project, task.name).iloc[:0]
    place.keep(
        texts, gold_rows(project, task.name), annotations, tables.read_classes(project.results, task.name)
    )


def _finish(project: Project, task: Task) -> None:
    """Let gold and tables follow the task file, as far as they have not.

    Raises:
        TaskError: they cannot be written; says how to go on.
    """
    places = [kept(project, task.name, number + 1) for number in range(len(task.class_changes))]
    if all(place.done for place in places):
        return
    try:
        for place in places:
            if not place.exists:  # the task file was changed on another machine
                keep(project, task, place)
        _follow(project, task, [not place.done for place in places])
        for place in places:
            place.set_done()
        tell_classes(project, task)
    except AdaptmlError as error:
        raise TaskError(
            f"the task file has the new classes, and every step reads gold and results by them; the tables "
            f"could not all be written yet: {error}; then `adaptml task classes {task.name}` does the rest"
        ) from error


def _follow(project: Project, task: Task, missing: Sequence[bool]) -> None:
    database = project.results
    follow_gold(project, task)
    for change, is_missing in zip(task.class_changes, missing, strict=True):
        if is_missing:
            tables.spread(database, task, task_of(task, change.before))
            tables.follow(database, task.name, change)
    for table in tables.tables_of(database, task.name).values():
        tables.relabel(database, table, lambda label: _now(task, label))
    if tables.read_classes(database, task.name):
        keep_slugs(database, task)


def task_of(task: Task, names: Sequence[str]) -> Task:
    """The task with other classes, as far as tables need it."""
    said = {"name": task.name, "setting": task.setting, "classes": [*names]}
    return Task.model_validate(said)


def _now(task: Task, label: tuple[str, ...]) -> tuple[str, ...]:
    found = task.now(label)
    return label if found.undecided else found.labels
