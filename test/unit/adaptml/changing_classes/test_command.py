"""`adaptml task classes`, and the story of usage.md."""

import re
import shlex
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from adaptml.cli.app import app
from adaptml.project import Project

REPOSITORY = Path(__file__).resolve().parents[4]
USAGE = (REPOSITORY / "usage.md").read_text(encoding="utf-8")


def typed(order: str) -> Result:
    return CliRunner().invoke(app, shlex.split(order)[1:])


def test_the_story_of_usage_is_what_the_commands_print(clean_room: Path) -> None:
    """Blocks marked `console changed`, in their order, in a project with the example; `…` is any text."""
    shutil.copytree(REPOSITORY / "tasks" / "example", clean_room / "tasks" / "example")
    for order in (
        f"adaptml import {REPOSITORY}/example_data/posts.jsonl example_data",
        f"adaptml process-annotations example {REPOSITORY}/example_data/example_annotations.json --choice majority",
    ):
        assert typed(order).exit_code == 0
    blocks = re.findall(r"^```console changed\n(.*?)^```$", USAGE, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 2
    for part in re.split(r"^\$ ", "".join(blocks), flags=re.MULTILINE)[1:]:
        command, _, shown = part.partition("\n")
        printed = typed(command).output
        pattern = ".*".join(re.escape(piece) for piece in re.split(r"…\n?", shown))
        assert re.fullmatch(pattern, printed, re.DOTALL), f"{command}\n{printed}"


@pytest.fixture
def project(project: Project) -> Project:
    """A project with one task, some of whose classes have signs in their names."""
    folder = project.settings.tasks_dir / "pets"
    folder.mkdir()
    (folder / "task.yaml").write_text(
        "title: Pets\nsetting: multilabel\nclasses: [cat, a=b, 'c, d', dog]\n"
        "columns: [{name: txt}]\nlf_features: [txt]\nfeatures: [vec]\n"
    )
    return project


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("--rename cat=feline --drop dog", ["feline", "a=b", "c, d"]),
        ("--rename a=b=x=y", ["cat", "x=y", "c, d", "dog"]),
        ("--merge 'cat,\"c, d\"=a=b' --add 'x,y' --add z", ["a=b", "dog", "x", "y", "z"]),
        ("--split 'dog=hound, pup' --drop '\"c, d\"'", ["cat", "a=b", "hound", "pup"]),
    ],
)
def test_changes_are_typed_in_the_names_of_now(project: Project, words: str, names: list[str]) -> None:
    done = typed(f"adaptml task classes pets {words} --yes")
    assert done.exit_code == 0, done.output
    assert project.task("pets").class_names == names
    assert f"done: the classes of task pets are {', '.join(names)}" in done.output


def test_without_a_terminal_it_shows_what_would_happen_and_changes_nothing(project: Project) -> None:
    before = (project.settings.tasks_dir / "pets" / "task.yaml").read_bytes()
    done = typed("adaptml task classes pets --drop dog")
    assert done.exit_code == 1
    assert "will be: cat, a=b, c, d" in done.output
    assert "error: the classes of task 'pets' are as they were; to change them so, add --yes" in done.output
    assert (project.settings.tasks_dir / "pets" / "task.yaml").read_bytes() == before


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--rename cat", "cannot make sense of 'cat'; expected --rename A=B"),
        ("--split =x", "cannot make sense of '=x'; expected --split A=B,C"),
        ("--rename cat=x,y", "'cat=x,y' has x, y where one name is expected"),
        ("--drop wolf", "'wolf' is no class of task 'pets' and never was"),
        ("--drop dog --undo", "undo takes the last change back, and a change was given too"),
        ("--undo", "the classes of task 'pets' were never changed"),
    ],
)
def test_what_makes_no_sense_is_one_line(project: Project, words: str, message: str) -> None:
    done = typed(f"adaptml task classes pets {words} --yes")
    assert done.exit_code == 1
    assert message in done.output
    assert len(done.output.strip().splitlines()) == 1
