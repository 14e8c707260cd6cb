"""Which data points a task's run is about where nobody says so."""

from adaptml.data import as_recorded
from adaptml.errors import FrameError, TrackingError, listed, one_line
from adaptml.project import Project
from adaptml.runs.opening import store_errors
from adaptml.tasks import Task

MAX_LISTED = 20


def usual_data(project: Project, task: Task) -> str:
    """What the task's last complete run of `label` was given, else the only data table.

    Args:
        project: holds runs and tables.
        task: the task.

    Raises:
        FrameError: neither says it, or the run was given what is taken from a person alone.
        TrackingError: the tracking server or store cannot be used.
    """
    last = as_recorded(_last(project, task))
    if last and (project.path(last).is_file() or project.database.has_table(last)):
        return last
    found = project.tables()
    names = found.loc[~found["id"].isin(["none", "with table_name"]), "table"].tolist()
    if len(names) == 1:
        return str(names[0])
    has = listed(names, MAX_LISTED) or "none"
    raise FrameError(
        f"nothing says which data points: no run of `label` has taken a table yet, and the data tables are "
        f"{has}; name one: --data {names[0] if names else 'TABLE'}"
    )


def _last(project: Project, task: Task) -> str:
    """What the last complete run of `label` was given; empty where there is none."""
    client = project.runs.client
    try:
        experiment = client.get_experiment_by_name(task.name)
        if experiment is None:
            return ""
        runs = client.search_runs(
            [experiment.experiment_id],
            f"params.label_model_used != '' and params.setting = '{task.setting}' and "
            "attributes.status = 'FINISHED'",
            max_results=1,
            order_by=["attributes.start_time DESC"],
        )
    except store_errors() as error:
        raise TrackingError(
            f"the runs cannot be read from {project.runs.uri}: {one_line(error)}; see that MLflow runs"
        ) from error
    return runs[0].data.params.get("train_data", "") if runs else ""
