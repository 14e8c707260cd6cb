"""Classes that change, with a real Label Studio that holds annotations of before."""

from typing import Any

import pandas as pd
import pytest
from label_studio_people import annotate, cells, choose, table, tasks_of

from adaptml.errors import AnnotationError, LabelStudioError
from adaptml.frames import write_frame
from adaptml.project import Project
from adaptml.tasks import Task
from labelstudio.annotate import pull, push, setup
from labelstudio.client import LabelStudio
from labelstudio.project import find_project

pytestmark = pytest.mark.timeout(1800)


def changed(task: Task, classes: list[str], becomes: dict[str, list[str]]) -> Task:
    """The task after a change of its classes."""
    change = {"date": "2026-11-26", "before": task.class_names, "becomes": becomes}
    return type(task).model_validate(
        {name: getattr(task, name) for name in type(task).model_fields}
        | {"classes": classes, "class_changes": [*task.class_changes, change]}
    )


def given(owner: LabelStudio, task: Task, numbers: dict[str, int]) -> list[Any]:
    """What the annotations hold, by point."""
    exported = owner.export(int(find_project(owner, task)["id"]), list(numbers.values()))
    return [[a["result"][0]["value"]["choices"] for a in entry["annotations"]] for entry in exported]


def test_annotations_of_before_stay_and_are_read_in_the_names_of_now(
    here: Project, make_task: Any, owner: LabelStudio, people: list[LabelStudio]
) -> None:
    before = make_task(["cat", "hound", "wolf", "bird", "fish"], "multiclass")
    table(here, "posts", [f"text {i}" for i in range(6)])
    setup(here, before)
    push(here, before, "posts", 6)
    numbers = tasks_of(owner, before)
    keys, first = sorted(numbers), people[0]
    for key, name in zip(keys, ["cat", "hound", "wolf", "bird", "fish"], strict=False):
        annotate(first, numbers[key], choose(name))
    stored = given(owner, before, numbers)
    pull(here, before)

    renamed = changed(before, ["cat", "dog", "wolf", "bird", "fish"], {"hound": ["dog"]})
    with pytest.raises(LabelStudioError, match="does not have dog"):
        push(here, renamed, "posts", 6)
    assert setup(here, renamed).changes == [
        "the annotators' instructions", "class hound is now 'dog': 1 annotations go on showing it",
    ]  # fmt: skip
    assert setup(here, renamed).changes == []
    now = changed(
        renamed,
        ["dog", "pet", "owl", "duck"],
        {"cat": ["pet"], "wolf": ["dog"], "bird": ["owl", "duck"], "fish": []},
    )
    assert setup(here, now).changes[1:] == [
        "class cat is now 'pet': 1 annotations go on showing it",
        "class wolf is now 'dog': 1 annotations go on showing it",
        "class bird is now 'duck' or 'owl': 1 annotations no longer say which class it is",
        "class fish is now no class: 1 annotations hold it",
    ]  # fmt: skip
    assert setup(here, now).changes == []
    done = pull(here, now).done
    (name,) = done.annotations.annotators
    assert cells(done.ann_df, name) == [["pet"], ["dog"], ["dog"], None, None, None]
    assert done.annotations.counts["undecided"] == 2
    assert given(owner, now, numbers) == stored

    sample, sent = push(here, now, "posts", 9, sampling="changed")
    assert (sample.frame["id"].tolist(), sent.sent, sent.there) == (keys[3:5], 2, 0)
    again = push(here, now, "posts", 9, sampling="changed")[1]
    assert (again.sent, again.there, again.duplicates_deleted) == (0, 2, 0)
    asked = set(listed(owner, now)) - set(numbers.values())
    for number, choice in zip(sorted(asked), ["duck", "NONE"], strict=True):
        annotate(first, number, choose(choice))
    done = pull(here, now).done
    assert cells(done.ann_df, name) == [["pet"], ["dog"], ["dog"], ["duck"], [], None]
    with pytest.raises(AnnotationError, match="no gold point of"):
        push(here, now, "posts", 9, sampling="changed")
    marking = now.model_copy(update={"feedback": True})
    assert setup(here, marking).changes == ["it asks what decided"]
    assert setup(here, marking).changes == []


def test_pre_annotations_of_a_run_of_before_choose_what_the_page_has(
    here: Project, make_task: Any, owner: LabelStudio, people: list[LabelStudio]
) -> None:
    before = make_task(["cat", "hound", "bird"], "multiclass")
    table(here, "posts", [f"text {i}" for i in range(4)])
    number = setup(here, before).project
    push(here, before, "posts", 4)
    numbers = tasks_of(owner, before)
    annotate(people[0], numbers["00003"], choose("hound"))
    with here.runs.run(before.name, "label", {"setting": "multiclass"}) as recorder:
        frame = pd.DataFrame({"table_name": "posts", "id": ["00000", "00001", "00002"]})
        frame["label"] = [["cat"], ["hound"], ["bird"]]
        frame["label_probs"] = [[0.8, 0.1, 0.1], [0.1, 0.7, 0.2], [0.2, 0.2, 0.6]]
        said = {"task": before.name, "setting": "multiclass", "classes": before.class_names}
        write_frame(frame, recorder.folder / "training_data.parquet", said)
    now = changed(before, ["dog", "cat", "owl", "duck"], {"hound": ["dog"], "bird": ["owl", "duck"]})
    setup(here, now)
    sent = push(here, now, "posts", 4, predictions=recorder.run_id)[1]
    assert (sent.sent, sent.there, sent.predicted, sent.unpredicted) == (0, 4, 2, 2)
    predicted, _ = owner.list_tasks(number, 9, predicted_by=recorder.run_id)
    (dog,) = owner.call("GET", f"/api/predictions/?task={numbers['00001']}")
    assert sorted(int(entry["id"]) for entry in predicted) == [numbers["00000"], numbers["00001"]]
    assert (dog["result"][0]["value"], dog["score"]) == ({"choices": ["hound"]}, 0.7)


def listed(owner: LabelStudio, task: Task) -> list[int]:
    return [int(entry["id"]) for entry in owner.list_tasks(int(find_project(owner, task)["id"]), 100)[0]]


def test_a_task_file_that_was_edited_by_hand_is_refused(
    here: Project, make_task: Any, owner: LabelStudio, people: list[LabelStudio]
) -> None:
    before = make_task(["cat", "hound"])
    table(here, "posts", ["one"])
    setup(here, before)
    push(here, before, "posts", 1)
    (number,) = tasks_of(owner, before).values()
    annotate(people[0], number, choose("hound"))
    with pytest.raises(LabelStudioError) as error:
        setup(here, make_task(["cat", "dog"]))
    assert "annotations hold 'hound' (1 times), which the task file does not have" in str(error.value)
    assert "`adaptml task classes" in str(error.value)
