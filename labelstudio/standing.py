"""How far each annotator has got: given, skipped, left, and which classes; by name."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from adaptml.gold_labels.annotators import STANDING
from adaptml.project import Project
from adaptml.tasks import Task
from labelstudio.annotations import Annotations, Key, annotator_order, collect_any
from labelstudio.export import ExportedTask
from labelstudio.parts import Linked, linked_projects
from labelstudio.points import key_of, sort_tasks
from labelstudio.sync import refresh


@dataclass(frozen=True)
class AnnotatorStanding:
    """How far one annotator has got.

    Attributes:
        annotator: number of the account, as `ann_df` names the column.
        name: e-mail address of the account; empty where it is not on record.
        asked: points that this person is asked about.
        given: points labelled.
        skipped: points skipped and not labelled.
        classes: class → on how many points it was given, in the task's order.
        none: points said to be about none of the classes.
    """

    annotator: str
    name: str
    asked: int
    given: int
    skipped: int
    classes: dict[str, int]
    none: int

    @property
    def left(self) -> int:
        """Points neither labelled nor skipped."""
        return max(0, self.asked - self.given - self.skipped)


@dataclass(frozen=True)
class Standing:
    """How far annotation has got.

    Attributes:
        points: points that were sent.
        nobody: points that nobody labelled.
        several: points that two or more people labelled.
        people: the annotators, in the order of their numbers.
        read_at: when this was read, UTC; None where that is just now.
    """

    points: int
    nobody: int
    several: int
    people: list[AnnotatorStanding]
    read_at: datetime | None = None


def standing_of(
    tasks: Collection[ExportedTask],
    annotations: Annotations,
    task: Task,
    users: Mapping[int, str] | None = None,
    asked: Mapping[str, AbstractSet[Key]] | None = None,
) -> Standing:
    """How far each annotator has got with some tasks.

    Args:
        tasks: tasks of annotation.
        annotations: what they say, as `labelstudio.annotations.collect` gives it.
        task: names the classes.
        users: e-mail addresses of all accounts by number: those who said nothing yet are counted too, but for
            the owner, which is the one with the lowest number. None where they are not known.
        asked: e-mail address → the points of whoever has a project of their own.
    """
    given: dict[str, dict[Key, tuple[str, ...]]] = defaultdict(dict)
    for label in annotations.labels:
        given[label.annotator][label.key] = label.classes
    skipped: dict[str, set[Key]] = defaultdict(set)
    for one in tasks:
        for said in one.annotations:
            if said.was_cancelled and said.completed_by is not None:
                skipped[str(said.completed_by)].add(key_of(one))
    known = {str(number): email for number, email in (users or {}).items()}
    owner = str(min(users)) if users else ""
    people = []
    for person in sorted({*given, *skipped, *known}, key=annotator_order):
        if person == owner and not (given[person] or skipped[person]):
            continue
        name = known.get(person, "")
        counts = Counter(found for label in given[person].values() for found in label)
        people.append(
            AnnotatorStanding(
                person,
                name,
                len((asked or {}).get(name, annotations.points)),
                len(given[person]),
                len(skipped[person] - set(given[person])),
                {found: counts[found] for found in task.class_names},
                sum(not label for label in given[person].values()),
            )
        )
    by_point = Counter(label.key for label in annotations.labels)
    several = sum(n > 1 for n in by_point.values())
    n = len(annotations.points)
    return Standing(n, n - len(by_point), several, people)


def standing_now(project: Project, task: Task | str, *, accept_claims: bool = False) -> Standing:
    """How far annotation has got in Label Studio at this moment; gold stays as it was pulled.

    Raises:
        LabelStudioError: Label Studio refuses, is away for long, or has no project of the task.
        AnnotationError: what was annotated cannot be used.
    """
    task = project.task(task)
    with linked_projects(project, task) as linked:
        for one in linked:
            refresh(one.project)
        source = "Label Studio"
        tasks = [found for one in linked for found in one.project.copy.tasks(source)]
        of_annotation = sort_tasks(tasks).annotation
        said, _ = collect_any(of_annotation, task, source, accept_claims=accept_claims)
        users = linked[0].project.studio.users()
        return standing_of(of_annotation, said, task, users, asked_of(linked))


def asked_of(linked: Collection[Linked]) -> dict[str, set[Key]]:
    """E-mail address → the points in the project of whoever has one, as the local copies have them."""
    return {
        one.person.email: {key_of(task) for task in one.project.copy.tasks("Label Studio")}
        for one in linked
        if one.person is not None
    }


def standing_kept(project: Project, task: str) -> Standing | None:
    """How far annotation had got when it was last pulled or processed; None where that is not on record."""
    path = project.settings.annotations(task) / STANDING
    try:
        found = TypeAdapter(Standing).validate_json(path.read_bytes())
        return replace(found, read_at=datetime.fromtimestamp(path.stat().st_mtime, UTC))
    except (FileNotFoundError, ValidationError):
        return None


def with_names(found: Standing, before: Standing | None) -> Standing:
    """The same with the names that were known before, where it has none itself."""
    names = {person.annotator: person.name for person in before.people} if before else {}
    people = [replace(one, name=one.name or names.get(one.annotator, "")) for one in found.people]
    return replace(found, people=people)


def write_standing(found: Standing, path: Path) -> None:
    """Write it to a file; the file itself says when."""
    path.write_bytes(TypeAdapter(Standing).dump_json(found, indent=1, exclude={"read_at"}))
