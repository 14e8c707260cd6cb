"""A project that commit c936996 made goes on working: its champions answer, its runs and gold are built upon."""

import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import mlflow
import numpy as np
import pandas as pd
import pytest
from before import PLACEHOLDER, contents, open_workspace
from mlflow.entities import Run
from mlflow.tracking import MlflowClient
from typer.testing import CliRunner

from adaptml.cli.app import app

# MLflow's own use of SQLAlchemy.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader:DeprecationWarning")

Probs = np.ndarray[Any, np.dtype[np.float64]]

SETTINGS = ["multiclass", "multilabel"]
FIGURE = {"multiclass": "accuracy", "multilabel": "f1_samples"}
CLASSES = ["cat", "dog", "bird", "horse", "snake"]
ANNOTATED = 40
SAME_PROB = 1e-6  # what one model says differs by less, whatever the processor and the size of the batch
# Decisions of label models and small end models may change between versions; an old project must not get worse.
WORSE = 0.1

# What a person types; the one place to change when a command does.
LABEL = (
    "label example --data workspace/unlabeled_data/{setting}.parquet --setting {setting} --gold task --write"
)
TRAIN = "train example --data {run} --test {run} --setting {setting}"
DEPLOY = "deploy {setting}_example"
PREDICT = "predict example --data workspace/unlabeled_data/annotated.parquet --setting {setting} --write --to new.parquet"
SERVE = [str(Path(sys.executable).with_name("adaptml")), "serve", "--port", "0"]


@pytest.fixture
def project(clean_room: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The project, in a folder whose name has to be quoted in an address; the working folder."""
    opened = open_workspace(tmp_path / "my project")
    monkeypatch.chdir(opened)
    return opened


def run(command: str, **words: str) -> str:
    """Run a command in this process; returns what it printed."""
    done = CliRunner().invoke(app, command.format(**words).split())
    assert done.exit_code == 0, f"{done.output}\n{done.exception!r}"
    return done.stdout


@contextmanager
def service(project: Path) -> Iterator[str]:
    """The prediction service of the project, a process of its own; gives its address."""
    log = project / "service.log"
    repository = str(Path(__file__).resolve().parents[2])
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([repository, os.environ["PYTHONPATH"]])}
    with (
        log.open("w") as errors,
        subprocess.Popen(
            SERVE, cwd=project, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True
        ) as process,
    ):
        try:
            assert process.stdout is not None
            found = re.search(r"http://\S+:\d+", process.stdout.readline())
            assert found, log.read_text()
            yield found[0]
        finally:
            process.terminate()


def client(project: Path) -> MlflowClient:
    return MlflowClient(f"sqlite:///{project / 'workspace' / 'mlflow.db'}")


def finished_run(project: Path, printed: str) -> Run:
    """The run that a step printed: complete, with its artifacts inside the project."""
    found = re.search(r"^run\s+([0-9a-f]{32})$", printed, re.MULTILINE)
    assert found, printed
    made = client(project).get_run(found[1])
    assert made.info.status == "FINISHED"
    assert made.info.artifact_uri == f"{project.as_uri()}/workspace/mlruns/{found[1]}/artifacts"
    return made


def newest_version(project: Path, model: str) -> int:
    return max(int(v.version) for v in client(project).search_model_versions(f"name = '{model}'"))


def rows(project: Path) -> dict[str, int]:
    """Table of the project's database → its number of rows."""
    with closing(sqlite3.connect(project / "workspace" / "data.db")) as connection:
        names = [
            name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        ]
        return {name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in names}


def probs(answer: Mapping[str, Any]) -> Probs:
    """What a model answered about n points → (n, 5) probabilities in the order of CLASSES."""
    return np.array([answer[f"prob_{name}"] for name in CLASSES], dtype=np.float64).T


def assert_same(now: Any, before: Probs) -> None:
    np.testing.assert_allclose(np.array(list(now), dtype=np.float64), before, rtol=0, atol=SAME_PROB)


def test_what_the_project_holds(project: Path) -> None:
    made = contents(project)
    assert made["commit"] == "c936996"
    assert rows(project) == made["tables"]
    assert made["tables"] == {
        "example_data": 160,  # posts: 40 annotated, 60 for each setting
        "example_annotations": 80,  # two annotators
        "example_gold": 40,
        "example_labels": 119,  # one post has no votes
        "example_predictions": 120,
    }
    assert made["champions"] == {f"{setting}_example": 1 for setting in SETTINGS}
    assert {tuple(answer) for answer in made["answers"].values()} == {
        ("table_name", "id", *CLASSES, *(f"prob_{name}" for name in CLASSES))
    }


def test_no_path_of_another_place_is_left(project: Path) -> None:
    files = [path for path in project.rglob("*") if path.is_file()]
    assert [path for path in files if PLACEHOLDER.encode() in path.read_bytes()] == []
    runs = client(project)
    for run_id in contents(project)["metrics"]:
        artifacts = runs.get_run(run_id).info.artifact_uri
        assert artifacts == f"{project.as_uri()}/workspace/mlruns/{run_id}/artifacts"


def test_a_folder_that_is_not_empty_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="is not empty"):
        open_workspace(tmp_path)


def test_the_champions_answer_as_they_did(project: Path) -> None:
    made = contents(project)
    with service(project) as address:
        models = {model["name"]: model for model in httpx.get(address, timeout=30).json()["models"]}
        assert set(models) == set(made["champions"])
        for name, before in made["answers"].items():
            assert (models[name]["version"], models[name]["problem"]) == ("1", None)
            asked = {"table_name": before["table_name"], "id": before["id"]}
            answer = httpx.post(f"{address}/predict_{name}", json=asked, timeout=30)
            assert answer.status_code == 200, answer.text
            now = answer.json()
            exact = (*asked, *CLASSES)
            assert {key: now[key] for key in exact} == {key: before[key] for key in exact}
            assert_same(probs(now), probs(before))


@pytest.mark.parametrize("setting", SETTINGS)
def test_old_points_and_old_gold_are_labelled_again(project: Path, setting: str) -> None:
    made = contents(project)
    before = made["metrics"][made["label_runs"][setting]]
    now = finished_run(project, run(LABEL, setting=setting)).data.metrics
    assert now["points"] == before["points"] == 60
    assert now["dev_points"] == before["dev_points"]
    figure = f"dev_{FIGURE[setting]}"
    assert now[figure] >= before[figure] - WORSE
    assert newest_version(project, f"{setting}_example_label_model") == 2
    assert rows(project)["example_labels"] == made["tables"]["example_labels"] + before["points_covered"]


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_model_is_trained_on_an_old_label_run_and_deployed(project: Path, setting: str) -> None:
    made = contents(project)
    before = made["metrics"][made["train_runs"][setting]]
    printed = run(TRAIN, run=made["label_runs"][setting], setting=setting)
    now = finished_run(project, printed).data.metrics
    assert now["train_points"] == before["train_points"]
    assert now["gold_points"] == before["gold_points"]
    figure = f"gold_{FIGURE[setting]}"
    assert now[figure] >= before[figure] - WORSE
    run(DEPLOY, setting=setting)
    model = f"{setting}_example"
    assert int(client(project).get_model_version_by_alias(model, "champion").version) == 2


@pytest.mark.parametrize("setting", SETTINGS)
def test_an_old_champion_predicts_many_points(project: Path, setting: str) -> None:
    made = contents(project)
    run(PREDICT, setting=setting)
    predicted = pd.read_parquet(project / "new.parquet")
    assert len(predicted) == ANNOTATED
    before = made["answers"][f"{setting}_example"]
    now = predicted.set_index("id").loc[before["id"]]
    assert_same(now["label_probs"], probs(before))
    flags = [[name for name in CLASSES if before[name][i]] for i in range(len(now))]
    assert [list(names) for names in now["label"]] == flags
    assert rows(project)["example_predictions"] == made["tables"]["example_predictions"] + ANNOTATED
    with closing(sqlite3.connect(project / "workspace" / "data.db")) as connection:  # those of before too
        (without,) = connection.execute("SELECT count(*) FROM example_predictions WHERE prob_cat IS NULL")
    assert without == (0,)


@pytest.mark.parametrize("setting", SETTINGS)
def test_an_old_label_model_loads_from_its_files_alone(project: Path, setting: str) -> None:
    files = client(project).get_model_version_download_uri(f"{setting}_example_label_model", "1")
    shutil.rmtree(project / "tasks")
    model = mlflow.pyfunc.load_model(files)
    run_id = contents(project)["label_runs"][setting]
    artifacts = project / "workspace" / "mlruns" / run_id / "artifacts"
    votes = np.load(artifacts / "train_label_matrix.npy").astype(np.int64)
    before = pd.read_parquet(artifacts / "training_data.parquet")  # what had votes, in the order of the votes
    voted = votes[(votes >= 0).any(axis=1)]
    now = model.predict(pd.DataFrame(voted, columns=model.metadata.get_input_schema().input_names()))
    assert_same(probs(now), np.stack(before["label_probs"].to_list()))
