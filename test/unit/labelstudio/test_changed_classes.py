"""Annotations of before a change of the classes: read in the names of now, or asked anew."""

from datetime import date
from typing import Any

import pandas as pd
import pytest
import sqlalchemy as sa

from adaptml.errors import AnnotationError, LabelStudioError
from adaptml.frames import write_frame
from adaptml.gold_labels.core import Origin
from adaptml.gold_labels.home import GoldHome
from adaptml.project import Project
from adaptml.tasks import Task
from adaptml.tasks.annotating import label_config
from adaptml.tasks.class_edits import ClassEdits, plan_classes
from labelstudio.agreement import measure_agreement
from labelstudio.annotations import collect
from labelstudio.changed import ask_again
from labelstudio.disputed import disputed_points
from labelstudio.export import ADJUDICATION, parse_export
from labelstudio.gold import GoldOptions
from labelstudio.local_copy import LocalCopy
from labelstudio.parts import Linked, Part
from labelstudio.process_annotations import Export, process_annotations, process_tasks
from labelstudio.project import Person, check_page
from labelstudio.sync import LinkedProject

OLD = "cat dog bird wolf"
# wolf was merged into dog; bird was split; cat was dropped.
CHANGE = {
    "date": "2026-11-26", "before": OLD.split(), "becomes": {"wolf": ["dog"], "bird": ["owl", "duck"], "cat": []},
}  # fmt: skip


@pytest.fixture
def changed(make_task: Any) -> Any:
    def make(setting: str = "multiclass") -> Task:
        before = make_task(setting, OLD)
        return Task.model_validate(
            {name: getattr(before, name) for name in type(before).model_fields}
            | {"classes": ["dog", "owl", "duck"], "class_changes": [CHANGE]}
        )

    return make


def choices(*names: str) -> dict[str, Any]:
    return {"from_name": "label", "to_name": "txt", "type": "choices", "value": {"choices": list(names)}}


def said(found: Any) -> dict[tuple[str, str], list[str]]:
    return {(label.key[1], label.annotator): list(label.classes) for label in found.labels}


def test_old_names_are_read_in_the_names_of_now(changed: Any, exported: Any, annotation: Any) -> None:
    tasks = [
        exported("1", annotation(3, "wolf"), annotation(4, "dog")),
        exported("2", annotation(3, "bird"), annotation(4, "owl")),
        exported("3", annotation(3, "cat")),
        exported("4", annotation(3, "NONE")),
    ]
    found = collect(parse_export(tasks, "here"), changed(), "here")
    assert said(found) == {("1", "3"): ["dog"], ("1", "4"): ["dog"], ("2", "4"): ["owl"], ("4", "3"): []}
    assert found.counts["none"] == 1
    assert found.notes()[-1] == (
        "2 answers that no longer say which class it is, since that was split or dropped: left out; "
        "`adaptml annotate push TASK --sampling changed` asks anew: 'bird' is now 'duck' or 'owl', 1 times, "
        "'cat' is now no class, 1 times"
    )


def test_of_several_classes_one_that_was_dropped_leaves_the_others(
    changed: Any, exported: Any, annotation: Any
) -> None:
    tasks = [exported("1", annotation(3, "wolf", "cat"), annotation(4, "cat"), annotation(5, "bird", "dog"))]
    found = collect(parse_export(tasks, "here"), changed("multilabel"), "here")
    assert said(found) == {("1", "3"): ["dog"], ("1", "4"): []}
    assert (found.counts["undecided"], found.counts["none"]) == (1, 0)


def test_the_last_answer_counts_also_where_it_is_undecided(
    changed: Any, exported: Any, annotation: Any
) -> None:
    first, last = "2026-11-22T08:00:00Z", "2026-11-23T08:00:00Z"
    tasks = [
        exported("1", annotation(3, "dog", updated_at=first)),
        exported("1", annotation(3, "bird", updated_at=last), id=2),
        exported("3", annotation(3, "bird", updated_at=first)),
        exported("3", annotation(3, "duck", updated_at=last), id=4),
    ]
    assert said(collect(parse_export(tasks, "here"), changed(), "here")) == {("3", "3"): ["duck"]}


def test_marked_words_are_for_the_classes_of_now(changed: Any, exported: Any, annotation: Any) -> None:
    def marked(text: str, name: str) -> dict[str, Any]:
        value = {"text": text, "labels": [name]}
        return {"from_name": "words_in_txt", "to_name": "txt", "type": "labels", "value": value}

    words = [("howls", "wolf"), ("howls", "dog"), ("sings", "bird"), ("purrs", "cat"), ("quacks", "duck")]
    tasks = [exported("1", annotation(3, result=[choices("wolf"), *(marked(*pair) for pair in words)]))]
    found = collect(parse_export(tasks, "here"), changed(), "here")
    assert [(mark.text, mark.class_name) for mark in found.labels[0].marks] == [
        ("howls", "dog"), ("quacks", "duck"),
    ]  # fmt: skip
    assert found.counts["unknown_marks"] == 2


def test_an_answer_of_a_change_that_was_taken_back_can_be_told(
    make_task: Any, exported: Any, annotation: Any
) -> None:
    task = make_task("multiclass", "cat dog")
    tasks = parse_export([exported("1", annotation(3, "pet"), annotation(4, "dog"))], "here")
    with pytest.raises(AnnotationError, match="by `adaptml task classes zoo --add NAME`, and then"):
        collect(tasks, task, "here")
    for edits in (ClassEdits(add=["pet"]), ClassEdits(split={"pet": ["cat", "dog"]})):
        plan = plan_classes(task, edits, date(2026, 11, 26))
        values = {name: getattr(task, name) for name in type(task).model_fields}
        changes = [*task.class_changes, plan.change]
        task = Task.model_validate(values | {"classes": plan.names, "class_changes": changes})
    assert task.class_names == ["cat", "dog"]
    assert said(collect(tasks, task, "here")) == {("1", "4"): ["dog"]}


def test_an_export_in_which_nothing_is_decided(
    changed: Any, exported: Any, annotation: Any, project: Project
) -> None:
    export = Export(parse_export([exported("1", annotation(3, "bird"))], "here"), "here", "0")
    with pytest.raises(AnnotationError) as error:
        process_tasks(project, changed(), export, GoldOptions())
    assert str(error.value) == (
        "here holds no answer that says which of the present classes it is: 1 answers that no longer say which class "
        "it is, since that was split or dropped: left out; `adaptml annotate push TASK --sampling changed` "
        "asks anew: 'bird' is now 'duck' or 'owl', 1 times"
    )


def test_gold_and_what_a_third_person_settled_are_in_the_names_of_now(
    changed: Any, exported: Any, annotation: Any, write_export: Any, project: Project
) -> None:
    settled = exported("2", annotation(5, "bird"), id=3)
    settled["data"]["meta_info"]["purpose"] = ADJUDICATION
    path = write_export(
        [
            exported("1", annotation(3, "wolf"), annotation(4, "dog")),
            exported("2", annotation(3, "wolf"), annotation(4, "duck")),
            settled,
        ]
    )
    done = process_annotations(project, changed(), path)
    assert dict(zip(done.gold_df["id"], map(list, done.gold_df["gold_label"]), strict=True)) == {"1": ["dog"]}


def test_agreement_is_about_the_classes_of_now(changed: Any, project: Project) -> None:
    cells = {
        "3": [["wolf"], ["dog"], ["owl"], ["bird"], ["wolf"]],
        "4": [["dog"], ["wolf"], ["owl"], ["owl"], ["duck"]],
    }
    frame = pd.DataFrame({"table_name": "posts", "id": [*"12345"]})
    frame = frame.assign(**{name: pd.Series(column, dtype=object) for name, column in cells.items()})
    found = measure_agreement(frame, changed(), 0)
    assert (found.compared, [point.id for point in found.disputed]) == (4, ["5"])
    project.database.create_table("posts", {"id": sa.Text()})
    write_frame(frame, project.settings.annotations("zoo") / "ann_df.parquet")
    assert disputed_points(project, changed(), "posts", 9).frame["id"].tolist() == ["5"]


@pytest.fixture
def posts(project: Project) -> Project:
    project.database.create_table("posts", {"id": sa.Text()})
    project.database.upsert("posts", pd.DataFrame({"id": [*"12345"]}), ["id"])
    return project


def linked(posts: Project, number: int, tasks: list[Any], person: Person | None = None) -> Linked:
    copy = LocalCopy(posts.settings.home / f"{number}.sqlite3", "http://ls", number)
    copy.put(tasks)
    return Linked(LinkedProject(None, number, copy), {}, person)  # type: ignore[arg-type]


def test_who_gave_an_answer_that_is_open_now_is_asked_again(
    changed: Any, exported: Any, annotation: Any, posts: Project
) -> None:
    settled = exported("5", annotation(9, "bird"))
    settled["data"]["meta_info"]["purpose"] = ADJUDICATION
    one = [exported("1", annotation(3, "bird")), exported("2", annotation(3, "wolf")), settled]
    two = [
        exported("1", annotation(4, "owl")),
        exported("3", annotation(4, "cat")),
        exported("9", annotation(4, "cat")),
    ]
    both = [linked(posts, 1, one), linked(posts, 2, two, Person("b@example.com", 0.2))]
    sample, parts = ask_again(posts, changed(), both, "posts", 9)
    assert sample.frame["id"].tolist() == ["1", "3", "5"]  # 9 is gone from the table
    assert told(parts) == {1: ["1", "5"], 2: ["3"]}
    again = ask_again(posts, changed(), both, "posts", 9)[1]
    assert [part.purpose for part in again] == [part.purpose for part in parts]
    # 4 is gold that is open now and was never asked about; 1 was settled, but its answer is open all the same.
    rows = pd.DataFrame({"table_name": "posts", "id": ["4", "1"], "origin": Origin.PAGE.value})
    rows["label"] = pd.Series([["bird"], ["dog"]], dtype=object)
    GoldHome(posts, "zoo").add(rows.assign(choice=None, who=None, made_at=None, seen=None))
    sample, parts = ask_again(posts, changed(), both, "posts", 9)
    assert sample.frame["id"].tolist() == ["4", "1", "3", "5"]
    assert told(parts) == {1: ["1", "4", "5"], 2: ["3"]}
    assert ask_again(posts, changed(), both, "posts where id > '2'", 2)[0].frame["id"].tolist() == ["4", "3"]
    with pytest.raises(AnnotationError, match="no gold point of posts has changed"):
        ask_again(posts, changed(), both, "posts where id = '2'", 9)


def told(parts: list[Part]) -> dict[int, list[str]]:
    """Project → ids, in whatever part."""
    found: dict[int, list[str]] = {}
    for part in parts:
        found.setdefault(part.linked.project.number, []).extend(part.sample.frame["id"])
    return {number: sorted(ids) for number, ids in found.items()}


def test_the_page_must_show_the_classes_of_now(changed: Any, make_task: Any) -> None:
    task = changed()
    for held in ({}, {"wolf": 3, "bird": 1}):
        check_page({"id": 3, "label_config": label_config(task, held)}, task)
    with pytest.raises(LabelStudioError) as error:
        check_page({"id": 3, "label_config": label_config(make_task("multiclass", OLD))}, task)
    assert (
        "does not have bird (was split: choose anew), cat (no class any more), dog (annotated as wolf)"
        in str(error.value)
    )
