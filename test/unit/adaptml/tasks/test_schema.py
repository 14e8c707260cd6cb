from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adaptml.errors import TaskError
from adaptml.tasks import Setting, indicator, list_tasks, load_task, names
from adaptml.tasks.annotating import coding_guide, label_config
from adaptml.tasks.scaffold import new_task

GOOD = """
title: What is it about?
setting: multiclass
classes:
  - {name: left-wing, description: Says left things., examples: [Up with it!]}
  - {name: right-wing}
positive: left-wing
columns: [{name: txt}, {name: photo, type: image}]
lf_features: [lemmas]
features: [vec]
"""


def write(content: str, name: str = "politics") -> Path:
    """A task file in the clean room's tasks; returns it."""
    path = Path("tasks") / name / "task.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(content)
    return path


def test_a_task_file_gives_names_votes_and_columns() -> None:
    write(GOOD)
    task = load_task("politics")
    assert task.name == "politics"
    assert task.class_names == ["left-wing", "right-wing"]
    assert {m.name: m.value for m in task.labels} == {"ABSTAIN": -1, "left-wing": 0, "right-wing": 1}
    assert task.with_setting("multilabel").setting is Setting.MULTILABEL
    assert task.with_setting(None) is task
    assert list_tasks() == ["politics"]


@pytest.mark.parametrize(
    ("content", "problems"),
    [
        (
            "title: x\nsetting: multiclas\nclasses: [{name: a}, {name: a}]\npositive: z\nlf_feature: [a]\ncolumns: []\nfeatures: [v]\n",
            "6 problems: title: String should have at least 3 characters, given 'x'; "
            "setting: Input should be 'multiclass' or 'multilabel', given 'multiclas'; "
            "classes: class names must differ; a stands more than once; "
            "columns: List should have at least 1 item after validation, not 0, given []; "
            "lf_features: missing; lf_feature: unknown key, take it out",
        ),
        (GOOD.replace("positive: left-wing", "positive: centre"), "1 problem: positive: is 'centre'; expected one of the classes left-wing, right-wing"),
        (GOOD.replace("multiclass", "multilabel"), "1 problem: positive: is for multiclass tasks of two classes"),
        (GOOD.replace("name: right-wing", "name: NONE"), "1 problem: classes: NONE is reserved and cannot name a class"),
        (GOOD.replace("type: image", "type: smell"), "1 problem: columns[1].type: Input should be 'text', 'image', 'audio' or 'video', given 'smell'"),
        (GOOD.replace("{name: txt}, {name: photo, type: image}", "{name: txt, type: smell}"), "1 problem: columns[0].type: Input should be 'text', 'image', 'audio' or 'video', given 'smell'"),
        (GOOD.replace("[vec]", "[5]"), "1 problem: features[0]: Input should be a valid string, given 5"),
        (GOOD.replace("{name: right-wing}", "{name: a<b}"), "1 problem: classes[1].name: a class name has 1 to 80 characters, none of them < > & \" or control; given 'a<b'"),
        (GOOD.replace("  - {name: right-wing}\n", ""), "1 problem: classes: a task has 2 to 127 classes; given 1"),
        (GOOD + "folder: /etc\n", "1 problem: folder: unknown key, take it out"),
    ],
)  # fmt: skip
def test_all_problems_of_a_file_are_told_at_once_with_their_places(content: str, problems: str) -> None:
    path = write(content)
    with pytest.raises(TaskError) as caught:
        load_task("politics")
    assert str(caught.value) == f"{path.resolve()} has {problems}"


@pytest.mark.parametrize(
    ("content", "message"),
    [("[1, 2", "is not YAML: while parsing a flow sequence"), ("- a\n", "holds list; expected keys: title"), ("", "holds NoneType; expected")],
)  # fmt: skip
def test_a_file_that_is_no_task_file(content: str, message: str) -> None:
    write(content)
    with pytest.raises(TaskError, match=message):
        load_task("politics")


@pytest.mark.parametrize("name", ["nope", "../politics", "", "Politics"])
def test_an_unknown_task(name: str) -> None:
    write(GOOD)
    with pytest.raises(
        TaskError,
        match=r"tasks there: politics; write it with `adaptml task new`|task name .*; expected a lower-case letter",
    ):
        load_task(name)


def test_an_unknown_setting() -> None:
    write(GOOD)
    with pytest.raises(TaskError, match=r"^setting is 'multi'; expected multiclass or multilabel$"):
        load_task("politics").with_setting("multi")


def test_label_studio_is_told_columns_classes_and_none() -> None:
    write(GOOD)
    task = load_task("politics")
    view = ElementTree.fromstring(label_config(task))
    assert [(e.tag, e.get("value")) for e in view if e.tag in {"Text", "Image"}] == [
        ("Text", "$txt"),
        ("Image", "$photo"),
    ]
    choices = view.find("Choices")
    assert choices is not None
    assert [c.get("value") for c in choices] == ["left-wing", "right-wing", "NONE"]
    assert choices.get("choice") == "single"
    assert (
        'choice="multiple"'
        in load_task("politics").model_copy(update={"setting": Setting.MULTILABEL}).label_config()
    )
    guide = coding_guide(task)
    assert "## left-wing\n\nSays left things.\n\n- Up with it!\n" in guide
    assert "Choose exactly one." in guide


@given(st.lists(st.lists(st.sampled_from("abcd"), unique=True)))
def test_label_sets_and_indicator_are_inverse(labels: list[list[str]]) -> None:
    matrix = indicator(labels, "abcd")
    assert matrix.shape == (len(labels), 4)
    assert matrix.dtype == np.int8
    assert names(matrix, "abcd") == [sorted(label) for label in labels]


def test_a_label_that_is_no_class() -> None:
    with pytest.raises(TaskError, match=r"^labels Cat are no classes of the task; its classes are cat, dog$"):
        indicator([["cat"], ["Cat"]], ["cat", "dog"])


@pytest.mark.parametrize("setting", list(Setting))
def test_a_new_task_loads_as_it_is(setting: Setting) -> None:
    task = new_task(Path("tasks"), "topic", ["it's", "no", "3"], setting, 'bo"dy')
    assert task.class_names == ["it's", "no", "3"]
    assert task.columns[0].name == 'bo"dy'
    assert task.setting is setting
    compile((task.folder / "lfs.py").read_text(), "lfs.py", "exec")


def test_classes_of_a_new_task_may_be_emoji() -> None:
    task = new_task(Path("tasks"), "two", ["🐱", "ß's"], Setting.MULTICLASS, "txt")
    assert task.class_names == ["🐱", "ß's"]
    compile((task.folder / "lfs.py").read_text(encoding="utf-8"), "lfs.py", "exec")


def test_a_new_task_replaces_nothing_and_leaves_nothing_half_made() -> None:
    write(GOOD)
    with pytest.raises(TaskError, match=r"is there already; choose another name or edit it$"):
        new_task(Path("tasks"), "politics", ["a", "b"], Setting.MULTICLASS, "txt")
    with pytest.raises(TaskError, match=r"has 1 problem: classes: class names must differ"):
        new_task(Path("tasks"), "fresh", ["a", "a"], Setting.MULTICLASS, "txt")
    with pytest.raises(TaskError) as caught:
        new_task(Path("tasks"), "fresh", ["a"], Setting.MULTICLASS, "txt")
    assert str(caught.value) == (
        "new task 'fresh' (classes: a; text column: txt) has 1 problem: "
        "classes: a task has 2 to 127 classes; given 1; mend what is given and run this again"
    )
    with pytest.raises(
        TaskError, match=r"^task name 'No Name'; expected a lower-case letter, then letters, digits and _$"
    ):
        new_task(Path("tasks"), "No Name", ["a", "b"], Setting.MULTICLASS, "txt")
    assert [p.name for p in Path("tasks").iterdir()] == ["politics"]
