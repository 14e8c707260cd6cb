"""What a step has to say of itself, and how it gets into its MLflow run: all at the end, or not at all."""

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlflow.entities import Metric, Param, Run, RunTag
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
from mlflow.tracking import MlflowClient

from adaptml.errors import one_line
from adaptml.masking import masked
from adaptml.runs.models import KIND_TAG, MODEL_FOLDER, ModelToLog, save_model
from adaptml.runs.opening import made_by_whoever_is_first, store_errors
from adaptml.runs.patience import patiently

LOG_FILE = "log.txt"
PARENT_TAG = "mlflow.parentRunId"  # MLflow's: on a run inside a run
NOTE_TAG = "mlflow.note.content"  # MLflow's: what its page shows as the description of a run
ERROR_TAG = "error"
_MAX_PARAM_CHARS = 500


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


def record(client: MlflowClient, run: Run, recorder: Recorder, where: str) -> None:
    """Log everything that makes the run complete, the registered model last.

    Args:
        client: of the store that has the run.
        run: is FINISHED in the end.
        recorder: what the step had to say.
        where: the server's or the store's address; a server that is away is waited for.
    """
    run_id, now = run.info.run_id, int(time.time() * 1000)
    if recorder.model is not None:
        save_model(recorder.model, recorder.folder / MODEL_FOLDER)
    # `mlflow run` has logged its own form of some parameters, which may not change.
    new = {key: _text(value) for key, value in recorder.params.items() if key not in run.data.params}
    metrics = [Metric(key, float(value), now, 0) for key, value in recorder.metrics.items()]
    tags = [RunTag(key, masked(value)) for key, value in recorder.tags.items()]
    params = [Param(key, value) for key, value in new.items()]
    patiently(lambda: client.log_batch(run_id, metrics, params, tags), where)
    patiently(lambda: client.log_artifacts(run_id, str(recorder.folder)), where)
    for child in recorder.children:
        _log_child(client, run, child, where)
    if recorder.model is not None:
        recorder.model_version = _register(client, run, recorder.model, where)
    patiently(lambda: client.set_terminated(run_id, "FINISHED"), where)


def _log_child(client: MlflowClient, parent: Run, child: ChildRun, where: str) -> None:
    experiment, now = parent.info.experiment_id, int(time.time() * 1000)
    tags = {PARENT_TAG: parent.info.run_id} | ({ERROR_TAG: _text(child.error)} if child.error else {})
    made = patiently(lambda: client.create_run(experiment, run_name=child.name, tags=tags), where)
    metrics = [Metric(key, float(value), now, 0) for key, value in child.metrics.items()]
    params = [Param(key, _text(value)) for key, value in child.params.items()]
    status = "FAILED" if child.error else "FINISHED"
    patiently(lambda: client.log_batch(made.info.run_id, metrics, params), where)
    patiently(lambda: client.set_terminated(made.info.run_id, status), where)


def _register(client: MlflowClient, run: Run, model: ModelToLog, where: str) -> str:
    name, source = model.registered_name, f"{run.info.artifact_uri}/{MODEL_FOLDER}"

    def prepare() -> None:
        if not client.search_registered_models(f"name = '{name}'"):
            with made_by_whoever_is_first():
                client.create_registered_model(name, {KIND_TAG: model.kind})
        for key, value in model.tags.items():
            client.set_registered_model_tag(name, key, value)

    patiently(prepare, where)
    made = patiently(lambda: client.create_model_version(name, source, run.info.run_id), where)
    return str(made.version)


def close_failed(
    client: MlflowClient, run: Run, folder: Path, error: BaseException, recorder: Recorder | None = None
) -> str:
    """Mark the run and leave its log as the only artifact; the error itself is raised by the caller.

    Args:
        client: of the store that has the run.
        run: as it was opened.
        folder: has the log, and files that may be among the run's artifacts.
        error: why.
        recorder: knows the version that was registered already.

    Returns:
        The status that the run has now: where the store takes nothing any more, it stays RUNNING; where the
        run was complete before it was interrupted, it stays FINISHED and nothing of it is touched.
    """
    run_id = run.info.run_id
    status = "FAILED" if isinstance(error, Exception) else "KILLED"
    try:
        if client.get_run(run_id).info.status == "FINISHED":
            error.add_note(f"run {run_id} is complete")
            return "FINISHED"
        if recorder is not None and recorder.model is not None and recorder.model_version is not None:
            client.delete_model_version(recorder.model.registered_name, recorder.model_version)
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


def _text(value: Any) -> str:
    text = "" if value is None else masked(str(value))
    return text if len(text) <= _MAX_PARAM_CHARS else text[: _MAX_PARAM_CHARS - 1] + "…"
