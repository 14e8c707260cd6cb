"""What a task file keeps for `label`: a call wins over it, it wins over what is built in, and keep writes it."""

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from adaptml.cli.label import COMMAND_OPTIONS, command
from adaptml.cli.support import command_app
from adaptml.errors import AdaptmlError, LabellingError, TaskError
from adaptml.project import Project
from adaptml.settings import Settings
from adaptml.tasks import Task
from dataprogramming.label import LabelResult
from dataprogramming.lfs import keyword_lf

LFS = """
from dataprogramming.lfs import LFParams, keyword_lf
from snorkel.labeling import labeling_function
class Params(LFParams):
    max_words: int = 9
    words: list[str] = ["purr"]
def get_lfs(params: Params):
    @labeling_function()
    def long(x):
        return "dog" if len(x.tokens) > params.max_words else None
    return [keyword_lf("cats", params.words, "cat", "tokens"), long]
"""
KEPT = """\
label:  # what worked
  label_model: snorkel
  config: {n_epochs: 7, l2: 0.5}  # more epochs did not help
  lf_parameters: {max_words: 2}
"""


@pytest.fixture
def room(tracking: Settings, pets: Project) -> Project:
    """The project of pets whose rules have parameters."""
    (tracking.tasks_dir / "pets" / "lfs.py").write_text(LFS)
    return pets


def file_of(project: Project) -> Path:
    return project.settings.tasks_dir / "pets" / "task.yaml"


def params_of(project: Project, done: LabelResult) -> dict[str, str]:
    found: dict[str, str] = project.runs.client.get_run(done.run_id).data.params
    return found


def test_a_call_wins_over_the_task_file_and_that_over_what_is_built_in(room: Project) -> None:
    with file_of(room).open("a") as file:
        file.write(KEPT)
    params = params_of(room, done := room.label("pets", "posts", "task"))
    assert [params[name] for name in ("label_model", "n_epochs", "l2", "lr", "max_words")] == [
        "snorkel", "7", "0.5", "0.01", "2",
    ]  # fmt: skip
    said = "task file: label_model snorkel, n_epochs 7, l2 0.5, max_words 2; else built in"
    assert params["settings_from"] == dict(done.lines)["settings"] == said
    assert said in room.runs.artifact(done.run_id, "report.html", Path()).read_text()
    assert done.votes.L[:, 1].tolist() == [-1, -1, 1, -1, 1, -1]  # more than 2 words

    done = room.label(
        "pets", "posts", label_model="majority_vote", config={"l2": 0.0}, lf_parameters={"max-words": "1"}
    )
    params = params_of(room, done)
    assert [params[name] for name in ("label_model", "n_epochs", "l2", "max_words")] == [
        "majority_vote",
        "7",
        "0.0",
        "1",
    ]
    assert params["settings_from"] == (
        "given: label_model majority_vote, l2 0.0, max_words 1; task file: n_epochs 7; else built in"
    )
    assert room.apply_lfs("pets", "posts").L[:, 1].tolist() == [
        -1,
        -1,
        1,
        -1,
        1,
        -1,
    ]  # other steps take them too


def test_nothing_given_or_kept_is_built_in(room: Project) -> None:
    done = room.label("pets", "posts")
    assert params_of(room, done)["settings_from"] == "built in"
    assert "settings" not in dict(done.lines)


def test_keep_writes_what_was_used_and_the_next_run_is_the_same(room: Project) -> None:
    path = file_of(room)
    before = path.read_text() + KEPT + "# the end\n"
    path.write_text(before)
    words = [
        "pets",
        "--data",
        "posts",
        "--label-model",
        "snorkel",
        "--n-epochs",
        "8",
        "--l2",
        "0",
        "--max-words",
        "9",
        "--words",
    ]
    words += ['["purr", "hiss"]', "--seed", "3", "--keep"]
    ran = CliRunner().invoke(command_app(command, **COMMAND_OPTIONS), words)
    assert ran.exit_code == 0, ran.output
    new = before.replace("n_epochs: 7, l2: 0.5}", "n_epochs: 8, seed: 3}").replace(
        "max_words: 2", "words: [purr, hiss]"
    )
    assert path.read_text() == new
    assert f"{path}, label: label_model snorkel, config" in ran.output

    again = room.label("pets", "posts", keep=True)
    assert dict(again.lines)["kept"] == f"{path} says so already"
    params = params_of(room, again)
    assert (params["n_epochs"], params["seed"], params["words"]) == ("8", "3", "['purr', 'hiss']")

    built_in = {"n_epochs": "auto", "seed": 0}
    room.label(
        "pets", "posts", label_model="auto", config=built_in, lf_parameters={"words": '["purr"]'}, keep=True
    )
    assert path.read_text() == before.replace(KEPT, "")


@pytest.mark.parametrize(
    ("kept", "facts"),
    [
        (
            "label_model: em",
            r"label\.label_model: 'em' is no label model for multiclass tasks; expected auto, majority",
        ),
        ("label_model: nope", r"label\.label_model: 'nope' is no .*: change it"),
        (
            "config: {n_epoch: 3}",
            r"label\.config: no label model has a parameter n_epoch; expected some of .*n_epochs",
        ),
        ("config: {lr: fast}", r"label\.config: .*lr is 'fast': "),
    ],
)
def test_what_cannot_be_kept_is_said_with_its_place(room: Project, kept: str, facts: str) -> None:
    with file_of(room).open("a") as file:
        file.write(f"label: {{{kept}}}\n")
    with pytest.raises(TaskError, match=f"task.yaml, {facts}"):
        room.label("pets", "posts")
    (found,) = [finding for finding in room.check_task("pets") if finding.level == "error"]
    assert found.what == "defaults"


@pytest.mark.parametrize(
    ("kept", "facts"),
    [
        (
            "{min_words: 3}",
            r"no parameter min_words \(label\.lf_parameters of its task file\); they declare: max_words",
        ),
        ("{max_words: many}", r"wrong parameter, max_words.*many.*label\.lf_parameters of its task file"),
    ],
)
def test_parameters_of_rules_are_checked_against_get_lfs(room: Project, kept: str, facts: str) -> None:
    with file_of(room).open("a") as file:
        file.write(f"label: {{lf_parameters: {kept}}}\n")
    with pytest.raises(LabellingError, match=facts):
        room.label("pets", "posts")
    assert "error" in {finding.level for finding in room.check_task("pets")}


def test_keep_needs_a_file_that_can_be_written_before_anything_is_done(room: Project) -> None:
    made = Task(name="pets", classes=("cat", "dog"), lfs=(keyword_lf("c", ["purr"], "cat", "tokens"),))
    with pytest.raises(TaskError, match="made in Python and has no task file"):
        room.label(made, "posts", keep=True)
    with pytest.raises(LabellingError, match="dry_run writes nothing and keep writes"):
        room.label("pets", "posts", keep=True, dry_run=True)
    gone = room.task("pets").model_copy(update={"folder": room.settings.root / "gone"})
    with pytest.raises(
        AdaptmlError, match=r"task\.yaml cannot be written: No such file .*type it on the host"
    ):
        room.label(gone, "posts", keep=True)
    assert room.list_runs().empty


def test_a_task_made_in_python_has_defaults_too(room: Project) -> None:
    lfs: tuple[Any, ...] = (keyword_lf("c", ["purr"], "cat", "tokens"),)
    kept = {"label_model": "weighted_vote"}
    made = Task.model_validate({"name": "pets", "classes": ["cat", "dog"], "lfs": lfs, "label": kept})
    assert room.label(made, "posts", "task").reason == "weighted_vote was asked for"
