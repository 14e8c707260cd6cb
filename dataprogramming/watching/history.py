"""Earlier watches of a task, as MLflow keeps them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from adaptml.errors import TrackingError, one_line
from adaptml.frames import read_frame
from adaptml.project import Project
from adaptml.runs.opening import store_errors

STEP = "watch"
WATCHED = "watched_predictions.parquet"  # table_name, id, label, label_probs of new rows
MOST_SHOWN = 50
PAGE = 1_000


@dataclass(frozen=True)
class Watch:
    """One complete watch.

    Attributes:
        run_id: its MLflow run.
        started: when, UTC.
        params, metrics: what it logged.
    """

    run_id: str
    started: datetime
    params: Mapping[str, str]
    metrics: Mapping[str, float]


def earlier_watches(project: Project, task: str) -> list[Watch]:
    """The complete watches of a task, the oldest first.

    Raises:
        TrackingError: the tracking server or store cannot be used.
    """
    client = project.runs.client
    try:
        experiment = client.get_experiment_by_name(task)
        found = (
            []
            if experiment is None
            else client.search_runs(
                [experiment.experiment_id],
                f"attributes.run_name LIKE '{STEP} %' AND attributes.status = 'FINISHED'",
                max_results=PAGE,
                order_by=["attributes.start_time DESC"],
            )
        )
    except store_errors() as error:
        raise TrackingError(
            f"earlier watches cannot be read from {project.runs.uri}: {one_line(error)}; see that MLflow runs"
        ) from error
    return [
        Watch(
            run.info.run_id,
            datetime.fromtimestamp(run.info.start_time / 1000, UTC),
            run.data.params,
            run.data.metrics,
        )
        for run in reversed(list(found))
    ]


def first_predictions(
    project: Project, watches: list[Watch], label_run: str, model: str, folder: Path
) -> tuple[str, pd.DataFrame] | None:
    """The oldest watch of a model that kept predictions of new rows, and these; None where there is none.

    Args:
        project: whose runs.
        watches: the oldest first.
        label_run, model: what the watch was about.
        folder: where the file may be copied to.
    """
    for watch in watches:
        same = (watch.params.get("label_run"), watch.params.get("model")) == (label_run, model)
        if same and WATCHED in project.runs.artifacts(watch.run_id):
            return watch.run_id, read_frame(project.runs.artifact(watch.run_id, WATCHED, folder))
    return None
