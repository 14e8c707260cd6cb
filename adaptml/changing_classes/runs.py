"""Runs and models that were made with a task's classes as they are."""

import logging

from adaptml.changing_classes.report import RunsBefore
from adaptml.errors import TrackingError, one_line
from adaptml.project import Project
from adaptml.tasks import PROBLEM_TYPES, Task

FINISHED = "FINISHED"
_log = logging.getLogger(__name__)


def mark_champions(project: Project, task: Task) -> None:
    """Tell the registry the classes of now: by it, the prediction service marks a champion of other classes.

    A registry that does not answer is told by the next training; until then the champion is not marked.
    """
    if _nothing_yet(project):
        return
    from adaptml.runs.class_lists import tell_registry  # MLflow takes seconds

    try:
        tell_registry(project.runs, task)
    except TrackingError as error:
        _log.warning("champions are not marked as those of other classes: %s", error)


def _nothing_yet(project: Project) -> bool:
    """Whether there is no run yet, so that no store has to be made to see that."""
    file = project.settings.tracking_file
    return file is not None and not file.exists()


def runs_before(project: Project, task: str) -> RunsBefore:
    """The complete runs of a task, and its champions; a tracking server that does not answer is a problem."""
    if _nothing_yet(project):
        return RunsBefore()
    from adaptml.runs.listing import list_runs  # MLflow takes seconds
    from adaptml.runs.opening import store_errors
    from adaptml.runs.registry import CHAMPION, end_models

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
