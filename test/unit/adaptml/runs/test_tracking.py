import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from adaptml.database import Database
from adaptml.errors import DatabaseUnavailableError, LabellingError, TrackingError
from adaptml.runs.tracking import artifact, connect, tracked_run
from adaptml.settings import Settings, get_settings

pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader:DeprecationWarning")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    """One SQLite store for the module: a new one takes seconds."""
    return f"sqlite:///{tmp_path_factory.mktemp('store') / 'mlflow.db'}"


@pytest.fixture(autouse=True)
def use_store(store: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store)
    get_settings.cache_clear()
    return get_settings()


def files(client: MlflowClient, run_id: str) -> list[str]:
    return sorted(item.path for item in client.list_artifacts(run_id))


def test_a_complete_run_has_parameters_metrics_files_and_its_log(tmp_path: Path) -> None:
    with tracked_run("eg", "step", {"seed": 8, "dev_data": None, "long": "x" * 1000}) as run:
        (run.folder / "result.txt").write_text("42")
        run.metrics["accuracy"] = 0.5
        run.log.warning("three rows left out")
    client = connect()
    done = client.get_run(run.run_id)
    assert done.info.status == "FINISHED"
    assert done.data.metrics == {"accuracy": 0.5}
    assert (done.data.params["seed"], done.data.params["dev_data"]) == ("8", "")
    assert len(done.data.params["long"]) == 500
    assert files(client, run.run_id) == ["log.txt", "result.txt"]
    assert "WARNING three rows left out" in artifact(run.run_id, "log.txt", tmp_path).read_text()
    assert done.info.artifact_uri.startswith((get_settings().home / "mlruns").as_uri())


@pytest.mark.parametrize(
    ("error", "status"), [(LabellingError("no votes"), "FAILED"), (ZeroDivisionError("x"), "FAILED"), (KeyboardInterrupt(), "KILLED")]
)  # fmt: skip
def test_a_failed_run_is_marked_and_keeps_its_log_alone(
    error: BaseException, status: str, tmp_path: Path
) -> None:
    with pytest.raises(type(error)), tracked_run("eg", "step", {}) as run:
        (run.folder / "half.txt").write_text("half")
        run.metrics["accuracy"] = 0.5
        raise error
    client = connect()
    done = client.get_run(run.run_id)
    assert done.info.status == status
    assert done.data.tags["error"].startswith(type(error).__name__)
    assert done.data.metrics == {}
    assert files(client, run.run_id) == ["log.txt"]
    log = Path(client.download_artifacts(run.run_id, "log.txt", str(tmp_path))).read_text()
    assert "Traceback" in log
    with pytest.raises(
        TrackingError, match=rf"^run {run.run_id} is {status}; expected one that is FINISHED: choose another$"
    ):
        artifact(run.run_id, "log.txt", tmp_path)


def test_artifacts_that_cannot_all_be_written_leave_no_part(use_store: Settings, tmp_path: Path) -> None:
    with (
        pytest.raises(
            TrackingError, match=r"could not be recorded: .*it is marked FAILED: mend that and run again$"
        ),
        tracked_run("eg", "step", {}) as run,
    ):
        (run.folder / "a.txt").write_text("fine")
        (run.folder / "b.txt").symlink_to("/nowhere")  # stands for the write that fails
    client = connect()
    assert client.get_run(run.run_id).info.status == "FAILED"
    assert files(client, run.run_id) == ["log.txt"]


def test_unknown_run_and_artifact(tmp_path: Path) -> None:
    with pytest.raises(TrackingError, match=r"^run nope has no artifact x: .*; name another run$"):
        artifact("nope", "x", tmp_path)


def test_a_store_that_somebody_has_locked(tmp_path: Path) -> None:
    path = tmp_path / "mlflow.db"
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("CREATE TABLE held (id)")
    holder.execute("BEGIN EXCLUSIVE")
    program = "from adaptml.runs.tracking import connect\nfrom adaptml.errors import TrackingError\ntry: connect()\nexcept TrackingError as error: print(error)"
    environment = os.environ | {"MLFLOW_TRACKING_URI": f"sqlite:///{path}"}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)
    holder.close()
    assert done.stdout.startswith(f"MLflow at sqlite:///{path} cannot be used: ")
    assert "database is locked" in done.stdout
    assert done.stdout.endswith("; see that it runs, or set MLFLOW_TRACKING_URI\n")


def test_a_home_folder_that_cannot_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ADAPTML_HOME", str(tmp_path / "file" / "home"))
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    get_settings.cache_clear()
    with pytest.raises(TrackingError, match=r"mlflow\.db cannot be used: .*Not a directory"):
        connect()
    with pytest.raises(
        DatabaseUnavailableError, match=r"cannot be made: Not a directory: .*/file/home; name ano"
    ):
        Database(get_settings().database_url.get_secret_value())


def test_a_store_that_takes_nothing_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk: neither the run's end nor its being marked can be written, and no run can be opened."""

    def full(*_: object, **__: object) -> None:
        raise MlflowException("(sqlite3.OperationalError)\ndatabase or disk is full")

    with pytest.raises(TrackingError) as error, tracked_run("eg", "step", {}) as run:
        for name in ("log_batch", "set_tag", "set_terminated"):
            monkeypatch.setattr(MlflowClient, name, full)
    assert str(error.value) == (
        f"run {run.run_id} could not be recorded: (sqlite3.OperationalError) database or disk is full; "
        "it is marked RUNNING: mend that and run again"
    )
    monkeypatch.setattr(MlflowClient, "create_run", full)
    with (
        pytest.raises(
            TrackingError, match=r"cannot open a run: .*database or disk is full; mend that and run"
        ),
        tracked_run("eg", "step", {}),
    ):
        pass


def test_a_server_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    get_settings.cache_clear()
    with pytest.raises(
        TrackingError, match=r"^MLflow at http://127\.0\.0\.1:9 cannot be used: .*set MLFLOW_TRACKING_URI$"
    ):
        connect()


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_interrupted_in_the_middle(sent: signal.Signals, clean_room: Path, store: str) -> None:
    code = """
import signal, time
from adaptml.cli.support import run_command
from adaptml.runs.tracking import tracked_run
signal.signal(signal.SIGINT, signal.default_int_handler)  # tests that run in the background inherit none
def command() -> None:
    with tracked_run("interrupted", "step", {}) as run:
        (run.folder / "half.txt").write_text("half")
        print(run.run_id, flush=True)
        time.sleep(60)
run_command(command)
"""
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    run_id = process.stdout.readline().strip()
    time.sleep(0.2)
    process.send_signal(sent)
    process.communicate(timeout=30)
    assert process.returncode == (130 if sent is signal.SIGINT else 143)
    client = connect()
    assert client.get_run(run_id).info.status == "KILLED"
    assert files(client, run_id) == ["log.txt"]
