"""Where MLflow's own page shows a run, where one is running."""

from urllib.parse import quote

from adaptml.settings import Settings


def mlflow_page(settings: Settings, experiment_id: str, run_id: str = "") -> str:
    """Address of an experiment, or a run of it, on MLflow's page; empty where runs are in a file.

    Args:
        settings: of the project.
        experiment_id: the EXP_ID.
        run_id: the RUN_ID.
    """
    root = settings.tracking_uri.rstrip("/")
    if not root.startswith(("http://", "https://")) or not experiment_id:
        return ""
    page = f"{root}/#/experiments/{quote(experiment_id, safe='')}"
    return f"{page}/runs/{quote(run_id, safe='')}" if run_id else page
