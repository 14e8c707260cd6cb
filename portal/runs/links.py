"""Where MLflow's own page shows a run, where one is running."""

from urllib.parse import quote

from adaptml.settings import Settings
from portal.home.services import services_of

# In the stack, labelling has an MLflow of its own; by a word of its name among the services.
OF_LABELLING = ("data programming", "label")


def mlflow_page(settings: Settings, step: str, experiment_id: str, run_id: str = "") -> str:
    """Address of an experiment, or a run of it, on MLflow's page; empty where runs are in a file.

    Args:
        settings: of the project; `services` says where people find the stack's MLflows.
        step: that made the run.
        experiment_id: the EXP_ID.
        run_id: the RUN_ID.
    """
    root = _root(settings, step)
    if not root or not experiment_id:
        return ""
    page = f"{root}/#/experiments/{quote(experiment_id, safe='')}"
    return f"{page}/runs/{quote(run_id, safe='')}" if run_id else page


def _root(settings: Settings, step: str) -> str:
    """The address of the MLflow that has a step's runs."""
    found = {one.name.lower(): one.link.rstrip("/") for one in services_of(settings) if one.link}
    named = {name: link for name, link in found.items() if "mlflow" in name or "runs" in name}
    if len(named) < 2:
        return next(iter(named.values()), "")
    of_labelling = {name for name in named if any(word in name for word in OF_LABELLING)}
    return next((link for name, link in named.items() if (name in of_labelling) == (step == "label")), "")
