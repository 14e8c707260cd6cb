"""Everything that one run says of itself."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from adaptml.errors import TrackingError, one_line
from adaptml.project import Project
from adaptml.runs.artifacts import LOG
from adaptml.runs.listing import setting_of, step_of, task_of
from adaptml.runs.opening import store_errors
from adaptml.runs.recording import ERROR_TAG, NOTE_TAG

LOG_CHARS = 100_000


@dataclass(frozen=True)
class RunDetails:
    """One run of any state.

    Attributes:
        run_id, experiment_id, experiment: where MLflow keeps it.
        name: of the run.
        task, step, setting: as `list_runs` gives them.
        status: FINISHED, FAILED, KILLED or RUNNING.
        started, ended: UTC; ended is None while it runs.
        params, metrics: as they were logged.
        note: what the run found, in a sentence; empty where it says none.
        error: why it failed; empty where it did not.
        artifacts: names of its files.
    """

    run_id: str
    experiment_id: str
    experiment: str
    name: str
    task: str
    step: str
    setting: str
    status: str
    started: datetime
    ended: datetime | None
    params: Mapping[str, str]
    metrics: Mapping[str, float]
    note: str
    error: str
    artifacts: Sequence[str]

    @property
    def seconds(self) -> float | None:
        """How long it took; None while it runs."""
        return None if self.ended is None else (self.ended - self.started).total_seconds()


def run_details(project: Project, run_id: str) -> RunDetails:
    """Look a run up.

    Args:
        project: whose run it is.
        run_id: an MLflow run of any state.

    Raises:
        TrackingError: no such run, or the tracking server or store cannot be used.
    """
    client = project.runs.client
    try:
        run = client.get_run(run_id)
        experiment = client.get_experiment(run.info.experiment_id).name
        artifacts = sorted(item.path for item in client.list_artifacts(run_id))
    except store_errors() as error:
        raise TrackingError(
            f"run {run_id} cannot be read from {project.runs.uri}: {one_line(error)}; name another run"
        ) from error
    return RunDetails(
        run_id=run.info.run_id,
        experiment_id=run.info.experiment_id,
        experiment=experiment,
        name=run.info.run_name or "",
        task=task_of(run, experiment),
        step=step_of(run),
        setting=setting_of(run),
        status=run.info.status,
        started=_time(run.info.start_time),
        ended=None if run.info.end_time is None else _time(run.info.end_time),
        params=dict(run.data.params),
        metrics=dict(run.data.metrics),
        note=run.data.tags.get(NOTE_TAG, ""),
        error=run.data.tags.get(ERROR_TAG, ""),
        artifacts=artifacts,
    )


def run_log(project: Project, run_id: str) -> str:
    """The end of a run's log, at most 100,000 characters; empty where it has none.

    Raises:
        TrackingError: no such run.
    """
    client = project.runs.client
    try:
        with tempfile.TemporaryDirectory(prefix="adaptml-") as folder:
            path = Path(client.download_artifacts(run_id, LOG, folder))
            text = path.read_text(encoding="utf-8", errors="replace")
    except store_errors() as error:
        if LOG in run_details(project, run_id).artifacts:
            raise TrackingError(f"the log of run {run_id} cannot be read: {one_line(error)}") from error
        return ""
    return text[-LOG_CHARS:]


def _time(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
