"""The run that somebody opened for a step before it began, as `mlflow run` does."""

import re

from mlflow.entities import Run
from mlflow.tracking import MlflowClient

from adaptml.errors import TrackingError
from adaptml.runs.dead import process_tags

_RUN_NAME = "mlflow.runName"
_DRAWN_NAME = re.compile(r"[a-z]+-[a-z]+-\d{1,3}")  # MLflow's for a run that was given none


def adopted(client: MlflowClient, run_id: str, name: str = "") -> Run:
    """The run, if nothing of anybody else's is in it.

    Args:
        client: of the store that holds it.
        run_id: the run.
        name: what the step calls its runs: instead of a name that MLflow drew, not of a person's.

    Raises:
        TrackingError: it is over, or holds results.
    """
    run = client.get_run(run_id)
    taken = run.data.metrics or client.list_artifacts(run_id)
    state = run.info.status if run.info.lifecycle_stage == "active" else "deleted"
    if state != "RUNNING" or taken:
        raise TrackingError(
            f"MLFLOW_RUN_ID names run {run_id}, which is {state} and "
            f"{'holds results' if taken else 'empty'}; expected one that is RUNNING and empty: "
            "unset MLFLOW_RUN_ID"
        )
    for key, value in process_tags().items():
        client.set_tag(run_id, key, value)
    if name and _DRAWN_NAME.fullmatch(run.info.run_name or ""):
        client.set_tag(run_id, _RUN_NAME, name)
    return run
