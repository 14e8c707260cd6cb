from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adaptml.errors import TaskError
from adaptml.tasks import load_task, parse_task
from adaptml.tasks.editing import (
    Guide,
    TaskChangedError,
    TaskEdits,
    digest_of,
    edit_task,
    edited,
    read_task,
    write_task,
)

TEXT = """\
# ours
title: Pets   # asked of everyone
setting: multiclass
classes:
  - name: cat
    description: When an annotator should choose it.
    examples: []  # none yet
  - dog  # only its name
columns: [{name: txt, type: text}]
lf_features: [txt]
features: [txt_vec]
featurize:
  - {text: txt, lemmas: words, vector: txt_vec}
  - {text: photo, vector: photo_vec, encoder: pictures}
"""


@pytest.fixture
def tasks_dir(tmp_path: Path) -> Path:
    (tmp_path / "pets").mkdir()
    (tmp_path / "pets" / "task.yaml").write_text(TEXT)
    return tmp_path


def test_what_is_edited_changes_and_every_other_byte_stays(tasks_dir: Path) -> None:
    edits = TaskEdits(
        title="Which pet?",
        language="no",
        positive="dog",
        feedback=True,
        guides={"cat": Guide("It purrs: loudly.", ["purr", "a # b"]), "dog": Guide("It barks.")},
        encoders={"txt": "hashing"},
    )
    made = edit_task(tasks_dir, "pets", edits, digest_of(TEXT))
    assert (
        (tasks_dir / "pets" / "task.yaml").read_text()
        == """\
# ours
title: 'Which pet?'   # asked of everyone
setting: multiclass
classes:
  - name: cat
    description: 'It purrs: loudly.'
    examples: [purr, 'a # b']  # none yet
  - {name: dog, description: It barks.}  # only its name
columns: [{name: txt, type: text}]
lf_features: [txt]
features: [txt_vec]
featurize:
  - {text: txt, lemmas: words, vector: txt_vec, encoder: hashing}
  - {text: photo, vector: photo_vec, encoder: pictures}
language: 'no'
positive: dog
feedback: true
"""
    )
    assert made == load_task("pets", tasks_dir)
    back = TaskEdits(title="Pets", language="en", positive="", feedback=False)
    assert edit_task(tasks_dir, "pets", back).positive is None


def test_what_says_the_same_changes_nothing() -> None:
    same = TaskEdits(
        title="Pets", language="en", positive="", feedback=False,
        guides={"dog": Guide(), "cat": Guide("When an annotator should choose it.")}, encoders={"txt": "hybrid"},
    )  # fmt: skip
    assert edited(TEXT, same) == TEXT


TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=40).map(str.strip)


@given(
    title=TEXTS.filter(lambda text: 3 <= len(text) <= 50), guide=TEXTS, examples=st.lists(TEXTS, max_size=3)
)
def test_whatever_is_typed_comes_back_as_it_was_typed(title: str, guide: str, examples: list[str]) -> None:
    made = edited(TEXT, TaskEdits(title=title, guides={"cat": Guide(guide, examples), "dog": Guide(guide)}))
    task = parse_task(made, Path("pets"), "it")
    assert (task.title, task.classes[0].description, task.classes[1].description) == (title, guide, guide)
    assert [*task.classes[0].examples] == examples
    assert made.count("#") >= TEXT.count("#")


def test_a_file_that_changed_elsewhere_is_not_overwritten(tasks_dir: Path) -> None:
    _, text = read_task(tasks_dir, "pets")
    file = tasks_dir / "pets" / "task.yaml"
    file.write_text(TEXT.replace("Pets", "Animals"))
    with pytest.raises(
        TaskChangedError, match="changed elsewhere since it was read; nothing is written"
    ) as found:
        edit_task(tasks_dir, "pets", TaskEdits(title="Mine"), digest_of(text))
    assert "Animals" in found.value.text
    with pytest.raises(TaskChangedError):
        write_task(tasks_dir, "pets", TEXT, digest_of(text))
    assert "Animals" in file.read_text()


@pytest.mark.parametrize(
    ("edits", "said"),
    [
        (TaskEdits(title="?"), "at least 3 characters"),
        (TaskEdits(language="English"), "the ISO code of a language"),
        (TaskEdits(positive="cow"), "expected one of the classes cat, dog"),
    ],
)
def test_what_no_task_can_have_is_refused_and_nothing_is_written(
    tasks_dir: Path, edits: TaskEdits, said: str
) -> None:
    with pytest.raises(TaskError, match=said):
        edit_task(tasks_dir, "pets", edits)
    assert (tasks_dir / "pets" / "task.yaml").read_text() == TEXT


def test_the_whole_file_can_be_written_anew_but_for_its_classes(tasks_dir: Path) -> None:
    made = write_task(tasks_dir, "pets", TEXT.replace("lf_features: [txt]", "lf_features: [txt, words]"))
    assert made.lf_features == ("txt", "words")
    with pytest.raises(TaskError, match="adaptml task classes pets"):
        write_task(tasks_dir, "pets", TEXT.replace("- dog", "- hound"))
    with pytest.raises(TaskError, match="the text has 1 problem: colour: unknown key"):
        write_task(tasks_dir, "pets", TEXT + "colour: red\n")


@pytest.mark.parametrize("name", ["../pets", "/etc/passwd", "", "no", "Pets"])
def test_only_a_task_s_name_leads_to_a_file(tasks_dir: Path, name: str) -> None:
    with pytest.raises(TaskError):
        edit_task(tasks_dir, name, TaskEdits(title="Mine"))
    with pytest.raises(TaskError):
        write_task(tasks_dir, name, TEXT)
