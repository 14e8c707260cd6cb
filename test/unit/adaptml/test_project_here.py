"""A command where no project is: one line, and nothing is made."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from adaptml.cli.app import app

DATA = ["--data", "posts"]
STEPS = [
    ["serve"], ["tables"], ["runs"], ["status"], ["jobs"], ["deploy", "m"], ["label", "t", *DATA], ["train", "t", *DATA],
    ["predict", "t", *DATA], ["featurize", "t", *DATA], ["find", "posts"], ["lfs", "t", *DATA], ["run", "t", *DATA],
    ["task", "list"], ["task", "check", "t"], ["sample-tasks", "t", *DATA, "--n", "5"], ["gold", "t"],
]  # fmt: skip


def typed(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with no project at or above it."""
    folder = tmp_path / "nowhere" / "deep"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.parametrize("words", STEPS, ids=lambda words: " ".join(words[:2]))
def test_a_step_outside_a_project_is_one_line_and_makes_nothing(nowhere: Path, words: list[str]) -> None:
    done = typed(*words)
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith("error: no project here: no folder tasks at or above ")
    assert str(nowhere) in done.stderr
    assert "ADAPTML_ROOT" in done.stderr
    assert done.stderr.count("\n") == 1
    assert list(nowhere.iterdir()) == []


def test_what_needs_no_project_works_without(nowhere: Path) -> None:
    assert typed("settings", "root").stdout == f"{nowhere}\n"
    assert typed("lemmas", "two cats").exit_code == 0
    assert list(nowhere.iterdir()) == []


def test_the_tables_of_a_database_that_is_named_are_told_before_there_is_a_project(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(sqlite3.connect(nowhere.parent / "posts.db")) as connection:
        connection.execute("CREATE TABLE posts (id TEXT PRIMARY KEY, body TEXT)")
    monkeypatch.setenv("ADAPTML_DATABASE_URL", f"sqlite:///{nowhere.parent}/posts.db")
    assert "posts" in typed("tables").stdout
    assert typed("find", "posts").stderr.startswith("error: no project here: ")
    monkeypatch.setenv("ADAPTML_DATABASE_URL", "sqlite:///away/poste.db")
    done = typed("tables")
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith(f"error: no file {nowhere}/away/poste.db, which ADAPTML_DATABASE_URL names")
    assert list(nowhere.iterdir()) == []


def test_an_import_or_a_task_begins_a_project(nowhere: Path) -> None:
    (nowhere / "posts.csv").write_text("id,body\n1,good\n2,bad\n")
    assert typed("import", "posts.csv", "posts").exit_code == 0
    assert "posts" in typed("tables").stdout
    assert typed("task", "new", "topic", "--classes", "a,b", "--text", "body").exit_code == 0
    assert "topic" in typed("task", "list").stdout


@pytest.mark.parametrize("name", ["ADAPTML_HOME", "ADAPTML_ROOT"])
def test_a_folder_that_is_named_wrongly_is_told_and_not_made(
    clean_room: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    wrong = clean_room / "wrokspace"
    monkeypatch.setenv(name, str(wrong))
    done = typed("tables")
    assert done.exit_code == 1
    assert done.stderr.startswith(f"error: no folder {wrong}, which {name} names; expected ")
    assert not wrong.exists()
