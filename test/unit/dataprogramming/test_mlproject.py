"""`mlflow run dataprogramming`: what MLflow makes of the parameters is an order that the module takes."""

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from mlflow.projects import _project_spec
from typer.testing import CliRunner

from adaptml.cli.original_label import COMMAND_OPTIONS, command
from adaptml.cli.support import command_app
from adaptml.project import Project
from adaptml.settings import Settings

FOLDER = Path(__file__).resolve().parents[3] / "dataprogramming"


def made(entry: str, parameters: dict[str, Any]) -> list[str]:
    """The words after `adaptml -m dataprogramming.label` that MLflow types."""
    project = _project_spec.load_project(str(FOLDER))
    words = shlex.split(project.get_entry_point(entry).compute_command(parameters, None))
    assert words[:3] == ["adaptml", "-m", "dataprogramming.label"]
    return words[3:]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, pets: Project) -> list[dict[str, Any]]:
    """What `label` is called with; the step itself ends there."""
    found: list[dict[str, Any]] = []

    def stop(_project: Project, task: Any, data: Any, gold: Any, **more: Any) -> None:
        found.append({"task": task.name, "setting": task.setting, "data": data, "gold": gold, **more})
        raise KeyboardInterrupt

    monkeypatch.setattr(Project, "label", stop)
    return found


def run(words: list[str]) -> str:
    return CliRunner().invoke(command_app(command, **COMMAND_OPTIONS), words).output


def test_parameters_of_the_original_arrive(asked: list[dict[str, Any]]) -> None:
    parameters = {
        "task": "pets", "train_data": "posts.parquet", "dev_data": 1, "setting": "multilabel", "multilabel": "em",
        "seed": 3, "n_epochs": 100, "optimizer": "adam", "prec_init": 0.6, "lr": 0.02, "l2": 0.1, "parallel": 2,
        "device": "cpu", "verbose": "true", "max_words": 5,
    }  # fmt: skip
    assert "interrupted" in run(made("label", parameters))
    (given,) = asked
    assert (given["task"], given["setting"], given["data"], given["gold"]) == (
        "pets", "multilabel", "posts.parquet", "1",
    )  # fmt: skip
    assert (given["label_model"], given["workers"], given["lf_parameters"]) == ("em", 2, {"max_words": "5"})
    assert given["config"] == {
        "n_epochs": "100", "optimizer": "adam", "prec_init": "0.6", "lr": "0.02", "l2": "0.1", "device": "cpu", "seed": 3,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["pets", "--data", "posts", "--parallel", "x"], "SettingsError: invalid value for '--workers'"),
        (["pets", "--data", "posts", "--max_words"], "SettingsError: cannot make sense of '--max_words'"),
        (
            ["multiclass", "--data", "posts"],
            "TaskError: no task 'multiclass' in .*; multiclass is a setting: give",
        ),
    ],
)
def test_what_is_refused_marks_the_run_that_mlflow_opened(
    tracking: Settings, pets: Project, monkeypatch: pytest.MonkeyPatch, words: list[str], said: str
) -> None:
    client = pets.runs.client
    opened = client.create_run(client.create_experiment("eg")).info.run_id
    monkeypatch.setenv("MLFLOW_TRACKING_URI", pets.runs.uri)
    monkeypatch.setenv("MLFLOW_RUN_ID", opened)
    done = CliRunner().invoke(command_app(command, **COMMAND_OPTIONS), words)
    assert done.exit_code != 0
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    marked = client.get_run(opened)
    assert marked.info.status == "FAILED"
    assert re.match(said, marked.data.tags["error"])


def test_the_command_runs_a_module_in_its_own_environment(clean_room: Path) -> None:
    """Whatever `python` is: MLflow may have put an environment of its own, without our packages, before it."""
    (clean_room / "adaptml.py").write_text("raise SystemExit('the working folder is not looked in')")
    code = "from adaptml.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, "-m", "dataprogramming.label", "pets", "--data", "posts"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: no task 'pets' in ")


def test_two_parameters_will_do(asked: list[dict[str, Any]]) -> None:
    run(made("label", {"task": "pets", "train_data": "two words.parquet"}))
    (given,) = asked
    assert (given["data"], given["gold"], given["label_model"]) == ("two words.parquet", "none", None)


def test_the_example_in_the_setting_that_task_names() -> None:
    assert made("example", {"train_data": "x.parquet"}) == [
        "example",
        "--data",
        "x.parquet",
        "--setting",
        "multilabel",
    ]
    assert made("example", {"train_data": "x.parquet", "task": "multiclass"})[-1] == "multiclass"


@pytest.mark.parametrize("workers", ["--parallel", "--workers"])
def test_the_order_by_hand(asked: list[dict[str, Any]], workers: str) -> None:
    run(["pets", "--data", "posts", "--gold", "--n-epochs", "auto", workers, "0"])
    (given,) = asked
    assert (given["gold"], given["workers"], given["config"]) == ("task", 1, {"n_epochs": "auto"})


def test_a_label_model_for_each_setting_is_one_too_many() -> None:
    done = CliRunner().invoke(
        command_app(command, **COMMAND_OPTIONS),
        ["pets", "--data", "posts", "--label-model", "snorkel", "--multilabel", "em"],
    )
    assert done.exit_code == 1
    assert "label_model is 'snorkel' and multilabel is 'em'; give one" in done.stderr
