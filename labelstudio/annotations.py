"""From the tasks of an export to one label set per annotator and point."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import pandas as pd

from adaptml.errors import AnnotationError, listed
from adaptml.frames import KEYS
from adaptml.tasks import Task
from labelstudio.export import Annotation, ExportedTask

NONE_CHOICES = {"none", "n/a"}  # compared without regard to case
_LONG_AGO = datetime.min.replace(tzinfo=UTC)

Key = tuple[str, str]


@dataclass(frozen=True)
class Label:
    """The label set that one annotator gave to one point.

    `classes` is in the order of the task file; () is "about none of the classes".
    """

    key: Key
    annotator: str
    classes: tuple[str, ...]
    time: datetime
    annotation_id: int


@dataclass(frozen=True)
class Annotations:
    """What people said about every point.

    Attributes:
        points: the keys of all points of the export, sorted, labelled or not.
        labels: at most one per point and annotator, sorted.
        counts: how often each thing that needs saying was met, by its name in `process_annotations`.
    """

    points: tuple[Key, ...]
    labels: tuple[Label, ...]
    counts: Counter[str]

    @property
    def annotators(self) -> list[str]:
        """Everybody who labelled a point; numbers in their own order, then names."""
        return sorted({label.annotator for label in self.labels}, key=annotator_order)

    def frame(self) -> pd.DataFrame:
        """`table_name`, `id` and a column per annotator: list of class names, None for a point never seen."""
        given = {(label.key, label.annotator): list(label.classes) for label in self.labels}
        columns = {name: [given.get((key, name)) for key in self.points] for name in self.annotators}
        keys = pd.DataFrame(self.points, columns=KEYS)
        return keys.assign(**{name: pd.Series(cells, dtype=object) for name, cells in columns.items()})


def annotator_order(name: str) -> tuple[bool, int, str]:
    """Sort key: numbers in their own order, then names."""
    return (not name.isdecimal(), int(name) if name.isdecimal() else 0, name)


def collect(tasks: Collection[ExportedTask], task: Task, source: str) -> Annotations:
    """One label set per annotator and point; everything left out on the way is counted.

    Args:
        tasks: tasks of one export, all of this task.
        task: names the classes.
        source: where the tasks came from, for messages.

    Raises:
        AnnotationError: names that are not classes of the task, several classes in a multiclass task,
            several controls that hold the task's classes, or nothing annotated at all.
    """
    counts: Counter[str] = Counter(tasks=len(tasks))
    numbered = {(_key(t), t.id) for t in tasks}
    points = sorted({key for key, _ in numbered})
    counts["repeated_tasks"] = len(tasks) - len(numbered)
    counts["points_in_several_tasks"] = len(numbered) - len(points)
    finished = list(_finished(tasks, counts))
    class_names = task.class_names
    control = _control((annotation for _, annotation in finished), task, source)
    latest: dict[tuple[Key, str], Label] = {}
    for key, annotation in finished:
        label = _label(key, annotation, control, class_names, counts)
        before = latest.get((key, label.annotator))
        counts["superseded"] += before is not None
        if before is None or (label.time, label.annotation_id) > (before.time, before.annotation_id):
            latest[key, label.annotator] = label
    labels = sorted(latest.values(), key=lambda label: (label.key, annotator_order(label.annotator)))
    if not labels:
        raise AnnotationError(
            f"{source} holds {len(points)} points and no finished annotation; annotate some first"
        )
    if task.problem.exclusive:
        _check_single(labels, task, source)
    return Annotations(tuple(points), tuple(labels), counts)


def _key(task: ExportedTask) -> Key:
    return task.data.meta_info.table_name, task.data.ref_id


def _finished(tasks: Iterable[ExportedTask], counts: Counter[str]) -> Iterable[tuple[Key, Annotation]]:
    """Annotations that count, each once, with the key of their point."""
    for key, annotation in _latest_copies(tasks, counts):
        counts["annotations"] += 1
        if annotation.was_cancelled:
            counts["cancelled"] += 1
        elif annotation.annotator is None:
            counts["imported" if annotation.imported else "without_annotator"] += 1
        else:
            if annotation.completed_by not in (None, annotation.annotator):
                counts["claimed"] += 1
            yield key, annotation


def _latest_copies(tasks: Iterable[ExportedTask], counts: Counter[str]) -> list[tuple[Key, Annotation]]:
    """Every annotation once, as it was last changed; one without an id is nobody's copy."""
    kept: dict[tuple[Key, object], Annotation] = {}
    drafts: dict[tuple[Key, object], int] = {}
    for task in tasks:
        key = _key(task)
        drafts[key, task.id] = len(task.drafts)
        for annotation in task.annotations:
            name = (key, object() if annotation.id is None else annotation.id)
            before = kept.get(name)
            counts["repeated_annotations"] += before is not None
            if before is None or _time(annotation) > _time(before):
                kept[name] = annotation
    counts["drafts"] = sum(drafts.values())
    return [(key, annotation) for (key, _), annotation in kept.items()]


def _time(annotation: Annotation) -> datetime:
    """When it was last changed; long ago where that is not on record."""
    time = annotation.updated_at or annotation.created_at or _LONG_AGO
    return time if time.tzinfo is not None else time.replace(tzinfo=UTC)


def _control(annotations: Iterable[Annotation], task: Task, source: str) -> str | None:
    """The name of the Choices control that holds the task's classes; None where there are no choices.

    A labelling page may ask other things too (how sure are you?); what they hold is told apart by the names.

    Raises:
        AnnotationError: unknown names, or several controls that hold classes.
    """
    chosen: dict[str, Counter[str]] = {}
    for annotation in annotations:
        for result in annotation.result:
            if (choices := result.choices) is not None:
                found = chosen.setdefault(result.from_name, Counter())
                for name in choices:
                    found[name] += 1
    classes = set(task.class_names)
    with_classes = [name for name, found in chosen.items() if classes & set(found)]
    with_none = [name for name, found in chosen.items() if any(_is_none(n) for n in found)]
    ours = with_classes or with_none or list(chosen)
    if len(ours) > 1:
        raise AnnotationError(
            f"{source} holds choices of {len(ours)} controls that could be this task's: "
            f"{listed(sorted(ours))}; keep the task's classes in one Choices control of the labelling page"
        )
    if not ours:
        return None
    found = chosen[ours[0]]
    unknown = sorted((name, n) for name, n in found.items() if name not in classes and not _is_none(name))
    if unknown:
        raise AnnotationError(
            f"{source} holds {len(unknown)} names that are not classes of task {task.name!r}: "
            f"{', '.join(f'{name!r} ({count} times)' for name, count in unknown)}; its classes are "
            f"{listed(task.class_names, 20)}: fix the labelling page or the task file"
        )
    return ours[0]


def _is_none(name: str) -> bool:
    return name.strip().casefold() in NONE_CHOICES


def _label(
    key: Key, annotation: Annotation, control: str | None, class_names: Sequence[str], counts: Counter[str]
) -> Label:
    """The label set of one annotation: the union of its results of the control."""
    of_control = [r.choices for r in annotation.result if r.from_name == control]
    results = [choices for choices in of_control if choices is not None]
    chosen = {name for choices in results for name in choices}
    classes = tuple([name for name in class_names if name in chosen])
    counts["several_results"] += len(results) > 1
    counts["other_results"] += len(annotation.result) - len(results)
    if not classes:
        counts["none" if chosen else "without_choice"] += 1
    elif len(chosen) > len(classes):
        counts["none_beside_classes"] += 1
    return Label(key, str(annotation.annotator), classes, _time(annotation), annotation.id or 0)


def _check_single(labels: Sequence[Label], task: Task, source: str) -> None:
    several = [label for label in labels if len(label.classes) > 1]
    if several:
        said = [f"{'/'.join(v.key)} by {v.annotator}: {' + '.join(v.classes)}" for v in several]
        raise AnnotationError(
            f"{source} holds {len(several)} annotations with several classes, and task {task.name!r} is "
            f"multiclass: {listed(said, 3)}; fix them in Label Studio, or set the task to multilabel"
        )
