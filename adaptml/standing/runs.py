"""What MLflow says of where a task stands: its last runs and its champion."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from mlflow.entities import Run
from mlflow.entities.model_registry import RegisteredModel

from adaptml.errors import TrackingError, one_line
from adaptml.project import Project
from adaptml.runs.class_lists import CLASSES_TAG, classes_text
from adaptml.runs.metric import metric_of_run
from adaptml.runs.opening import store_errors
from adaptml.runs.recording import PARENT_TAG
from adaptml.runs.registry import CHAMPION, end_models
from adaptml.standing.core import LastRun, LastWatch, ModellingStands
from adaptml.tasks import Task

_LABEL = "params.label_model_used != ''"
_TRAIN = "params.algorithm != '' and params.test_data != ''"  # a comparison has no data to test on
_WATCH = "attributes.run_name LIKE 'watch %'"
_SEARCHED = 50  # newest runs that are looked through; those that a search of settings tried are left out


def modelling_standing(project: Project, task: Task) -> ModellingStands:
    """The last training of a task, and its champion; a store that does not answer is a `problem`."""
    name = f"{task.setting}_{task.name}"
    if nothing_yet(project):
        return ModellingStands(model=name)
    try:
        train = last_run(project, task, _TRAIN)
        with _translated(project):
            model = next((found for found in end_models(project.runs.client) if found.name == name), None)
            newest = None if model is None else _newest(project, model)
        champion = _champion(model)
        others = champion is not None and _has_other_classes(project, name, champion, task)
    except TrackingError as error:
        return ModellingStands(model=name, problem=one_line(error))
    return ModellingStands(
        train=None if train is None else _last(train, task),
        model=name,
        newest=newest,
        champion=champion,
        other_classes=others,
    )


def last_label(project: Project, task: Task) -> LastRun | None:
    """The newest complete run of `label`; None where there is none.

    Raises:
        TrackingError: the tracking server or store cannot be used.
    """
    found = None if nothing_yet(project) else last_run(project, task, _LABEL)
    return None if found is None else _last(found, task)


def last_watch(project: Project, task: Task) -> LastWatch | None:
    """The newest complete watch; None where there is none.

    Raises:
        TrackingError: the tracking server or store cannot be used.
    """
    found = None if nothing_yet(project) else last_run(project, task, _WATCH)
    if found is None:
        return None
    metrics = found.data.metrics
    return LastWatch(
        run_id=found.info.run_id,
        experiment_id=found.info.experiment_id,
        started=_when(found),
        new_rows=int(metrics.get("rows_new", 0)),
        moved=int(metrics.get("moved", 0)),
    )


def last_run(project: Project, task: Task, condition: str) -> Run | None:
    """The newest complete run of a task that meets a condition, but for those that a search tried.

    Raises:
        TrackingError: the tracking server or store cannot be used.
    """
    client = project.runs.client
    with _translated(project):
        experiment = client.get_experiment_by_name(task.name)
        if experiment is None:
            return None
        found = client.search_runs(
            [experiment.experiment_id],
            f"{condition} and attributes.status = 'FINISHED'",
            max_results=_SEARCHED,
            order_by=["attributes.start_time DESC"],
        )
    return next((run for run in found if PARENT_TAG not in run.data.tags), None)


def nothing_yet(project: Project) -> bool:
    """Whether there is no store yet; to ask it would make one, which takes seconds."""
    file = project.settings.tracking_file
    return file is not None and not file.exists()


@contextmanager
def _translated(project: Project) -> Iterator[None]:
    try:
        yield
    except store_errors() as error:
        raise TrackingError(
            f"the runs cannot be read from {project.runs.uri}: {one_line(error)}; see that MLflow runs"
        ) from error


def _newest(project: Project, model: RegisteredModel) -> str | None:
    found = project.runs.client.search_model_versions(f"name = '{model.name}'", max_results=_SEARCHED)
    return max((str(version.version) for version in found), key=int, default=None)


def _champion(model: RegisteredModel | None) -> str | None:
    found = None if model is None else model.aliases.get(CHAMPION)
    return None if found is None else str(found)


def _has_other_classes(project: Project, name: str, version: str, task: Task) -> bool:
    with _translated(project):
        run_id = project.runs.client.get_model_version(name, version).run_id
        made_with = project.runs.client.get_run(run_id).data.tags.get(CLASSES_TAG) if run_id else None
    return made_with is not None and made_with != classes_text(task.class_names)


def _last(run: Run, task: Task) -> LastRun:
    metrics, is_label = run.data.metrics, _is_label(run)
    metric = metric_of_run(run.data.params, task.problem, task.class_names)
    on_gold = metrics.get(f"{'dev' if is_label else 'gold'}_{metric.logged}")
    return LastRun(
        run_id=run.info.run_id,
        experiment_id=run.info.experiment_id,
        started=_when(run),
        data=run.data.params.get("train_data", ""),
        points=_whole(metrics.get("points" if is_label else "train_points")),
        coverage=metrics.get("coverage") if is_label else None,
        measure=metric.title,
        on_gold=None if on_gold is None or math.isnan(on_gold) else on_gold,
        gold_points=_whole(metrics.get("dev_points" if is_label else "gold_points")),
    )


def _is_label(run: Run) -> bool:
    return "label_model_used" in run.data.params


def _when(run: Run) -> datetime:
    return datetime.fromtimestamp(run.info.start_time / 1000, UTC)


def _whole(value: float | None) -> int | None:
    return None if value is None or math.isnan(value) else int(value)
