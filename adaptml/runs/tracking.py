"""What each MLflow run records: a run is complete or it did not happen.

Only `MlflowClient` with an address of its own is used: MLflow's fluent calls write the process's environment.
"""

import logging
import tempfile
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import Any

from mlflow.entities import Run
from mlflow.tracking import MlflowClient

from adaptml.errors import TrackingError, one_line
from adaptml.events import EVENTS
from adaptml.leftovers import scratch_folder
from adaptml.masked_logs import MaskedFormatter
from adaptml.masking import without_user
from adaptml.runs.adopted import adopted
from adaptml.runs.artifacts import checked
from adaptml.runs.dead import mark_dead, process_tags
from adaptml.runs.models import on_this_machine
from adaptml.runs.moved import warn_of_another_place
from adaptml.runs.opening import login, made_by_whoever_is_first, open_client, store_errors
from adaptml.runs.recording import LOG_FILE, Recorder, close_failed, record


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
        return open_client(self.uri, self._home, self._adopted_run)

    def close(self) -> None:
        """Give back every connection to a local store; the next use opens it again."""
        client = self.__dict__.pop("client", None)
        if client is not None:
            close_stores(client)

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
        mark_dead(client)
        try:
            run = (
                adopted(client, self._adopted_run, name)
                if self._adopted_run
                else self._opened(experiment, name)
            )
        except store_errors() as error:
            raise TrackingError(
                f"MLflow at {self.uri} cannot open a run: {one_line(error)}; "
                f"{login(error) or 'fix that and run again'}"
            ) from error
        if self._home is not None and self._artifact_root is not None:
            warn_of_another_place(run, self._home)
        with scratch_folder() as folder:
            log, handler = _run_log(folder / LOG_FILE, run.info.run_id)
            recorder = Recorder(
                run.info.run_id, run.info.artifact_uri, self._address(run), folder, log, dict(params)
            )
            try:
                log.info("run %s (%s), parameters %s", run.info.run_id, name, dict(params))
                _tell(run, name, "started")
                yield recorder
                handler.close()
                record(client, run, recorder, self.uri)
                _tell(run, name, "done")
            except BaseException as error:
                log.propagate = (
                    False  # the traceback is for the file; the message reaches the terminal by itself
                )
                log.error("%s", "".join(traceback.format_exception(error)))  # noqa: TRY400
                handler.close()
                status = close_failed(client, run, folder, error, recorder)
                _tell(run, name, "done" if status == "FINISHED" else "failed")
                if isinstance(error, store_errors()):
                    if status == "FINISHED":  # only the answer that said so was lost
                        return
                    raise TrackingError(
                        f"run {run.info.run_id} could not be recorded: {one_line(error)}; "
                        f"it is marked {status}: {login(error) or 'fix that and run again'}"
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
                close_failed(self.client, run, Path(scratch), error)

    def get(self, run_id: str) -> Run:
        """One complete run.

        Raises:
            TrackingError: no such run, it is not complete, or it was deleted.
        """
        try:
            run = self.client.get_run(run_id)
        except store_errors() as error:
            raise TrackingError(
                f"run {run_id} cannot be read from {self.uri}: {one_line(error)}; name another run"
            ) from error
        if run.info.lifecycle_stage != "active":
            raise TrackingError(
                f"run {run_id} was deleted; choose another, or take it back with `mlflow runs restore "
                f"--run-id {run_id}`"
            )
        if run.info.status != "FINISHED":
            raise TrackingError(
                f"run {run_id} is {run.info.status}; expected one that is FINISHED: choose another"
            )
        return run

    def artifact(self, run_id: str, name: str, folder: Path) -> Path:
        """One artifact of a run: where it lies on this machine, else a copy in a folder.

        Raises:
            TrackingError: no such run or artifact, the run is not complete, or the artifact is something else
                than its name says.
        """
        root = on_this_machine(str(self.get(run_id).info.artifact_uri))
        if root is not None:
            if (root / name).is_file():
                return checked(root / name, run_id)
            raise TrackingError(f"run {run_id} has no artifact {name} in {root}; name another run")
        try:
            return checked(Path(self.client.download_artifacts(run_id, name, str(folder))), run_id)
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
            with made_by_whoever_is_first():
                client.create_experiment(experiment, artifact_location=self._artifact_root)
            found = client.get_experiment_by_name(experiment)
        if found is None or found.lifecycle_stage != "active":
            raise TrackingError(
                f"experiment {experiment!r} was deleted; restore it in MLflow or name another one"
            )
        run = client.create_run(found.experiment_id, run_name=name, tags=process_tags())
        place = on_this_machine(str(run.info.artifact_uri))
        if place is not None and place.is_dir() and any(place.iterdir()):
            client.set_terminated(run.info.run_id, "FAILED")
            raise TrackingError(
                f"MLflow at {self.uri} gives a new run the folder {place}, which holds files already; "
                "nothing is written there: see the artifact location of the experiment, or name another one"
            )
        return run


def close_stores(client: MlflowClient) -> None:
    """Give back every connection of a client to a local store; the next use opens them again.

    MLflow keeps one store per address for the whole process and offers no call that closes it.
    """
    for owner in (client._tracking_client, client._get_registry_client()):  # type: ignore[no-untyped-call]
        engine = getattr(owner.store, "engine", None)
        if engine is not None:
            engine.dispose()


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
