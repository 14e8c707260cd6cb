import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import nullcontext
from pathlib import Path

import pytest
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from adaptml.errors import DatabaseUnavailableError, LabellingError, TrackingError
from adaptml.project import Project
from adaptml.runs.opening import made_by_whoever_is_first
from adaptml.runs.tracking import RunStore
from adaptml.settings import Settings

pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader:DeprecationWarning")


@pytest.fixture
def runs(tracking: Settings, project: Project) -> RunStore:
    """The run store of the clean room: an empty one, copied."""
    return project.runs


def files(client: MlflowClient, run_id: str) -> list[str]:
    return sorted(item.path for item in client.list_artifacts(run_id))


def test_a_complete_run_has_parameters_metrics_files_and_its_log(
    runs: RunStore, tracking: Settings, tmp_path: Path
) -> None:
    with runs.run("eg", "step", {"seed": 8, "dev_data": None, "long": "x" * 1000}) as run:
        (run.folder / "result.txt").write_text("42")
        run.metrics["accuracy"] = 0.5
        run.log.warning("three rows left out")
    client = runs.client
    done = client.get_run(run.run_id)
    assert done.info.status == "FINISHED"
    assert done.data.metrics == {"accuracy": 0.5}
    assert (done.data.params["seed"], done.data.params["dev_data"]) == ("8", "")
    assert len(done.data.params["long"]) == 500
    assert files(client, run.run_id) == ["log.txt", "result.txt"]
    assert "WARNING three rows left out" in runs.artifact(run.run_id, "log.txt", tmp_path).read_text()
    assert done.info.artifact_uri.startswith((tracking.home / "mlruns").as_uri())


@pytest.mark.parametrize(
    ("error", "status"), [(LabellingError("no votes"), "FAILED"), (ZeroDivisionError("x"), "FAILED"), (KeyboardInterrupt(), "KILLED")]
)  # fmt: skip
def test_a_failed_run_is_marked_and_keeps_its_log_alone(
    runs: RunStore, error: BaseException, status: str, tmp_path: Path
) -> None:
    with pytest.raises(type(error)), runs.run("eg", "step", {}) as run:
        (run.folder / "half.txt").write_text("half")
        run.metrics["accuracy"] = 0.5
        raise error
    client = runs.client
    done = client.get_run(run.run_id)
    assert done.info.status == status
    assert done.data.tags["error"].startswith(type(error).__name__)
    assert done.data.metrics == {}
    assert files(client, run.run_id) == ["log.txt"]
    log = Path(client.download_artifacts(run.run_id, "log.txt", str(tmp_path))).read_text()
    assert "Traceback" in log
    with pytest.raises(TrackingError, match=rf"^run {run.run_id} is {status}; expected one that is FINISHED"):
        runs.artifact(run.run_id, "log.txt", tmp_path)


def test_what_another_process_makes_at_the_same_time_is_taken(
    runs: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = runs.client
    look_up = client.get_experiment_by_name

    def just_before(name: str) -> object:
        """The experiment as it is when it is asked for; then somebody else makes it."""
        found = look_up(name)
        if found is None:
            client.create_experiment(name)
        return found

    monkeypatch.setattr(client, "get_experiment_by_name", just_before)
    with runs.run("eg", "step", {}) as run:
        pass
    assert client.get_run(run.run_id).info.status == "FINISHED"
    for _ in range(2):
        with made_by_whoever_is_first():
            client.create_registered_model("model")
    with pytest.raises(MlflowException, match="name"), made_by_whoever_is_first():
        client.create_registered_model("")


def test_artifacts_that_cannot_all_be_written_leave_no_part(runs: RunStore, tmp_path: Path) -> None:
    with (
        pytest.raises(TrackingError, match=r"could not be recorded: .*it is marked FAILED"),
        runs.run("eg", "step", {}) as run,
    ):
        (run.folder / "a.txt").write_text("fine")
        (run.folder / "b.txt").symlink_to(tmp_path / "nowhere")  # stands for the write that fails
    client = runs.client
    assert client.get_run(run.run_id).info.status == "FAILED"
    assert files(client, run.run_id) == ["log.txt"]


def test_a_run_that_was_deleted_is_refused(runs: RunStore, tmp_path: Path) -> None:
    with runs.run("eg", "step", {}) as run:
        pass
    runs.client.delete_run(run.run_id)
    for ask in (runs.get, runs.artifacts, lambda run_id: runs.artifact(run_id, "log.txt", tmp_path)):
        with pytest.raises(
            TrackingError, match=rf"^run {run.run_id} was deleted; choose another, or take it"
        ):
            ask(run.run_id)
    opened = runs.client.create_run(runs.client.create_experiment("opened")).info.run_id
    runs.client.delete_run(opened)
    with (
        pytest.raises(TrackingError, match=rf"^MLFLOW_RUN_ID names run {opened}, which is deleted"),
        adopting(runs, opened).run("eg", "step", {}),
    ):
        pass


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError("the answer was lost")])
def test_a_run_that_is_complete_is_not_touched_by_what_comes_after(
    runs: RunStore, error: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server has done what it was asked, and then the step is interrupted or the answer lost."""
    client, really = runs.client, runs.client.set_terminated

    def ended(run_id: str, status: str | None = None) -> None:
        really(run_id, status)
        raise error

    monkeypatch.setattr(client, "set_terminated", ended)
    expected = pytest.raises(KeyboardInterrupt) if isinstance(error, KeyboardInterrupt) else nullcontext()
    with expected, runs.run("eg", "step", {}) as run:
        (run.folder / "result.txt").write_text("42")
    assert client.get_run(run.run_id).info.status == "FINISHED"
    assert "error" not in client.get_run(run.run_id).data.tags
    assert files(client, run.run_id) == ["log.txt", "result.txt"]
    assert getattr(error, "__notes__", []) == [f"run {run.run_id} is complete"]


def test_unknown_run_and_artifact(runs: RunStore, tmp_path: Path) -> None:
    with runs.run("eg", "step", {}) as run:
        pass
    with pytest.raises(
        TrackingError, match=rf"^run {run.run_id} has no artifact x in .*/artifacts; name another run$"
    ):
        runs.artifact(run.run_id, "x", tmp_path)
    with pytest.raises(TrackingError, match=r"^run nope cannot be read from sqlite:.*; name another run$"):
        runs.artifact("nope", "x", tmp_path)


def test_a_store_that_somebody_has_locked(tmp_path: Path) -> None:
    path = tmp_path / "mlflow.db"
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("CREATE TABLE held (id)")
    holder.execute("BEGIN EXCLUSIVE")
    program = """
import sys
from adaptml.errors import TrackingError
from adaptml.runs.opening import made_by_whoever_is_first
from adaptml.runs.tracking import RunStore
try:
    RunStore(sys.argv[1]).client
except TrackingError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", program, f"sqlite:///{path}"], capture_output=True, text=True, check=False
    )
    holder.close()
    assert done.stdout.startswith(f"MLflow at sqlite:///{path} cannot be used: ")
    assert "database is locked" in done.stdout
    assert done.stdout.endswith("set MLFLOW_TRACKING_URI\n")
    assert done.stdout.count("\n") == 1


def test_a_home_folder_that_cannot_be_made(clean_room: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (clean_room / "file").write_text("")
    monkeypatch.setenv("ADAPTML_HOME", str(clean_room / "file" / "home"))
    project = Project()
    with pytest.raises(TrackingError, match=r"mlflow\.db cannot be used: .*Not a directory"):
        project.runs.client  # noqa: B018
    with pytest.raises(DatabaseUnavailableError, match=r"cannot be made: Not a directory: .*/file/home"):
        project.database  # noqa: B018


@pytest.mark.parametrize("package", ["alembic", "cryptography"])
def test_a_store_in_a_file_without_what_it_needs_is_one_line(clean_room: Path, package: str) -> None:
    code = f"import sys; sys.modules['{package}'] = None; from adaptml.cli import main; sys.argv = ['adaptml', 'runs']; main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    for word in (
        f"sqlite:///{clean_room}/workspace/mlflow.db",
        package,
        "not installed",
        "pip install -e '.[embedded]'",
    ):
        assert word in done.stderr


def test_a_store_that_takes_nothing_any_more(runs: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk: neither the run's end nor its being marked can be written, and no run can be opened."""

    def full(*_: object, **__: object) -> None:
        raise MlflowException("(sqlite3.OperationalError)\ndatabase or disk is full")

    with (
        pytest.raises(
            TrackingError,
            match=r"could not be recorded: .*Error\) database or disk is full; it is marked RUNNING",
        ),
        runs.run("eg", "step", {}),
    ):
        for name in ("log_batch", "set_tag", "set_terminated"):
            monkeypatch.setattr(MlflowClient, name, full)
    monkeypatch.setattr(MlflowClient, "create_run", full)
    with (
        pytest.raises(TrackingError, match=r"cannot open a run: .*database or disk is full"),
        runs.run("eg", "step", {}),
    ):
        pass


def test_a_server_that_is_away() -> None:
    with pytest.raises(
        TrackingError, match=r"^MLflow at http://127\.0\.0\.1:9 cannot be used: .*set MLFLOW_TRACKING_URI$"
    ):
        RunStore("http://127.0.0.1:9").client  # noqa: B018


def adopting(runs: RunStore, run_id: str) -> RunStore:
    """The same store where MLFLOW_RUN_ID names a run."""
    return RunStore(runs.uri, adopted_run=run_id)


def test_a_run_that_was_opened_for_the_step_is_used(runs: RunStore) -> None:
    experiment = runs.client.create_experiment("opened")
    opened = runs.client.create_run(experiment).info.run_id
    runs.client.log_param(opened, "seed", "08")  # as `mlflow run` writes what it was given
    with adopting(runs, opened).run("eg", "step", {"seed": 8, "task": "eg"}) as run:
        run.metrics["accuracy"] = 0.5
    done = runs.client.get_run(opened)
    assert (run.run_id, done.info.status, done.data.metrics) == (opened, "FINISHED", {"accuracy": 0.5})
    assert done.data.params == {"seed": "08", "task": "eg"}


@pytest.mark.parametrize(("given", "named"), [(None, "label pets"), ("mine", "mine")])
def test_an_opened_run_is_named_as_the_step_names_its_runs(
    runs: RunStore, given: str | None, named: str
) -> None:
    opened = runs.client.create_run(runs.client.create_experiment("made"), run_name=given).info.run_id
    with adopting(runs, opened).run("eg", "label pets", {}):
        pass
    assert runs.get(opened).info.run_name == named


def test_a_step_that_is_refused_marks_the_run_that_was_opened_for_it(runs: RunStore, tmp_path: Path) -> None:
    opened = runs.client.create_run(runs.client.create_experiment("made")).info.run_id
    adopting(runs, opened).refuse(LabellingError("no votes;\nwrite rules"))
    run = runs.client.get_run(opened)
    assert (run.info.status, run.data.tags["error"]) == ("FAILED", "LabellingError: no votes; write rules")
    assert files(runs.client, opened) == ["log.txt"]
    log = Path(runs.client.download_artifacts(opened, "log.txt", str(tmp_path)))
    assert log.read_text() == "no votes; write rules\n"
    adopting(runs, opened).refuse(LabellingError("another"))
    runs.refuse(LabellingError("of a step that opens its own"))
    adopting(RunStore("sqlite:////dev/null/mlflow.db"), opened).refuse(LabellingError("lost"))
    assert runs.client.get_run(opened).data.tags["error"].endswith("write rules")


@pytest.mark.parametrize("uri", ["mlruns", "file:mlruns"])
def test_a_folder_of_files_is_no_store_any_more(clean_room: Path, uri: str) -> None:
    with pytest.raises(
        TrackingError, match=r"no folder of files .*`mlflow migrate-filestore --source FOLDER"
    ):
        RunStore(uri).client.search_experiments()


@pytest.mark.parametrize("state", ["FINISHED", "FAILED", "metric", "artifact"])
def test_a_run_that_is_not_empty_or_ended_is_refused_and_stays_as_it_was(
    runs: RunStore, state: str, tmp_path: Path
) -> None:
    client = runs.client
    named = client.create_run(client.create_experiment("named")).info.run_id
    if state in {"FINISHED", "FAILED", "artifact"}:
        (tmp_path / "result.txt").write_text("42")
        client.log_artifact(named, str(tmp_path / "result.txt"))
    if state == "metric":
        client.log_metric(named, "accuracy", 0.5)
    if state in {"FINISHED", "FAILED"}:
        client.set_terminated(named, state)
    before = client.get_run(named)
    with (
        pytest.raises(TrackingError, match=rf"^MLFLOW_RUN_ID names run {named}, .*unset MLFLOW_RUN_ID$"),
        adopting(runs, named).run("eg", "step", {}) as run,
    ):
        (run.folder / "mine.txt").write_text("never reached")
        raise LabellingError("a step that fails")
    after = client.get_run(named)
    assert after.to_dictionary() == before.to_dictionary()
    assert files(client, named) == ([] if state == "metric" else ["result.txt"])


def test_where_a_run_can_be_looked_at(runs: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    with runs.run("eg", "step", {}) as run:
        pass
    assert run.address == run.artifact_uri
    monkeypatch.setattr(runs, "uri", "http://mlflow:5000/")
    with runs.run("eg", "step", {}) as run:
        pass
    experiment = runs.client.get_experiment_by_name("eg").experiment_id
    assert run.address == f"http://mlflow:5000/#/experiments/{experiment}/runs/{run.run_id}"


def test_a_run_id_that_names_nothing(runs: RunStore) -> None:
    with (
        pytest.raises(TrackingError, match=r"cannot open a run: .*not found"),
        adopting(runs, "0" * 32).run("eg", "step", {}),
    ):
        pass


def test_a_step_that_fails_deletes_what_it_wrote_and_nothing_else(runs: RunStore, tmp_path: Path) -> None:
    (tmp_path / "theirs.txt").write_text("of somebody else, while the step ran")
    with pytest.raises(LabellingError), runs.run("eg", "step", {}) as run:
        (run.folder / "mine.txt").write_text("half")
        runs.client.log_artifact(run.run_id, str(run.folder / "mine.txt"))
        runs.client.log_artifact(run.run_id, str(tmp_path / "theirs.txt"))
        raise LabellingError("no votes")
    assert files(runs.client, run.run_id) == ["log.txt", "theirs.txt"]


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_run_that_is_interrupted_in_the_middle(
    sent: signal.Signals, runs: RunStore, tmp_path: Path
) -> None:
    code = """
import signal, time
from adaptml.cli.support import run_command
from adaptml.project import Project
signal.signal(signal.SIGINT, signal.default_int_handler)  # tests that run in the background inherit none
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # nor, under nohup, this one
def command() -> None:
    with Project().runs.run("interrupted", "step", {}) as run:
        (run.folder / "half.txt").write_text("half")
        print(run.run_id, flush=True)
        time.sleep(60)
run_command(command)
"""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=os.environ | {"TMPDIR": str(scratch)},
    )  # fmt: skip
    assert process.stdout is not None
    run_id = process.stdout.readline().strip()
    time.sleep(0.2)
    process.send_signal(sent)
    process.communicate(timeout=30)
    assert process.returncode == 128 + sent
    assert not list(scratch.iterdir())
    client = runs.client
    assert client.get_run(run_id).info.status == "KILLED"
    assert files(client, run_id) == ["log.txt"]
