"""Which tasks of an export say what about a point: annotation, adjudication, an earlier wording."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from adaptml.gold_labels.core import differ
from labelstudio.annotations import Key
from labelstudio.export import ADJUDICATION, ExportedTask


@dataclass(frozen=True)
class SortedTasks:
    """The tasks of an export by what they are for.

    Attributes:
        annotation: every point's tasks; those of an earlier wording than the last one that people annotated
            come without their annotations.
        adjudication: finished tasks in which a third person settled what others disagree on.
        earlier: annotations of an earlier wording.
    """

    annotation: Collection[ExportedTask]
    adjudication: Collection[ExportedTask]
    earlier: int


def sort_tasks(tasks: Iterable[ExportedTask]) -> SortedTasks:
    """Tell the tasks of an export apart."""
    annotation: list[ExportedTask] = []
    adjudication: list[ExportedTask] = []
    for task in tasks:
        if task.data.meta_info.purpose != ADJUDICATION:
            annotation.append(task)
        elif _annotated(task):
            adjudication.append(task)
    outdated = _outdated(annotation)
    earlier = sum(len(task.annotations) for task in annotation if id(task) in outdated)
    if outdated:
        annotation = [replace(task, annotations=()) if id(task) in outdated else task for task in annotation]
    return SortedTasks(annotation, adjudication, earlier)


def key_of(task: ExportedTask) -> Key:
    """The point that a task is about."""
    return task.data.meta_info.table_name, task.data.ref_id


def seen_by_point(tasks: Iterable[ExportedTask]) -> dict[Key, dict[str, str]]:
    """Column → hash of what annotators saw of each point, in the last of its tasks with annotations."""
    found: dict[Key, tuple[int, dict[str, str]]] = {}
    for task in tasks:
        place = _place(task)
        if task.annotations and place >= found.get(key_of(task), (-1, {}))[0]:
            found[key_of(task)] = place, task.data.meta_info.seen
    return {key: seen for key, (_, seen) in found.items()}


def _outdated(tasks: Iterable[ExportedTask]) -> set[int]:
    """`id()` of the annotated tasks that show another wording than the last annotated one of their point."""
    by_point: dict[Key, list[ExportedTask]] = defaultdict(list)
    for task in tasks:
        if _annotated(task):
            by_point[key_of(task)].append(task)
    found = set()
    for several in by_point.values():
        last = max(several, key=_place).data.meta_info.seen
        found |= {id(task) for task in several if differ(task.data.meta_info.seen, last)}
    return found


def _annotated(task: ExportedTask) -> bool:
    return any(not annotation.was_cancelled for annotation in task.annotations)


def _place(task: ExportedTask) -> int:
    """Label Studio numbers tasks as they come."""
    return int(task.id) if task.id is not None and str(task.id).isdecimal() else 0
