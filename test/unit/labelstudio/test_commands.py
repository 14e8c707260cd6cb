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

from adaptml.database import open_database

REPOSITORY = Path(__file__).resolve().parents[3]
TASK = """
title: Which is it about?
setting: multilabel
classes: [{name: cat}, {name: dog}]
columns: [{name: txt}]
lf_features: [txt]
features: [txt_vec]
"""


def run(step: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY), "COLUMNS": "100"}
    command = [sys.executable, "-m", f"labelstudio.{step}", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


@pytest.fixture
def room(clean_room: Path) -> Path:
    (clean_room / "tasks" / "zoo").mkdir()
    (clean_room / "tasks" / "zoo" / "task.yaml").write_text(TASK, encoding="utf-8")
    database = open_database()
    database.create_table("posts", {"id": sa.Text(), "txt": sa.Text()})
    database.upsert("posts", pd.DataFrame({"id": ["1", "2", "3"], "txt": ["a", "b", "c"]}), ["id"])
    database.close()
    return clean_room


def annotate(tasks: list[dict[str, Any]], said: dict[int, list[str]]) -> list[dict[str, Any]]:
    """What Label Studio exports after each annotator gave one class to each task."""
    exported = []
    for place, task in enumerate(tasks):
        answers = [
            {"id": 10 * place + who, "completed_by": who, "was_cancelled": False,
             "result": [{"from_name": "label", "type": "choices", "value": {"choices": [labels[place]]}}]}
            for who, labels in said.items()
        ]  # fmt: skip
        exported.append(task | {"id": place, "annotations": answers})
    return exported


def test_the_steps_follow_each_other(room: Path) -> None:
    sampled = run("sample_tasks", "posts", "txt", "5", "zoo", "--filename", "mine.json")
    assert (sampled.returncode, sampled.stderr) == (0, "")
    first = "3 points of posts for task zoo (all rows: the table holds fewer than 5), seed 0\n"
    assert sampled.stdout.startswith(first)
    tasks = json.loads((room / "mine.json").read_text(encoding="utf-8"))
    export = annotate(tasks, {1: ["cat", "dog", "NONE"], 2: ["cat", "dog", "cat"]})
    (room / "export.json").write_text(json.dumps(export), encoding="utf-8")

    processed = run("process_annotations", "export.json", "zoo", "majority", "--write")
    assert (processed.returncode, processed.stderr) == (0, "")
    assert "2 gold labels, chosen by majority\n  1 labelled points have none: ties\n" in processed.stdout
    assert "zoo_gold: 2 new rows" in processed.stdout

    measured = run("annotator_agreement", "zoo")
    assert (measured.returncode, measured.stderr) == (0, "")
    assert "Verdict: start again." in measured.stdout
    assert "Traceback" not in measured.stdout


def test_points_to_label_are_chosen(room: Path) -> None:
    done = run("sample_points", "posts", "2", "zoo", "--seed", "4")
    assert (done.returncode, done.stderr) == (0, "")
    path = room / "workspace" / "unlabeled_data" / "posts_random_2_seed4.parquet"
    assert done.stdout == f"2 points of posts, drawn as random n=2 seed=4\nwritten to {path}\n"
    frame = pd.read_parquet(path)
    assert list(frame.columns) == ["table_name", "id", "inclusion_prob", "sampling"]
    assert frame["inclusion_prob"].tolist() == [2 / 3] * 2


@pytest.mark.parametrize("step", ["setup", "push", "pull"])
def test_annotating_without_a_server_is_one_line(room: Path, step: str) -> None:
    arguments = ["zoo", "posts", "--n", "2"] if step == "push" else ["zoo"]
    failed = run("annotate", step, *arguments)
    assert (failed.returncode, failed.stdout) == (1, "")
    assert failed.stderr == (
        "error: no token for Label Studio at http://127.0.0.1:8080; put it into the file that "
        "label_studio_token_file names, or set ADAPTML_LABEL_STUDIO_TOKEN\n"
    )
    assert f"Example: annotate {step} example" in run("annotate", step, "--help").stdout


def test_one_line_and_exit_code_one(room: Path) -> None:
    (room / "export.json").write_text("{", encoding="utf-8")
    failed = run("process_annotations", "export.json", "zoo", "majority")
    assert failed.returncode == 1
    assert failed.stdout == ""
    assert failed.stderr.startswith("error: export.json is not JSON (line 1: ")
    assert failed.stderr.count("\n") == 1
    assert not (room / "workspace" / "annotations").exists()


@pytest.mark.parametrize(
    "step", ["sample_tasks", "sample_points", "process_annotations", "annotator_agreement"]
)
def test_help_shows_an_example(step: str) -> None:
    shown = run(step, "--help")
    assert shown.returncode == 0
    assert f"Example: {step.replace('_', '-')}" in shown.stdout
