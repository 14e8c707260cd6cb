"""From the tasks of an export to one label set per annotator and point."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from adaptml.errors import AnnotationError, listed
from adaptml.feedback import COMMENT, WORDS
from adaptml.frames import KEYS
from adaptml.tasks import Task
from adaptml.tasks.class_changes import in_words
from labelstudio.controls import chosen_names, control_of_classes, elsewhere
from labelstudio.export import Annotation, ExportedTask
from labelstudio.feedback import Mark, comment_of, is_feedback, marks_of, without_marks_in

_LONG_AGO = datetime.min.replace(tzinfo=UTC)
# What can be found in an export, and what was done about it.
NOTES = {
    "repeated_tasks": "duplicated tasks of the export: read once",
    "points_in_several_tasks": "tasks of a point that another task holds too: their annotations were joined",
    "repeated_annotations": "duplicated annotations of the export: the latest copy counts",
    "drafts": "drafts: left out",
    "cancelled": "cancelled (skipped) annotations: left out",
    "without_annotator": "annotations without an author (a deleted account, or an old export): left out",
    "claims": "annotations without the server's record of who made them (imported, or of an old export): "
    "left out; with --accept-claims they count for those whom they name",
    "accepted_claims": "annotations without the server's record of who made them: they count for those whom "
    "they name",
    "changed_by_others": "annotations that another account changed last: they count as their author's",
    "earlier": "annotations of an earlier wording of their point, which was annotated again: left out",
    "superseded": "annotations of an annotator who annotated the point again: the latest counts",
    "several_results": "annotations with several results: joined into one label set",
    "other_results": "results of other controls: left out",
    "none": "annotations with the choice NONE or N/A: about none of the classes",
    "none_beside_classes": "annotations with NONE beside classes: the classes count",
    "undecided": "answers that no longer say which class it is, since that was split or dropped: left out; "
    "`adaptml annotate push TASK --sampling changed` asks anew",
    "without_choice": "annotations without a choice: about none of the classes",
    "without_class": "annotations without a choice, in a task of one class a point: left out",
    "unknown_marks": "marked words whose label is not, or no longer surely, a class of the task: left out",
    "elsewhere": "annotations with classes in a control that is not Choices, Taxonomy or Labels: left out",
}

Key = tuple[str, str]
Record = tuple[Counter[str], dict[str, Counter[str]]]  # counts and names of what was met, as in `Annotations`


@dataclass(frozen=True)
class Label:
    """The label set that one annotator gave to one point.

    `classes` is in the order of the task file; () is "about none of the classes". `ground_truth` says whether
    it was marked as such in Label Studio. `undecided` are names that were chosen and do not say which class
    it is now; such a label counts as none. `marks` and `comment` are what the annotator said beside it.
    """

    key: Key
    annotator: str
    classes: tuple[str, ...]
    time: datetime
    annotation_id: int
    ground_truth: bool = False
    undecided: tuple[str, ...] = ()
    marks: tuple[Mark, ...] = ()
    comment: str = ""


@dataclass(frozen=True)
class Annotations:
    """What people said about every point.

    Attributes:
        points: the keys of all points of the export, sorted, labelled or not.
        labels: at most one per point and annotator, sorted, in the class names of now.
        counts: how often each thing that needs saying was met, by its name in `NOTES`.
        named: what these things are, where that helps: by the same names, how often each was met.
    """

    points: tuple[Key, ...]
    labels: tuple[Label, ...]
    counts: Counter[str]
    named: dict[str, Counter[str]] = field(default_factory=dict)

    @property
    def annotators(self) -> list[str]:
        """Everybody who labelled a point; numbers in their own order, then names."""
        return sorted({label.annotator for label in self.labels}, key=annotator_order)

    def frame(self) -> pd.DataFrame:
        """`table_name`, `id` and a column per annotator: list of class names, None for a point never seen.

        Where anybody marked words or commented, `adaptml.feedback` says which columns follow.
        """
        given = {(label.key, label.annotator): list(label.classes) for label in self.labels}
        columns = {name: [given.get((key, name)) for key in self.points] for name in self.annotators}
        columns |= self._feedback()
        keys = pd.DataFrame(self.points, columns=KEYS)
        return keys.assign(**{name: pd.Series(cells, dtype=object) for name, cells in columns.items()})

    def _feedback(self) -> dict[str, list[Any]]:
        """What was said beside the labels, by column; empty where nothing was."""
        said = {(label.key, label.annotator): label for label in self.labels if label.marks or label.comment}
        columns: dict[str, list[Any]] = {}
        for name in self.annotators if said else []:
            cells = [said.get((key, name)) for key in self.points]
            columns[f"{name}{WORDS}"] = [
                [{"class": mark.class_name, "column": mark.column, "text": mark.text} for mark in cell.marks]
                if cell and cell.marks
                else None
                for cell in cells
            ]
            columns[f"{name}{COMMENT}"] = [cell.comment or None if cell else None for cell in cells]
        return columns

    def notes(self) -> list[str]:
        """Everything that was met on the way, one line each."""
        return _notes(self.counts, self.named)


def _notes(counts: Counter[str], named: dict[str, Counter[str]]) -> list[str]:
    lines = []
    for name, text in NOTES.items():
        if counts[name]:
            said = [f"{what}, {n} times" for what, n in sorted(named.get(name, {}).items())]
            lines.append(f"{counts[name]} {text}" + (f": {listed(said)}" if said else ""))
    return lines


def annotator_order(name: str) -> tuple[bool, int, str]:
    """Sort key: numbers in their own order, then names."""
    return (not name.isdecimal(), int(name) if name.isdecimal() else 0, name)


def collect(
    tasks: Collection[ExportedTask], task: Task, source: str, *, accept_claims: bool = False
) -> Annotations:
    """One label set per annotator and point; everything left out on the way is counted.

    An annotation is its author's (`completed_by`), also where somebody else changed it last. Authorship that
    is only a claim, because the annotation was imported, counts only where it is accepted.

    Args:
        tasks: tasks of one export, all of this task.
        task: names the classes.
        source: where the tasks came from, for messages.
        accept_claims: take imported annotations for those of whom they name.

    Raises:
        AnnotationError: names that are not classes of the task, several classes in a multiclass task,
            several controls that hold the task's classes, or nothing annotated at all.
    """
    found, any_given = collect_any(tasks, task, source, accept_claims=accept_claims)
    if not any_given:
        reasons = found.notes()
        raise AnnotationError(
            f"{source} holds {len(found.points)} points and no annotation that counts"
            + (f" ({'; '.join(reasons)})" if reasons else ": annotate some first")
        )
    return found


def collect_any(
    tasks: Collection[ExportedTask], task: Task, source: str, *, accept_claims: bool = False
) -> tuple[Annotations, bool]:
    """As `collect`, also where nothing is annotated yet; and whether anything is, undecided or not."""
    counts: Counter[str] = Counter(tasks=len(tasks))
    named: dict[str, Counter[str]] = {}
    given = _given(tasks, task, source, accept_claims, (counts, named))
    numbered = {(_key(t), t.id) for t in tasks}
    points = sorted({key for key, _ in numbered})
    counts["repeated_tasks"] = len(tasks) - len(numbered)
    counts["points_in_several_tasks"] = len(numbered) - len(points)
    labels = tuple([label for label in given if not label.undecided])
    if task.problem.exclusive:
        _check_single(labels, task, source)
    return Annotations(tuple(points), labels, counts, named), bool(given)


def undecided_points(tasks: Collection[ExportedTask], task: Task, source: str) -> list[Key]:
    """Points that somebody's last answer leaves open, since its class was split or dropped; sorted.

    Args:
        tasks, task, source: as for `collect`. Imported annotations count.

    Raises:
        AnnotationError: names or controls that are not the task's.
    """
    given = _given(tasks, task, source, True, (Counter(), {}))
    return sorted({label.key for label in given if label.undecided})


def _given(
    tasks: Collection[ExportedTask], task: Task, source: str, accept_claims: bool, record: Record
) -> list[Label]:
    """The last answer of each annotator to each point, sorted; also those that are undecided."""
    counts, named = record
    finished = list(_finished(tasks, accept_claims, counts, named))
    chosen = [chosen_names(annotation, task.meanings) for _, annotation in finished]
    control = control_of_classes(chosen, task, source)
    latest: dict[tuple[Key, str], tuple[bool, Label]] = {}
    for (key, annotation), names in zip(finished, chosen, strict=True):
        label = _label(key, annotation, names.get(control, []), task, record)
        if label is None:
            continue
        # What somebody else sent or changed never takes the place of what the author said.
        own = annotation.updated_by in (None, annotation.completed_by)
        before = latest.get((key, label.annotator))
        counts["superseded"] += before is not None
        if before is None or _rank(own, label) > _rank(*before):
            latest[key, label.annotator] = own, label
    given = sorted((v for _, v in latest.values()), key=lambda v: (v.key, annotator_order(v.annotator)))
    for name in (name for label in given for name in label.undecided):
        named.setdefault("undecided", Counter())[f"{name!r} is now {in_words(task.meanings[name])}"] += 1
    counts["undecided"] = sum(bool(label.undecided) for label in given)
    return given


def _rank(own: bool, label: Label) -> tuple[bool, datetime, int]:
    return own, label.time, label.annotation_id


def _key(task: ExportedTask) -> Key:
    return task.data.meta_info.table_name, task.data.ref_id


def _finished(
    tasks: Iterable[ExportedTask], accept_claims: bool, counts: Counter[str], named: dict[str, Counter[str]]
) -> Iterable[tuple[Key, Annotation]]:
    """Annotations that count, each once, with the key of their point."""
    for key, annotation in _latest_copies(tasks, counts):
        counts["annotations"] += 1
        author, editor = annotation.completed_by, annotation.updated_by
        if annotation.was_cancelled:
            counts["cancelled"] += 1
        elif author is None:
            counts["without_annotator"] += 1
        elif annotation.claimed and not accept_claims:
            counts["claims"] += 1
        else:
            counts["accepted_claims"] += annotation.claimed
            if editor not in (None, author):
                counts["changed_by_others"] += 1
                named.setdefault("changed_by_others", Counter())[f"{author}'s by {editor}"] += 1
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
                kept[name] = without_marks_in(annotation, task.data.meta_info.absent)
    counts["drafts"] = sum(drafts.values())
    return [(key, annotation) for (key, _), annotation in kept.items()]


def _time(annotation: Annotation) -> datetime:
    """When it was last changed; long ago where that is not on record."""
    time = annotation.updated_at or annotation.created_at or _LONG_AGO
    return time if time.tzinfo is not None else time.replace(tzinfo=UTC)


def _label(
    key: Key,
    annotation: Annotation,
    results: Sequence[Sequence[str]],
    task: Task,
    record: Record,
) -> Label | None:
    """The label set of one annotation, the union of its results of the control; None where it is left out."""
    counts, named = record
    chosen = {name for names in results for name in names}
    now = task.now(sorted(chosen & task.meanings.keys()))
    counts["several_results"] += len(results) > 1
    counts["other_results"] += sum(not is_feedback(r) for r in annotation.result) - len(results)
    marked = {mark: _mark_now(mark, task) for mark in marks_of(annotation)}
    marks = dict.fromkeys(mark for mark in marked.values() if mark is not None)
    counts["unknown_marks"] += sum(mark is None for mark in marked.values())
    if chosen:
        none = len(chosen - task.meanings.keys())
        counts["none"] += none == len(chosen)
        counts["none_beside_classes"] += 0 < none < len(chosen)
    elif found := elsewhere(annotation, task.meanings):
        counts["elsewhere"] += 1
        named.setdefault("elsewhere", Counter()).update(found)
        return None
    elif task.problem.exclusive:  # somebody who means "none of them" chooses NONE
        counts["without_class"] += 1
        return None
    else:
        counts["without_choice"] += 1
    author, time = str(annotation.completed_by), _time(annotation)
    return Label(
        key, author, now.labels, time, annotation.id or 0, annotation.ground_truth, now.undecided,
        tuple(marks), comment_of(annotation),
    )  # fmt: skip


def _mark_now(mark: Mark, task: Task) -> Mark | None:
    """Marked words by the class's name of now; None where that is not certain."""
    possible = task.meanings.get(mark.class_name, frozenset())
    name = next(iter(possible)) if len(possible) == 1 else None
    return None if name is None else mark._replace(class_name=name)


def _check_single(labels: Sequence[Label], task: Task, source: str) -> None:
    several = [label for label in labels if len(label.classes) > 1]
    if several:
        said = [f"{'/'.join(v.key)} by {v.annotator}: {' + '.join(v.classes)}" for v in several]
        raise AnnotationError(
            f"{source} holds {len(several)} annotations with several classes, and task {task.name!r} is "
            f"multiclass: {listed(said, 3)}; fix them in Label Studio, or set the task to multilabel"
        )
