"""The three steps as programs, one after the other, on a task of the user's."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import sqlalchemy as sa
from programs import program

from adaptml.project import Project

REPOSITORY = Path(__file__).resolve().parents[3]
TASK = """
title: Which is it about?
setting: multilabel
classes: [{name: cat}, {name: dog}]
columns: [{name: txt}]
lf_features: [txt]
features: [txt_vec]
"""


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    """As a process of its own."""
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    command = [sys.executable, "-m", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


def adaptml(*arguments: str) -> subprocess.CompletedProcess[str]:
    return program("adaptml.cli", *arguments)


def original(step: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return program(f"labelstudio.{step}", *arguments)


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")


@pytest.fixture
def room(clean_room: Path, project: Project) -> Path:
    (clean_room / "tasks" / "zoo").mkdir()
    (clean_room / "tasks" / "zoo" / "task.yaml").write_text(TASK, encoding="utf-8")
    database = project.database
    database.create_table("posts", {"id": sa.Text(), "txt": sa.Text()})
    database.upsert("posts", pd.DataFrame({"id": ["1", "2", "3"], "txt": ["a", "b", "c"]}), ["id"])
    return clean_room


def annotate(tasks: list[dict[str, Any]], said: dict[int, list[str]]) -> list[dict[str, Any]]:
    """What Label Studio exports after each annotator gave one class to each task."""
    exported = []
    for place, task in enumerate(tasks):
        answers = [
            {"id": 10 * place + who, "completed_by": who, "updated_by": who, "was_cancelled": False,
             "result": [{"from_name": "label", "type": "choices", "value": {"choices": [labels[place]]}}]}
            for who, labels in said.items()
        ]  # fmt: skip
        exported.append(task | {"id": place, "annotations": answers})
    return exported


def succeeded(done: subprocess.CompletedProcess[str]) -> str:
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.mark.parametrize("form", ["now", "original"])
def test_the_steps_follow_each_other(room: Path, form: str) -> None:
    sampled = (
        adaptml("sample-tasks", "zoo", "--data", "posts", "--n", "5", "--to", "mine.json")
        if form == "now"
        else original("sample_tasks", "posts", "txt", "5", "zoo", "--filename", "mine.json")
    )
    first = "3 points of posts for task zoo (5 were asked for, and there are no more), drawn as random n=5 seed=0\n"
    assert succeeded(sampled).startswith(first)
    # The original's bare names are those of files in the folder of annotations.
    place = room if form == "now" else room / "workspace" / "annotations" / "zoo"
    tasks = json.loads((place / "mine.json").read_text(encoding="utf-8"))
    export = annotate(tasks, {1: ["cat", "dog", "NONE"], 2: ["cat", "dog", "cat"]})
    (place / "export.json").write_text(json.dumps(export), encoding="utf-8")

    processed = succeeded(
        adaptml("process-annotations", "zoo", "export.json", "--choice", "majority", "--write")
        if form == "now"
        else original("process_annotations", "export.json", "zoo", "majority", "--write")
    )
    assert "2 gold labels, chosen by majority\n  1 labelled points have none: ties\n" in processed
    assert "zoo_annotations: 6 new rows" in processed

    measured = (
        adaptml("annotator-agreement", "zoo") if form == "now" else original("annotator_agreement", "zoo")
    )
    assert "Verdict: cannot be told." in succeeded(measured)
    folder = room / "workspace" / "annotations" / "zoo"
    assert f"written to {folder}: agreement.txt, agreement.json, report.html" in measured.stdout
    assert all((folder / name).is_file() for name in ("agreement.txt", "agreement.json", "report.html"))


def test_points_to_label_are_chosen(room: Path) -> None:
    done = adaptml("sample-points", "zoo", "--data", "posts", "--n", "2", "--seed", "4")
    path = room / "workspace" / "unlabeled_data" / "posts_random_2_seed4.parquet"
    assert succeeded(done) == f"2 points of posts, drawn as random n=2 seed=4\nwritten to {path}\n"
    frame = pd.read_parquet(path)
    assert list(frame.columns) == ["table_name", "id", "inclusion_prob", "sampling"]
    assert frame["inclusion_prob"].tolist() == [2 / 3] * 2
    done = adaptml(
        "sample-points", "zoo", "--data", "posts", "--where", "id > '1'", "--n", "9", "--to", "some.parquet"
    )
    assert succeeded(done).startswith("2 points of posts,")
    assert sorted(pd.read_parquet(room / "some.parquet")["id"]) == ["2", "3"]


@pytest.mark.parametrize("step", ["setup", "push", "pull"])
def test_annotating_without_a_server_is_one_line(room: Path, step: str) -> None:
    more = ["--data", "posts", "--n", "2"] if step == "push" else []
    failed = adaptml("annotate", step, "zoo", *more)
    assert (failed.returncode, failed.stdout) == (1, "")
    assert failed.stderr.startswith("error: no token for Label Studio at http://127.0.0.1:8080; ")
    assert "ADAPTML_LABEL_STUDIO_TOKEN" in failed.stderr
    assert failed.stderr.count("\n") == 1
    assert f"Example: adaptml annotate {step} example" in adaptml("annotate", step, "--help").stdout


@pytest.mark.parametrize("form", ["now", "original"])
def test_one_line_and_exit_code_one(room: Path, form: str) -> None:
    (room / "export.json").write_text("{", encoding="utf-8")
    failed = (
        adaptml("process-annotations", "zoo", "export.json")
        if form == "now"
        else original("process_annotations", "export.json", "zoo", "majority")
    )
    assert failed.returncode == 1
    assert failed.stdout == ""
    assert failed.stderr.startswith("error: export.json is not JSON (line 1: ")
    assert failed.stderr.count("\n") == 1
    assert not (room / "workspace" / "annotations").exists()


def test_a_step_as_a_process_of_its_own(room: Path) -> None:
    done = python("adaptml.cli", "sample-tasks", "zoo", "--data", "posts", "--n", "2", "--to", "mine.json")
    assert succeeded(done).startswith("2 points of posts for task zoo, drawn as random n=2 seed=0\n")


@pytest.mark.parametrize("step", ["sample_tasks", "process_annotations", "annotator_agreement"])
def test_help_shows_an_example_of_each_form(step: str) -> None:
    assert f"Example: adaptml {step.replace('_', '-')} example" in succeeded(
        adaptml(step.replace("_", "-"), "--help")
    )
    assert "Example: " in succeeded(python(f"labelstudio.{step}", "--help"))
