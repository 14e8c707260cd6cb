"""What each MLflow run records: a run is complete or it did not happen."""

import logging
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import mlflow
from mlflow.entities import Metric, Param, Run
from mlflow.exceptions import MlflowException
from mlflow.models.signature import ModelSignature
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
from mlflow.tracking import MlflowClient

from adaptml.errors import TrackingError
from adaptml.settings import get_settings

LOG_FILE = "log.txt"
KIND_TAG = "adaptml.kind"  # on a registered model: end_model or label_model
CHAMPION = "champion"
_MAX_PARAM_CHARS = 500


@dataclass(frozen=True)
class ModelToLog:
    """A model from code and plain files, registered when its run is complete.

    Attributes:
        registered_name: name in the registry.
        kind: `end_model` or `label_model`, a tag of the registered model.
        code: the Python file that defines the model (MLflow's "models from code"); no pickle.
        files: name → file that the model reads when it is loaded.
        signature: columns in, columns out.
        input_example: a frame that the model accepts.
        requirements: pip requirements, pinned.
    """

    registered_name: str
    kind: str
    code: Path
    files: Mapping[str, Path]
    signature: ModelSignature
    input_example: Any
    requirements: list[str]


@dataclass
class Recorder:
    """What a step has to say of itself; all of it is logged when the step ends.

    Attributes:
        run_id: the MLflow run.
        folder: a temporary folder; every file in it becomes an artifact of the run.
        log: writes to the run's log.txt and to the terminal.
        metrics: name → finite number.
        model: the model to log and to register, if the step makes one.
        model_version: the version that the registry gave it, once the run is complete.
    """

    run_id: str
    folder: Path
    log: logging.Logger
    metrics: dict[str, float] = field(default_factory=dict)
    model: ModelToLog | None = None
    model_version: str | None = None


def connect() -> MlflowClient:
    """A client of the tracking server or store that the settings name.

    Raises:
        TrackingError: it cannot be used.
    """
    settings = get_settings()
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")  # ours say what they count
    for name in ("mlflow", "alembic"):  # a new store tells of 60 migrations
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)  # it also raises what it logs
    if mlflow.get_tracking_uri() != settings.tracking_uri:
        mlflow.set_tracking_uri(settings.tracking_uri)
    try:
        if settings.tracking_uri.startswith("sqlite:///"):
            settings.home.mkdir(parents=True, exist_ok=True)
        client = MlflowClient()
        client.search_experiments(max_results=1)
    except _store_errors() as error:
        raise TrackingError(
            f"MLflow at {settings.tracking_uri} cannot be used: {_one_line(error)}; "
            "see that it runs, or set MLFLOW_TRACKING_URI"
        ) from error
    return client


@contextmanager
def tracked_run(experiment: str, name: str, params: Mapping[str, Any]) -> Iterator[Recorder]:
    """One MLflow run around a step.

    Inside `mlflow run` it is the run that MLflow opened, elsewhere a new one in `experiment`.
    Parameters, metrics, files and the model are logged at the end. A step that fails leaves a run that
    is marked FAILED (KILLED when interrupted), with its error as a tag and its log as the only file.

    Args:
        experiment: name of the experiment, made where it does not exist.
        name: name of the run.
        params: the step's parameters.

    Raises:
        TrackingError: the tracking server or store cannot be used.
    """
    client = connect()
    try:
        run = _open_run(client, experiment, name)
    except _store_errors() as error:
        raise TrackingError(
            f"MLflow at {get_settings().tracking_uri} cannot open a run: {_one_line(error)}; "
            "mend that and run again"
        ) from error
    with tempfile.TemporaryDirectory(prefix="adaptml-") as scratch:
        folder = Path(scratch)
        log, handler = _run_log(folder / LOG_FILE, run.info.run_id)
        recorder = Recorder(run.info.run_id, folder, log)
        try:
            log.info("run %s (%s), parameters %s", run.info.run_id, name, dict(params))
            yield recorder
            handler.close()
            _log_all(client, run, recorder, params)
        except BaseException as error:
            log.propagate = False  # the traceback is for the file; the message reaches the terminal by itself
            log.error("%s", "".join(traceback.format_exception(error)))  # noqa: TRY400
            handler.close()
            status = _close_failed(client, run, folder / LOG_FILE, error)
            if isinstance(error, _store_errors()):
                raise TrackingError(
                    f"run {run.info.run_id} could not be recorded: {_one_line(error)}; "
                    f"it is marked {status}: mend that and run again"
                ) from error
            raise
        finally:
            log.removeHandler(handler)


def artifact(run_id: str, name: str, folder: Path) -> Path:
    """Copy one artifact of a run into a folder; returns the file.

    Raises:
        TrackingError: no such run or artifact, or the run is not complete.
    """
    client = connect()
    try:
        run = client.get_run(run_id)
        if run.info.status != "FINISHED":
            raise TrackingError(
                f"run {run_id} is {run.info.status}; expected one that is FINISHED: choose another"
            )
        return Path(client.download_artifacts(run_id, name, str(folder)))
    except (MlflowException, OSError) as error:
        raise TrackingError(
            f"run {run_id} has no artifact {name}: {_one_line(error)}; name another run"
        ) from error


def _open_run(client: MlflowClient, experiment: str, name: str) -> Run:
    given = os.environ.get("MLFLOW_RUN_ID")
    if given:
        return client.get_run(given)
    found = client.get_experiment_by_name(experiment)
    if found is None:
        settings = get_settings()
        local = settings.tracking_uri.startswith("sqlite:")
        root = (settings.home / "mlruns").as_uri() if local else None
        experiment_id = client.create_experiment(experiment, artifact_location=root)
    elif found.lifecycle_stage != "active":
        raise TrackingError(
            f"experiment {experiment!r} was deleted; restore it in MLflow or name another one"
        )
    else:
        experiment_id = found.experiment_id
    return client.create_run(experiment_id, run_name=name)


def _run_log(path: Path, run_id: str) -> tuple[logging.Logger, logging.Handler]:
    log = logging.getLogger(f"adaptml.run.{run_id}")
    log.setLevel(logging.INFO)
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    log.addHandler(handler)
    return log, handler


def _log_all(client: MlflowClient, run: Run, recorder: Recorder, params: Mapping[str, Any]) -> None:
    """Everything that makes the run complete, the registered model last."""
    run_id, now = run.info.run_id, int(time.time() * 1000)
    # `mlflow run` has logged its own form of some parameters, which may not change.
    new = {key: _text(value) for key, value in params.items() if key not in run.data.params}
    metrics = [Metric(key, float(value), now, 0) for key, value in recorder.metrics.items()]
    client.log_batch(run_id, metrics, [Param(key, value) for key, value in new.items()])
    client.log_artifacts(run_id, str(recorder.folder))
    if recorder.model is not None:
        recorder.model_version = _register(client, run_id, recorder.model)
    client.set_terminated(run_id, "FINISHED")


def _register(client: MlflowClient, run_id: str, model: ModelToLog) -> str:
    with mlflow.start_run(run_id=run_id):
        info = mlflow.pyfunc.log_model(
            name=model.registered_name,
            python_model=str(model.code),
            artifacts={name: str(path) for name, path in model.files.items()},
            signature=model.signature,
            input_example=model.input_example,
            pip_requirements=model.requirements,
        )
    # MLflow only warns of a model that does not load again; ours is tried before it gets a version.
    mlflow.pyfunc.load_model(info.model_uri).predict(model.input_example)
    if not client.search_registered_models(f"name = '{model.registered_name}'"):
        client.create_registered_model(model.registered_name, {KIND_TAG: model.kind})
    # A tracking server wants the model's id beside its address; a local store does without.
    made = client.create_model_version(model.registered_name, info.model_uri, run_id, model_id=info.model_id)
    return str(made.version)


def _close_failed(client: MlflowClient, run: Run, log_file: Path, error: BaseException) -> str:
    """Mark the run and leave its log as the only artifact; the error itself is raised by the caller.

    Returns:
        The status that the run has now: where the store takes nothing any more, it stays RUNNING.
    """
    run_id = run.info.run_id
    status = "FAILED" if isinstance(error, Exception) else "KILLED"
    try:
        repository = get_artifact_repository(run.info.artifact_uri)
        for item in repository.list_artifacts():  # first of all: on a full disk this makes room for the rest
            repository.delete_artifacts(item.path)  # type: ignore[no-untyped-call]
        client.set_tag(run_id, "error", _text(f"{type(error).__name__}: {_one_line(error)}"))
        client.log_artifact(run_id, str(log_file))
    except _store_errors() as second:
        logging.getLogger(__name__).warning(
            "run %s: its log could not be kept: %s", run_id, _one_line(second)
        )
    try:
        client.set_terminated(run_id, status)
    except _store_errors():
        return "RUNNING"
    return status


def _store_errors() -> tuple[type[Exception], ...]:
    """What MLflow's stores raise; a local one, which alone loads SQLAlchemy, lets its errors through."""
    sqlalchemy = sys.modules.get("sqlalchemy.exc")
    return (MlflowException, OSError, *((sqlalchemy.SQLAlchemyError,) if sqlalchemy else ()))


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _text(value: Any) -> str:
    text = "" if value is None else str(value)
    return text if len(text) <= _MAX_PARAM_CHARS else text[: _MAX_PARAM_CHARS - 1] + "…"
