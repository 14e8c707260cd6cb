"""Runs and models that were made with a task's classes as they are."""

import logging
from pathlib import Path

from adaptml.changing_classes.report import RunsBefore
from adaptml.errors import TrackingError, one_line
from adaptml.project import Project
from adaptml.tasks import PROBLEM_TYPES, Task

FINISHED = "FINISHED"
_SQLITE = "sqlite:///"
_log = logging.getLogger(__name__)


def runs_before(project: Project, task: str) -> RunsBefore:
    """The complete runs of a task, and its champions; a tracking server that does not answer is a problem."""
    if not _has_runs(project):
        return RunsBefore()
    from adaptml.runs.listing import list_runs  # MLflow takes seconds
    from adaptml.runs.registry import CHAMPION, end_models
    from adaptml.runs.tracking import store_errors

    try:
        runs = list_runs(project, task)
        models = end_models(project.runs.client)
    except TrackingError as error:
        return RunsBefore(problem=one_line(error))
    except store_errors() as error:
        return RunsBefore(problem=one_line(error))
    steps = runs.loc[runs["status"] == FINISHED, "step"].value_counts().sort_index()
    names = {f"{setting}_{task}" for setting in PROBLEM_TYPES}
    champions = [
        f"{model.name} version {model.aliases[CHAMPION]}"
        for model in models
        if model.name in names and CHAMPION in model.aliases
    ]
    return RunsBefore({str(step): int(n) for step, n in steps.items()}, champions)


def tell_classes(project: Project, task: Task) -> None:
    """Tell the registry which classes a task has now; where it cannot be told, that is a warning."""
    if not _has_runs(project):
        return
    from adaptml.runs.class_lists import tell_registry

    try:
        tell_registry(project.runs, task)
    except TrackingError as error:
        _log.warning("%s; until then a champion of before is not marked as such", error)


def _has_runs(project: Project) -> bool:
    """Whether there can be runs: a store in a file is made by the first one."""
    uri = project.settings.tracking_uri
    return not uri.startswith(_SQLITE) or Path(uri.removeprefix(_SQLITE)).exists()
