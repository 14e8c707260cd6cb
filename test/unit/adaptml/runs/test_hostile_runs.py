"""Whoever writes to MLflow decides what is read, and runs nothing."""

import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hostile import evil_pickle, server_that_says
from mlflow.environment_variables import MLFLOW_ALLOW_PICKLE_DESERIALIZATION
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient
from typer.testing import CliRunner

from adaptml.cli.app import app
from adaptml.data import as_recorded, read_labels
from adaptml.errors import FrameError, TrackingError
from adaptml.pipeline.usual_data import usual_data
from adaptml.project import Project
from adaptml.runs.artifacts import TRAINING_DATA
from adaptml.runs.label_run import RunFiles
from adaptml.runs.registry import model_files
from adaptml.runs.tracking import RunStore
from adaptml.tasks import Task

MLFLOW = "/api/2.0/mlflow"
ARTIFACTS = f"{MLFLOW}-artifacts/artifacts"
OF_A_MODEL = ("artifacts/classifier.skops", "artifacts/names.json", "input_example.json")


@pytest.mark.parametrize(
    ("data", "facts"),
    [
        ("/somewhere/x.pkl", ["/somewhere/x.pkl", "can run code", ".parquet"]),
        ("x.pkl/", ["x.pkl/"]),
        (
            "posts where pg_sleep(9) is null",
            ["on a person's word", "--data 'posts where pg_sleep(9) is null'"],
        ),
    ],
)
def test_a_name_that_runs_something_is_taken_from_a_person_alone(data: str, facts: list[str]) -> None:
    with pytest.raises(FrameError) as raised:
        as_recorded(data)
    assert all(fact in str(raised.value) for fact in facts)


@pytest.mark.parametrize("data", ["posts", "a/b.parquet", "some.csv", "a frame of 3 rows", "", "f" * 32])
def test_other_names_are_taken_from_a_run(data: str) -> None:
    assert as_recorded(data) == data


@pytest.mark.usefixtures("tracking")
def test_what_the_last_run_was_given_is_no_order(project: Project, tmp_path: Path) -> None:
    """A run that somebody made with MLflow's means; `adaptml run` without --data looks at it."""
    project.database.create_table("posts", {"id": sa.Text()})
    task, mark = Task(name="zoo", classes=["cat", "dog"], setting="multiclass"), tmp_path / "mark"
    evil = evil_pickle(tmp_path / "x.pkl", mark)
    for data, said in (
        (str(evil), "can run code"),
        ("posts where 1 = 1", "SQL is run on a person's word only"),
    ):
        params = {"label_model_used": "x", "setting": "multiclass", "train_data": data}
        with project.runs.run("zoo", "label", params):
            pass
        with pytest.raises(FrameError, match=said):
            usual_data(project, task)
    assert not mark.exists()


@pytest.mark.usefixtures("tracking")
def test_an_artifact_is_what_its_name_says(project: Project, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    with project.runs.run("zoo", "label", {"setting": "multiclass"}) as recorder:
        for name in ("training_data.parquet", "votes.parquet", "predictions.parquet"):
            evil_pickle(recorder.folder / name, mark)
    run = RunFiles(project, recorder.run_id, tmp_path)
    message = f"^{{}}.parquet of run {recorder.run_id} is no Parquet file: .*; name another run$"
    with pytest.raises(TrackingError, match=message.format("training_data")):
        read_labels(project, recorder.run_id, TRAINING_DATA)
    with pytest.raises(TrackingError, match=message.format("votes")):
        [*run.uncovered("posts")]
    with pytest.raises(TrackingError, match=message.format("predictions")):
        [*run.probabilities("posts")]
    assert not mark.exists()


def test_a_run_is_given_no_folder_that_holds_files(tmp_path: Path) -> None:
    """A server could name any folder of this machine: a failed run's files are removed from it by name."""
    place = tmp_path / "place"
    (place / "model").mkdir(parents=True)
    (place / "model" / "mine.txt").write_text("mine")
    info = {"run_id": "a" * 32, "experiment_id": "1", "status": "RUNNING", "lifecycle_stage": "active"}
    run = {"info": info | {"artifact_uri": place.as_uri()}, "data": {}}
    answers = {
        f"{MLFLOW}/experiments/search": {"experiments": []},
        f"{MLFLOW}/experiments/get-by-name": {
            "experiment": {"experiment_id": "1", "name": "zoo", "lifecycle_stage": "active"}
        },
        f"{MLFLOW}/runs/create": {"run": run},
        f"{MLFLOW}/runs/get": {"run": run},
        f"{MLFLOW}/runs/update": {"run_info": info},
    }
    message = rf"gives a new run the folder {re.escape(str(place))}, which holds files already; nothing is"
    with (
        server_that_says(answers) as address,
        pytest.raises(TrackingError, match=message),
        RunStore(address).run("zoo", "label", {}),
    ):
        pytest.fail("the step began")
    assert [path.relative_to(place).as_posix() for path in sorted(place.rglob("*"))] == [
        "model", "model/mine.txt",
    ]  # fmt: skip


@pytest.mark.parametrize("path", ["../../evil", "/etc/evil", "evil/../../../evil", "%2e%2e/evil"])
def test_files_of_a_model_stay_in_their_folder(path: str, tmp_path: Path) -> None:
    """A server that lists paths elsewhere, and calls a file that was asked for a folder of them."""
    outside = [{"path": path, "is_dir": False, "file_size": 4}]
    names = [{"path": name, "is_dir": False} for name in ("classifier.skops", "names.json")]
    answers: dict[str, Any] = {
        f"{MLFLOW}/model-versions/get-download-uri": {"artifact_uri": "mlflow-artifacts:/m"},
        f"{ARTIFACTS}?path=m": {"files": outside},
        f"{ARTIFACTS}?path=m/artifacts": {"files": names + outside},
        f"{ARTIFACTS}?path=m/artifacts/classifier.skops": {"files": outside + names},
        ARTIFACTS: {"files": []},
    }
    files = ("classifier.skops", "names.json")
    answers |= {f"{ARTIFACTS}/m/artifacts/{name}?": b"data" for name in files}
    (tmp_path / "deep" / "copy").mkdir(parents=True)
    with server_that_says(answers) as address:
        client = MlflowClient(address, registry_uri=address)
        with suppress(MlflowException):
            model_files(client, "m", "1", tmp_path / "deep" / "copy", OF_A_MODEL)
    there = [found for found in tmp_path.rglob("*") if found.is_file()]
    assert all(found.is_relative_to(tmp_path / "deep" / "copy") for found in there)
    assert not any(found.name == "evil" for found in there)
    assert not Path("/etc/evil").exists()


@pytest.mark.usefixtures("tracking")
def test_in_every_command_mlflow_opens_no_pickle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(MLFLOW_ALLOW_PICKLE_DESERIALIZATION.name)
    assert MLFLOW_ALLOW_PICKLE_DESERIALIZATION.get()
    assert CliRunner().invoke(app, ["runs"]).exit_code == 0
    assert not MLFLOW_ALLOW_PICKLE_DESERIALIZATION.get()
