"""What each MLflow run records: a run is complete or it did not happen.

Only `MlflowClient` with an address of its own is used: MLflow's fluent calls write the process's environment.
"""

import logging
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any

from mlflow.entities import Metric, Param, Run, RunTag
from mlflow.environment_variables import MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR
from mlflow.exceptions import MlflowException
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
from mlflow.tracking import MlflowClient

from adaptml.errors import TrackingError, one_line
from adaptml.events import EVENTS
from adaptml.masked_logs import MaskedFormatter
from adaptml.masking import masked, without_user
from adaptml.runs.adopted import adopted
from adaptml.runs.models import KIND_TAG, MODEL_FOLDER, ModelToLog, on_this_machine, save_model

LOG_FILE = "log.txt"
PARENT_TAG = "mlflow.parentRunId"  # MLflow's: on a run inside a run
NOTE_TAG = "mlflow.note.content"  # MLflow's: what its page shows as the description of a run
ERROR_TAG = "error"
_MAX_PARAM_CHARS = 500
_FOLDER = (
    "MLflow at {uri} cannot be used: MLflow takes no folder of files as a store any more; copy it into a "
    "database with `mlflow migrate-filestore --source FOLDER --target sqlite:////FULL/PATH/mlflow.db`, and "
    "set MLFLOW_TRACKING_URI to that target"
)
_LOGIN = (
    "set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, in the environment or in .env.dev, "
    "to an account that may do this there"
)
_NOT_LET_IN = (401, 403)
_MAKING = Lock()  # a new store is made by migrations that keep global state


@dataclass(frozen=True)
class ChildRun:
    """A run inside a run, such as one setting of a search: it has no files.

    Attributes:
        name: of the run.
        params: name → value.
        metrics: name → finite number; none where what it tried failed.
        error: why it failed; empty where it did not.
    """

    name: str
    params: Mapping[str, Any]
    metrics: Mapping[str, float]
    error: str = ""


@dataclass
class Recorder:
    """What a step has to say of itself; all of it is logged when the step ends.

    Attributes:
        run_id: the MLflow run.
        artifact_uri: where its artifacts will lie.
        address: where the run can be looked at: its page on the server, else the folder of its artifacts.
        folder: a temporary folder; every file in it becomes an artifact of the run.
        log: writes to the run's log.txt and to the terminal.
        params: name → value; those that are only known later are added.
        metrics: name → finite number.
        tags: name → text.
        children: runs inside this one.
        model: the model to log and to register, if the step makes one.
        model_version: the version that the registry gave it, once the run is complete.
    """

    run_id: str
    artifact_uri: str
    address: str
    folder: Path
    log: logging.Logger
    params: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    children: list[ChildRun] = field(default_factory=list)
    model: ModelToLog | None = None
    model_version: str | None = None


class RunStore:
    """MLflow's runs and registered models at one address."""

    def __init__(
        self, uri: str, artifact_root: str | None = None, adopted_run: str = "", home: Path | None = None
    ) -> None:
        """Connect on first use.

        Args:
            uri: MLflow's tracking server or store.
            artifact_root: where a new experiment's artifacts lie; None leaves it to the server.
            adopted_run: a run opened for the step, as `mlflow run` does; empty: steps open their own.
            home: folder to make before a local store in it is opened.
        """
        self.uri, self._artifact_root = uri, artifact_root
        self._adopted_run, self._home = adopted_run, home

    @cached_property
    def client(self) -> MlflowClient:
        """A client of the tracking server or store.

        Raises:
            TrackingError: it cannot be used.
        """
        for name in ("mlflow", "alembic"):  # a new store tells of 60 migrations
            logging.getLogger(name).setLevel(logging.WARNING)
        MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR.default = False  # a bar for each file of a few bytes
        logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)  # it also raises what it logs
        try:
            if self.uri.startswith("sqlite:///"):
                self._check_file(Path(self.uri.removeprefix("sqlite:///")))
            client = MlflowClient(self.uri, registry_uri=self.uri)
            with _MAKING:
                client.search_experiments(max_results=1)
        except store_errors() as error:
            if self.uri.startswith("file:") or ":" not in self.uri:
                raise TrackingError(_FOLDER.format(uri=self.uri)) from error
            raise TrackingError(
                f"MLflow at {self.uri} cannot be used: {one_line(error)}; "
                f"{_login(error) or 'see that it runs, or set MLFLOW_TRACKING_URI'}"
            ) from error
        except ImportError as error:  # what a store needs beyond the client, MLflow's client does not ask for
            raise TrackingError(
                f"runs in {self.uri} need the package {error.name}, which is not installed; "
                "install the extra: pip install -e '.[embedded]', or set MLFLOW_TRACKING_URI to a server"
            ) from error
        return client

    def _check_file(self, path: Path) -> None:
        """Refuse what can be no store: MLflow would try for a minute."""
        if self._home is not None:
            self._home.mkdir(parents=True, exist_ok=True)
        if path.is_dir() or not path.parent.is_dir():
            what = "is a folder" if path.is_dir() else "is in a folder that does not exist"
            raise TrackingError(
                f"MLflow at {self.uri} cannot be used: {path} {what}; expected a file, which is made: "
                "set MLFLOW_TRACKING_URI"
            )

    def close(self) -> None:
        """Give back every connection to a local store; the next use opens it again.

        MLflow keeps one store per address for the whole process and offers no call that closes it.
        """
        client = self.__dict__.pop("client", None)
        if client is None:
            return
        for owner in (client._tracking_client, client._get_registry_client()):
            engine = getattr(owner.store, "engine", None)
            if engine is not None:
                engine.dispose()

    @contextmanager
    def run(self, experiment: str, name: str, params: Mapping[str, Any]) -> Iterator[Recorder]:
        """One MLflow run around a step.

        Parameters, metrics, files and the model are logged at the end. A step that fails leaves a run that is
        marked FAILED (KILLED when interrupted), with its error as a tag and its log as the only file.

        Args:
            experiment: name of the experiment, made where it does not exist.
            name: name of the run.
            params: the step's parameters, as far as they are known at its start.

        Raises:
            TrackingError: the tracking server or store cannot be used, or the run to adopt is no empty one.
        """
        client = self.client
        try:
            run = (
                adopted(client, self._adopted_run, name)
                if self._adopted_run
                else self._opened(experiment, name)
            )
        except store_errors() as error:
            raise TrackingError(
                f"MLflow at {self.uri} cannot open a run: {one_line(error)}; "
                f"{_login(error) or 'fix that and run again'}"
            ) from error
        with tempfile.TemporaryDirectory(prefix="adaptml-") as scratch:
            folder = Path(scratch)
            log, handler = _run_log(folder / LOG_FILE, run.info.run_id)
            recorder = Recorder(
                run.info.run_id, run.info.artifact_uri, self._address(run), folder, log, dict(params)
            )
            try:
                log.info("run %s (%s), parameters %s", run.info.run_id, name, dict(params))
                _tell(run, name, "started")
                yield recorder
                handler.close()
                _log_all(client, run, recorder)
                _tell(run, name, "done")
            except BaseException as error:
                log.propagate = (
                    False  # the traceback is for the file; the message reaches the terminal by itself
                )
                log.error("%s", "".join(traceback.format_exception(error)))  # noqa: TRY400
                handler.close()
                status = _close_failed(client, run, folder, error)
                _tell(run, name, "failed")
                if isinstance(error, store_errors()):
                    raise TrackingError(
                        f"run {run.info.run_id} could not be recorded: {one_line(error)}; "
                        f"it is marked {status}: {_login(error) or 'fix that and run again'}"
                    ) from error
                raise
            finally:
                log.removeHandler(handler)

    def refuse(self, error: Exception) -> None:
        """Mark the run that was opened for a step which is refused before it begins, as if it had failed.

        Nothing happens where no run was opened, or where it is marked already.
        """
        with suppress(TrackingError, *store_errors()), tempfile.TemporaryDirectory() as scratch:
            if self._adopted_run:
                run = adopted(self.client, self._adopted_run)
                (Path(scratch) / LOG_FILE).write_text(f"{one_line(error)}\n", encoding="utf-8")
                _close_failed(self.client, run, Path(scratch), error)

    def get(self, run_id: str) -> Run:
        """One complete run.

        Raises:
            TrackingError: no such run, or it is not complete.
        """
        try:
            run = self.client.get_run(run_id)
        except store_errors() as error:
            raise TrackingError(
                f"run {run_id} cannot be read from {self.uri}: {one_line(error)}; name another run"
            ) from error
        if run.info.status != "FINISHED":
            raise TrackingError(
                f"run {run_id} is {run.info.status}; expected one that is FINISHED: choose another"
            )
        return run

    def artifact(self, run_id: str, name: str, folder: Path) -> Path:
        """One artifact of a run: where it lies on this machine, else a copy in a folder.

        Raises:
            TrackingError: no such run or artifact, or the run is not complete.
        """
        root = on_this_machine(str(self.get(run_id).info.artifact_uri))
        if root is not None and (root / name).is_file():
            return root / name
        try:
            return Path(self.client.download_artifacts(run_id, name, str(folder)))
        except store_errors() as error:
            raise TrackingError(
                f"run {run_id} has no artifact {name}: {one_line(error)}; name another run"
            ) from error

    def artifacts(self, run_id: str) -> set[str]:
        """Names of a complete run's artifacts.

        Raises:
            TrackingError: no such run, or it is not complete.
        """
        self.get(run_id)
        try:
            return {item.path for item in self.client.list_artifacts(run_id)}
        except store_errors() as error:
            raise TrackingError(
                f"the artifacts of run {run_id} cannot be listed: {one_line(error)}; see that its store runs"
            ) from error

    def _address(self, run: Run) -> str:
        if not self.uri.startswith(("http://", "https://")):
            return str(run.info.artifact_uri)
        server, of = without_user(self.uri).rstrip("/"), run.info
        return f"{server}/#/experiments/{of.experiment_id}/runs/{of.run_id}"

    def _opened(self, experiment: str, name: str) -> Run:
        client = self.client
        found = client.get_experiment_by_name(experiment)
        if found is None:
            number = client.create_experiment(experiment, artifact_location=self._artifact_root)
        elif found.lifecycle_stage != "active":
            raise TrackingError(
                f"experiment {experiment!r} was deleted; restore it in MLflow or name another one"
            )
        else:
            number = found.experiment_id
        return client.create_run(number, run_name=name)


def _tell(run: Run, name: str, state: str) -> None:
    found = {"run_id": run.info.run_id, "experiment_id": run.info.experiment_id}
    EVENTS.tell("run", **found, name=name, state=state)


def _run_log(path: Path, run_id: str) -> tuple[logging.Logger, logging.Handler]:
    log = logging.getLogger(f"adaptml.run.{run_id}")
    log.setLevel(logging.INFO)
    handler = logging.FileHandler(path, encoding="utf-8", errors="backslashreplace")
    handler.setFormatter(MaskedFormatter("%(asctime)s %(levelname)s %(message)s"))
    log.addHandler(handler)
    return log, handler


def _log_all(client: MlflowClient, run: Run, recorder: Recorder) -> None:
    """Everything that makes the run complete, the registered model last."""
    run_id, now = run.info.run_id, int(time.time() * 1000)
    if recorder.model is not None:
        save_model(recorder.model, recorder.folder / MODEL_FOLDER)
    # `mlflow run` has logged its own form of some parameters, which may not change.
    new = {key: _text(value) for key, value in recorder.params.items() if key not in run.data.params}
    metrics = [Metric(key, float(value), now, 0) for key, value in recorder.metrics.items()]
    tags = [RunTag(key, masked(value)) for key, value in recorder.tags.items()]
    client.log_batch(run_id, metrics, [Param(key, value) for key, value in new.items()], tags)
    client.log_artifacts(run_id, str(recorder.folder))
    for child in recorder.children:
        _log_child(client, run, child)
    if recorder.model is not None:
        recorder.model_version = _register(client, run, recorder.model)
    client.set_terminated(run_id, "FINISHED")


def _log_child(client: MlflowClient, parent: Run, child: ChildRun) -> None:
    tags = {PARENT_TAG: parent.info.run_id} | ({ERROR_TAG: _text(child.error)} if child.error else {})
    made = client.create_run(parent.info.experiment_id, run_name=child.name, tags=tags)
    now = int(time.time() * 1000)
    metrics = [Metric(key, float(value), now, 0) for key, value in child.metrics.items()]
    client.log_batch(
        made.info.run_id, metrics, [Param(key, _text(value)) for key, value in child.params.items()]
    )
    client.set_terminated(made.info.run_id, "FAILED" if child.error else "FINISHED")


def _register(client: MlflowClient, run: Run, model: ModelToLog) -> str:
    if not client.search_registered_models(f"name = '{model.registered_name}'"):
        client.create_registered_model(model.registered_name, {KIND_TAG: model.kind})
    for name, value in model.tags.items():
        client.set_registered_model_tag(model.registered_name, name, value)
    source = f"{run.info.artifact_uri}/{MODEL_FOLDER}"
    return str(client.create_model_version(model.registered_name, source, run.info.run_id).version)


def _close_failed(client: MlflowClient, run: Run, folder: Path, error: BaseException) -> str:
    """Mark the run and leave its log as the only artifact; the error itself is raised by the caller.

    Returns:
        The status that the run has now: where the store takes nothing any more, it stays RUNNING.
    """
    run_id = run.info.run_id
    status = "FAILED" if isinstance(error, Exception) else "KILLED"
    try:
        repository = get_artifact_repository(run.info.artifact_uri)
        written = {path.name for path in folder.iterdir()}  # the run was empty: nothing else in it is ours
        for item in repository.list_artifacts():  # first of all: on a full disk this makes room for the rest
            if item.path in written:
                repository.delete_artifacts(item.path)  # type: ignore[no-untyped-call]
        client.set_tag(run_id, ERROR_TAG, _text(f"{type(error).__name__}: {one_line(error)}"))
        client.log_artifact(run_id, str(folder / LOG_FILE))
    except store_errors() as second:
        logging.getLogger(__name__).warning("run %s: its log could not be kept: %s", run_id, one_line(second))
    try:
        client.set_terminated(run_id, status)
    except store_errors():
        return "RUNNING"
    return status


def _login(error: Exception) -> str:
    """What to do where a server asks who one is, or does not let one in; empty for another error."""
    if isinstance(error, MlflowException):
        status = error.get_http_status_code()
    else:  # of `requests`, which brings artifacts
        status = getattr(getattr(error, "response", None), "status_code", None)
    return _LOGIN if status in _NOT_LET_IN else ""


def store_errors() -> tuple[type[Exception], ...]:
    """What MLflow's stores raise; a local one, which alone loads SQLAlchemy, lets its errors through."""
    sqlalchemy = sys.modules.get("sqlalchemy.exc")
    return (MlflowException, OSError, *((sqlalchemy.SQLAlchemyError,) if sqlalchemy else ()))


def _text(value: Any) -> str:
    text = "" if value is None else masked(str(value))
    return text if len(text) <= _MAX_PARAM_CHARS else text[: _MAX_PARAM_CHARS - 1] + "…"
