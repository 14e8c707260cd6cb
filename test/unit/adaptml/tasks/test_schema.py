from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adaptml.errors import TaskError
from adaptml.tasks import PROBLEM_TYPES, Task, indicator, list_tasks, load_task, names
from adaptml.tasks.annotating import coding_guide, label_config
from adaptml.tasks.scaffold import new_task
from adaptml.tasks.schema import Column

TASKS = Path("tasks")  # of the clean room

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
    path = TASKS / name / "task.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(content)
    return path


def test_a_task_file_gives_names_votes_and_columns() -> None:
    write(GOOD)
    task = load_task("politics", TASKS)
    assert task.name == "politics"
    assert task.class_names == ["left-wing", "right-wing"]
    assert {m.name: m.value for m in task.labels} == {"ABSTAIN": -1, "left-wing": 0, "right-wing": 1}
    assert task.with_setting("multilabel").setting == "multilabel"
    assert task.with_setting(None) is task
    assert list_tasks(TASKS) == ["politics"]


@pytest.mark.parametrize(
    ("line", "language"),
    [("", "en"), ("language: yo\n", "yo"), ("language: no\n", "no"), ("language: pcm\n", "pcm")],
)
def test_a_task_has_a_language(line: str, language: str) -> None:
    write(GOOD + line)
    assert load_task("politics", TASKS).language == language


@pytest.mark.parametrize(
    ("content", "facts"),
    [
        (
            "title: x\nsetting: multiclas\nclasses: [{name: a}, {name: a}]\npositive: z\nlf_feature: [a]\ncolumns: []\nfeatures: [v]\n",
            ["6 problems", "title: ", "3 characters, given 'x'", "setting: ", "given 'multiclas'", "classes: ", "a is duplicated", "columns: ", "lf_features: missing", "lf_feature: unknown key"],
        ),
        (GOOD.replace("positive: left-wing", "positive: centre"), ["1 problem: positive: ", "'centre'", "left-wing, right-wing"]),
        (GOOD.replace("multiclass", "multilabel"), ["1 problem: positive: ", "multiclass tasks of two classes"]),
        (GOOD + "metric: f1", ["1 problem: metric: ", "'f1'", "'macro_f1'", "'f1_samples'"]),
        (GOOD + "metric: f1_samples", ["1 problem: metric: ", "a multiclass task does not have", "accuracy, macro_f1"]),
        (GOOD.replace("positive: left-wing", "metric: f1_of_positive"), ["1 problem: metric: ", "no positive class"]),
        (GOOD.replace("name: right-wing", "name: NONE"), ["1 problem: classes: NONE is reserved"]),
        (GOOD.replace("type: image", "type: smell"), ["1 problem: columns[1].type: ", "'text', 'image', 'audio', 'video' or 'number'", "given 'smell'"]),
        (GOOD.replace("{name: txt}, {name: photo, type: image}", "{name: txt, type: smell}"), ["1 problem: columns[0].type: "]),
        (GOOD.replace("[vec]", "[5]"), ["1 problem: features[0]: ", "given 5"]),
        (GOOD.replace("{name: right-wing}", "{name: a<b}"), ["1 problem: classes[1].name: ", "1 to 80 characters", "given 'a<b'"]),
        (GOOD.replace("  - {name: right-wing}\n", ""), ["1 problem: classes: ", "2 to 127 classes; given 1"]),
        (GOOD + "language: French\n", ["1 problem: language: ", "'French'", "ISO code", "such as en, fr or yo"]),
        (GOOD + "language: 5\n", ["1 problem: language: ", "is 5; expected"]),
        (GOOD + "folder: /etc\n", ["1 problem: folder: unknown key"]),
    ],
)  # fmt: skip
def test_all_problems_of_a_file_are_told_at_once_with_their_places(content: str, facts: list[str]) -> None:
    path = write(content)
    with pytest.raises(TaskError) as caught:
        load_task("politics", TASKS)
    assert_says(str(caught.value), f"{path} has ", *facts)


def assert_says(message: str, *facts: str) -> None:
    assert [fact for fact in facts if fact not in message] == [], message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("content", "message"),
    [("[1, 2", "is not YAML as a task has it: while parsing a flow sequence"), ("- a\n", "holds list; expected keys: title"), ("", "holds NoneType; expected")],
)  # fmt: skip
def test_a_file_that_is_no_task_file(content: str, message: str) -> None:
    write(content)
    with pytest.raises(TaskError, match=message):
        load_task("politics", TASKS)


@pytest.mark.parametrize("name", ["nope", "../politics", "", "Politics"])
def test_an_unknown_task(name: str) -> None:
    write(GOOD)
    with pytest.raises(
        TaskError,
        match=r"tasks there: politics; .*`adaptml task new`|task name .*; expected a lower-case letter",
    ):
        load_task(name, TASKS)


def test_an_unknown_setting() -> None:
    write(GOOD)
    with pytest.raises(TaskError, match=r"'multi'; expected multiclass or multilabel"):
        load_task("politics", TASKS).with_setting("multi")


def test_label_studio_is_told_columns_classes_and_none() -> None:
    write(GOOD)
    task = load_task("politics", TASKS)
    view = ElementTree.fromstring(label_config(task))
    assert [(e.tag, e.get("value")) for e in view if e.tag in {"Text", "Image"}] == [
        ("Text", "$txt"),
        ("Image", "$photo"),
    ]
    choices = view.find("Choices")
    assert choices is not None
    assert [c.get("value") for c in choices] == ["left-wing", "right-wing", "NONE"]
    assert choices.get("choice") == "single"
    assert 'choice="multiple"' in label_config(task.with_setting("multilabel"))
    guide = coding_guide(task)
    assert "## left-wing\n\nSays left things.\n\n- Up with it!\n" in guide
    assert "Choose exactly one." in guide


def test_feedback_adds_labels_for_words_and_a_field_and_changes_nothing_else() -> None:
    write(GOOD)
    before = label_config(load_task("politics", TASKS))
    write(GOOD + "\nfeedback: true\n")
    config = label_config(load_task("politics", TASKS))
    view = ElementTree.fromstring(config)
    labels = view.find("Labels")
    assert labels is not None
    assert labels.attrib == {"name": "words_in_txt", "toName": "txt"}  # a picture has no words
    assert [label.get("value") for label in labels] == ["left-wing", "right-wing"]
    (field,) = view.iter("TextArea")
    assert (field.get("name"), field.get("toName"), field.get("required")) == ("what_decided", "txt", None)
    ours = [*view.findall("Labels"), *view.findall("TextArea"), *view.findall("Header[@size='5']")]
    for element in ours:
        view.remove(element)
    for shown in view.findall("Text"):
        assert shown.attrib.pop("granularity") == "word"
    old = ElementTree.fromstring(before)
    assert [(e.tag, e.attrib) for e in view.iter()] == [(e.tag, e.attrib) for e in old.iter()]


@given(st.lists(st.lists(st.sampled_from("abcd"), unique=True)))
def test_label_sets_and_indicator_are_inverse(labels: list[list[str]]) -> None:
    matrix = indicator(labels, "abcd")
    assert matrix.shape == (len(labels), 4)
    assert matrix.dtype == np.int8
    assert names(matrix, "abcd") == [sorted(label) for label in labels]


def test_a_label_that_is_no_class() -> None:
    with pytest.raises(TaskError, match=r"Cat .* its classes are cat, dog"):
        indicator([["cat"], ["Cat"]], ["cat", "dog"])


@pytest.mark.parametrize("setting", list(PROBLEM_TYPES))
def test_a_new_task_loads_as_it_is(setting: str) -> None:
    task = new_task(TASKS, "topic", ["it's", "no", "3"], setting, [Column(name='bo"dy')])
    assert task.class_names == ["it's", "no", "3"]
    assert task.columns[0].name == 'bo"dy'
    assert task.setting == setting
    compile((task.folder / "lfs.py").read_text(), "lfs.py", "exec")


def test_classes_of_a_new_task_may_be_emoji() -> None:
    task = new_task(TASKS, "two", ["🐱", "ß's"], "multiclass")
    assert task.class_names == ["🐱", "ß's"]
    compile((task.folder / "lfs.py").read_text(encoding="utf-8"), "lfs.py", "exec")


def test_a_new_task_has_no_positive_class_until_somebody_says_so() -> None:
    task = new_task(TASKS, "mails", ["ham", "spam"], "multiclass")
    path = task.folder / "task.yaml"
    assert task.positive is None
    assert '# positive: "spam"' in path.read_text()
    path.write_text(path.read_text().replace('# positive: "spam"', 'positive: "spam"'))
    assert load_task("mails", TASKS).positive == "spam"
    assert (
        "positive"
        not in (new_task(TASKS, "three", ["a", "b", "c"], "multiclass").folder / "task.yaml").read_text()
    )
    assert (
        "positive" not in (new_task(TASKS, "any", ["a", "b"], "multilabel").folder / "task.yaml").read_text()
    )


def test_a_new_task_replaces_nothing_and_leaves_nothing_half_made() -> None:
    write(GOOD)
    with pytest.raises(TaskError, match=r"politics is there already; "):
        new_task(TASKS, "politics", ["a", "b"], "multiclass")
    with pytest.raises(TaskError, match=r"1 problem: classes: .*a is duplicated"):
        new_task(TASKS, "fresh", ["a", "a"], "multiclass")
    with pytest.raises(TaskError) as caught:
        new_task(TASKS, "fresh", ["a"], "multiclass")
    assert_says(
        str(caught.value), "'fresh'", "classes: a", "columns: txt (text)", "2 to 127 classes; given 1"
    )
    with pytest.raises(TaskError, match=r"'No Name'; expected a lower-case letter"):
        new_task(TASKS, "No Name", ["a", "b"], "multiclass")
    assert [p.name for p in TASKS.iterdir()] == ["politics"]


def test_a_task_is_made_without_a_folder() -> None:
    task = Task(classes=["ham", "spam"], lf_features=["txt"], positive="spam")
    assert (task.name, task.setting, task.folder) == ("task", "multiclass", None)
    assert task.class_names == ["ham", "spam"]
    with pytest.raises(ValueError, match="2 to 127 classes; given 1"):
        Task(classes=["ham"])
