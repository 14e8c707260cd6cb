"""Which runs there are, and what each found."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from functools import cache

import pandas as pd
from mlflow.entities import Run

from adaptml.errors import TaskError, TrackingError, one_line
from adaptml.project import Project
from adaptml.runs.class_lists import CLASSES_TAG, classes_text
from adaptml.runs.metric import logged_metric
from adaptml.runs.opening import store_errors
from adaptml.runs.recording import PARENT_TAG
from adaptml.tasks import PROBLEM_TYPES

PAGE = 1_000  # runs a request
ENTRY_POINT_TAG = "mlflow.project.entryPoint"
STEPS = ("label", "train", "compare")
EXAMPLE = "example"  # an entry point of MLproject, whose parameter `task` names the setting


@dataclass(frozen=True)
class _Row:
    """One run; see `list_runs`."""

    started: datetime
    task: str
    step: str
    setting: str
    status: str
    model: str
    points: float | None
    metric: str
    on_gold: float | None
    on_labels: float | None
    of_before: bool
    run_id: str


COLUMNS = [field.name for field in fields(_Row)]


def list_runs(project: Project, task: str | None = None) -> pd.DataFrame:
    """The runs of the steps `label`, `train` and `compare`, the newest first.

    Args:
        project: whose runs.
        task: only those of this task; None for all.

    Returns:
        Frame of a row per run: `started` (UTC), `task`, `step`, `setting`, `status` (FINISHED, FAILED, KILLED
        or RUNNING), `model` (label model or algorithm), `points` (to label or trained on), `metric`
        (what the run's models were compared by, such as `accuracy` or `f1_macro`), `on_gold` and `on_labels`
        (its values against gold and against the label model's labels; of `compare` the best strategy's),
        `of_before` (whether it was made with other classes than its task has now), `run_id`. What a run does
        not say is empty, NaN or False.

    Raises:
        TrackingError: the tracking server or store cannot be used.

    Example:
        >>> labelled = project.label("spam", "comments", label_model="majority_vote")
        >>> adaptml.list_runs(project, "spam")[["step", "status", "points"]].head(1)
            step    status  points
        0  label  FINISHED    24.0
    """
    classes = cache(lambda name: _classes(project, name))
    rows = [row for row in (_row(*found, classes) for found in _every_run(project)) if row.step in STEPS]
    wanted = sorted((row for row in rows if task in (None, row.task)), key=lambda row: row.started)
    frame = pd.DataFrame([asdict(row) for row in reversed(wanted)], columns=COLUMNS)
    numbers = ["points", "on_gold", "on_labels"]
    return frame.astype(dict.fromkeys(numbers, "float64") | {"started": "datetime64[ms, UTC]"})


def _every_run(project: Project) -> Iterator[tuple[Run, str]]:
    """Every run, and the name of its experiment."""
    client = project.runs.client
    try:
        names = {found.experiment_id: found.name for found in client.search_experiments()}
        token: str | None = None
        while names:
            page = client.search_runs(list(names), max_results=PAGE, page_token=token)
            yield from ((run, names[run.info.experiment_id]) for run in page)
            token = page.token
            if not token:
                return
    except store_errors() as error:
        raise TrackingError(
            f"the runs cannot be read from {project.runs.uri}: {one_line(error)}; see that MLflow runs"
        ) from error


def _classes(project: Project, task: str) -> str:
    """The classes that a task has now; empty where there is no such task any more."""
    try:
        return classes_text(project.task(task).class_names)
    except TaskError:
        return ""


def _row(run: Run, experiment: str, classes: Callable[[str], str]) -> _Row:
    params, metrics = run.data.params, run.data.metrics
    step, setting = step_of(run), setting_of(run)
    problem = PROBLEM_TYPES.get(setting)
    metric = "" if problem is None else logged_metric(params, problem)
    task, made_with = task_of(run, experiment), run.data.tags.get(CLASSES_TAG, "")
    model = params.get("label_model_used") or params.get("label_model", "")
    return _Row(
        started=datetime.fromtimestamp(run.info.start_time / 1000, UTC),
        task=task,
        step=step,
        setting=setting,
        status=run.info.status,
        model=model if step == "label" else params.get("algorithm", ""),
        points=metrics.get("points", metrics.get("train_points")),
        metric=metric,
        on_gold=_on_gold(step, metric, metrics),
        on_labels=metrics.get(f"lm_{metric}"),
        of_before=bool(made_with) and classes(task) not in ("", made_with),
        run_id=run.info.run_id,
    )


def step_of(run: Run) -> str:
    """The step that made a run, or empty; one that `mlflow run` opened has a name that says nothing."""
    if PARENT_TAG in run.data.tags:  # a setting that a search tried
        return ""
    named = (run.info.run_name or "").split(" ")[0]
    if named in STEPS:
        return named
    params = run.data.params
    if "label_model" in params:
        return "label"
    return "train" if "algorithm" in params else ""


def setting_of(run: Run) -> str:
    """A run that failed has no parameters; the name that a step gives ends in the setting."""
    last = (run.info.run_name or "").split(" ")[-1]
    return run.data.params.get("setting") or (last if last in PROBLEM_TYPES else "")


def task_of(run: Run, experiment: str) -> str:
    """The task of a run; steps name the experiment after it."""
    if run.data.tags.get(ENTRY_POINT_TAG) == EXAMPLE:
        return EXAMPLE
    return run.data.params.get("task", experiment)


def _on_gold(step: str, metric: str, metrics: dict[str, float]) -> float | None:
    if step == "compare":
        found = [value for name, value in metrics.items() if name.endswith(f"_{metric}")]
        return max(found, default=None)
    return metrics.get(f"dev_{metric}" if step == "label" else f"gold_{metric}")
