"""Saving rules: every version is kept, and nobody's is overwritten unseen."""

from pathlib import Path

import pytest

from adaptml.errors import FileError, TaskError
from adaptml.project import Project
from adaptml.tasks import Task
from adaptml.tasks.rule_file import (
    MAX_BYTES,
    ChangedElsewhereError,
    difference,
    digest_of,
    read_rules,
    rules_path,
    save_rules,
    saves,
    text_of_save,
)


@pytest.fixture
def task(clean_room: Path) -> Task:
    folder = clean_room / "tasks" / "pets"
    folder.mkdir()
    return Task(name="pets", classes=["cat", "dog"], folder=folder)


def save(project: Project, task: Task, text: str, base: str, who: str = "Ada") -> None:
    save_rules(project, task, text, base=digest_of(base), who=who)


def test_every_version_is_kept_with_who_saved_it(project: Project, task: Task) -> None:
    assert read_rules(task) == ""
    save(project, task, "a = 1\n", "")
    save(project, task, "a = 2\n", "a = 1\n", "Bo")
    assert read_rules(task) == "a = 2\n"
    assert [(one.number, one.who) for one in saves(project, task)] == [(2, "Bo"), (1, "Ada")]
    assert text_of_save(project, task, 1) == "a = 1\n"
    save(project, task, "a = 2\n", "a = 2\n")
    assert len(saves(project, task)) == 2


def test_a_file_changed_elsewhere_is_not_overwritten(project: Project, task: Task) -> None:
    save(project, task, "a = 1\n", "")
    rules_path(task).write_text("a = 9\n")
    with pytest.raises(ChangedElsewhereError, match="was changed since it was opened") as raised:
        save(project, task, "a = 2\n", "a = 1\n")
    assert (raised.value.now, read_rules(task)) == ("a = 9\n", "a = 9\n")
    save(project, task, "a = 2\n", "a = 9\n")
    assert [text_of_save(project, task, one.number) for one in saves(project, task)] == [
        "a = 2\n", "a = 9\n", "a = 1\n",
    ]  # fmt: skip
    assert [one.who for one in saves(project, task)] == ["Ada", "", "Ada"]


def test_two_who_save_the_same_do_not_meet(project: Project, task: Task) -> None:
    save(project, task, "a = 1\n", "")
    save(project, task, "a = 1\n", "something else")
    assert read_rules(task) == "a = 1\n"


def test_a_save_that_fails_leaves_the_file(project: Project, task: Task) -> None:
    save(project, task, "a = 1\n", "")
    with pytest.raises(FileError, match="cannot be longer than"):
        save(project, task, "#" * (MAX_BYTES + 1), "a = 1\n")
    assert read_rules(task) == "a = 1\n"


def test_what_is_no_text_is_told(project: Project, task: Task) -> None:
    rules_path(task).write_bytes(b"\xff")
    with pytest.raises(TaskError, match="expected a text in UTF-8"):
        read_rules(task)


def test_there_is_no_such_save(project: Project, task: Task) -> None:
    with pytest.raises(FileError, match="no save 7"):
        text_of_save(project, task, 7)


def test_a_task_without_a_folder_has_no_file() -> None:
    with pytest.raises(TaskError, match="made in Python"):
        rules_path(Task(classes=["cat", "dog"]))


def test_the_difference_of_two_texts() -> None:
    assert difference("a\nb\n", "a\nc\n") == ["--- before", "+++ after", "@@ -1,2 +1,2 @@", " a", "-b", "+c"]
    assert difference("a\n", "a\n") == []
