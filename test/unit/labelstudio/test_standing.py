"""How far each annotator has got, from an export worked out by hand."""

from pathlib import Path
from typing import Any

from adaptml.project import Project
from labelstudio.annotations import collect_any
from labelstudio.export import load_export
from labelstudio.gold import GoldOptions
from labelstudio.points import key_of, sort_tasks
from labelstudio.process_annotations import Export, process_annotations, process_tasks
from labelstudio.standing import AnnotatorStanding, standing_kept, standing_of

USERS = {1: "owner@example.com", 3: "anna@example.com", 4: "ben@example.com", 5: "carla@example.com"}


def export(exported: Any, annotation: Any, write_export: Any) -> Path:
    """3 gave two and skipped one; 4 gave two, of them one after skipping it; 03 is skipped, 04 untouched."""
    skipped = {"result": [], "was_cancelled": True}
    tasks = [
        exported("01", annotation(3, "cat", "dog"), annotation(4, **skipped), annotation(4, "dog")),
        exported("02", annotation(3, "NONE"), annotation(4, "cat")),
        exported("03", annotation(3, **skipped)),
        exported("04"),
    ]
    return Path(write_export(tasks))


def counted(person: AnnotatorStanding) -> tuple[int, int, int, int]:
    return person.asked, person.given, person.skipped, person.left


def test_given_skipped_and_left(exported: Any, annotation: Any, write_export: Any, make_task: Any) -> None:
    task, tasks = make_task(), load_export(export(exported, annotation, write_export))
    of_annotation = sort_tasks(tasks).annotation
    said, _ = collect_any(of_annotation, task, "it")
    found = standing_of(of_annotation, said, task, USERS)
    assert (found.points, found.nobody, found.several) == (4, 2, 2)
    assert {one.name: counted(one) for one in found.people} == {
        "anna@example.com": (4, 2, 1, 1),
        "ben@example.com": (4, 2, 0, 2),
        "carla@example.com": (4, 0, 0, 4),  # has said nothing yet; the owner does not annotate
    }
    anna = found.people[0]
    assert (anna.classes, anna.none) == ({"cat": 1, "dog": 1, "left-wing": 0, "right-wing": 0}, 1)
    own = {"ben@example.com": {key_of(tasks[0]), key_of(tasks[1])}}
    split = standing_of(of_annotation, said, task, USERS, own)
    assert counted(split.people[1]) == (2, 2, 0, 0)


def test_nothing_said_yet(exported: Any, write_export: Any, make_task: Any) -> None:
    task, tasks = make_task(), load_export(write_export([exported("01")]))
    said, any_given = collect_any(tasks, task, "it")
    assert not any_given
    found = standing_of(tasks, said, task)
    assert (found.points, found.nobody, found.several, found.people) == (1, 1, 0, [])


def test_it_is_kept_with_the_names_of_the_last_pull(
    exported: Any, annotation: Any, write_export: Any, make_task: Any, project: Project
) -> None:
    task, path = make_task(), export(exported, annotation, write_export)
    assert standing_kept(project, "zoo") is None
    tasks = Export(load_export(path), "project 1", "x")
    process_tasks(project, task, tasks, GoldOptions("random"), users=USERS)
    process_annotations(project, task, path, "random")  # a file knows numbers alone
    kept = standing_kept(project, "zoo")
    assert kept is not None
    assert [one.name for one in kept.people] == ["anna@example.com", "ben@example.com"]
    assert kept.read_at is not None
    (project.settings.annotations("zoo") / "standing.json").write_text("{}")
    assert standing_kept(project, "zoo") is None
