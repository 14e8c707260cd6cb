"""The steps of a run of everything: each takes the order and gives an answer that can be written as JSON."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mlflow.entities import Run
from mlflow.exceptions import MlflowException

from adaptml.data import GOLD_IF_ANY, NO_GOLD, TASK_GOLD, Data, described, read_gold, read_points
from adaptml.errors import TaskError, TrackingError, listed, one_line
from adaptml.gold_labels.home import GoldHome
from adaptml.pipeline.inputs import label_inputs, train_inputs
from adaptml.pipeline.order import Order, State, StepResult
from adaptml.pipeline.usual_data import usual_data
from adaptml.project import Project
from adaptml.runs.artifacts import TRAINING_DATA
from adaptml.runs.metric import metric_of_run
from adaptml.runs.reuse import mark, run_with
from adaptml.tasks.check import check_data, check_file, check_functions


def check(project: Project, order: Order) -> StepResult:
    """Look at the task and its data, and settle which data and which gold.

    As `check_task`, but that labelling functions are loaded and not tried: their features come next.

    Raises:
        TaskError: something that a later step would refuse.
    """
    task = project.task(order.task)
    data = usual_data(project, task) if order.data is None else order.data
    findings = [*check_file(task), *check_data(project, task, data)[0], *check_functions(project, task, None)]
    errors = [f"{finding.what}: {finding.text}" for finding in findings if finding.level == "error"]
    if errors:
        raise TaskError("; ".join(errors))
    gold = order.gold
    if isinstance(gold, str) and gold == GOLD_IF_ANY:
        home = GoldHome(project, task.name)
        gold = TASK_GOLD if home.exists and len(home.rows()) else NO_GOLD
    known = read_gold(project, gold, task)
    made = [name for part in task.featurize for name in part.makes]  # by the next step
    warnings = [f.what for f in findings if f.level == "warning" and f.what.rpartition(".")[2] not in made]
    text = f"{task.setting}, {described(data)}, {0 if known is None else len(known)} gold points"
    text += f"; warnings on {listed(warnings)}" if warnings else ""
    return StepResult("check", "done", text, found={"data": data, "gold": gold})


def featurize(project: Project, order: Order) -> StepResult:
    """Compute the features of new and changed rows of the points' tables."""
    task, data = project.task(order.task), _given(order.data)
    if not task.featurize:
        return StepResult("featurize", "skipped", "the task has no section featurize")
    whole = isinstance(data, str) and project.database.has_table(data)
    tables = [str(data)] if whole else read_points(project, data)["table_name"].unique().tolist()
    made = [
        project.featurize(
            task, table, workers=order.workers, scheduler=order.scheduler, show_progress=order.show_progress
        )
        for table in tables
    ]
    new, changed, kept = (sum(getattr(m, name) for m in made) for name in ("new", "changed", "kept"))
    text = f"{new} new and {changed} changed rows, {kept} had their features already"
    return StepResult("featurize", "done" if new or changed else "kept", text)


def label(project: Project, order: Order) -> StepResult:
    """Label the points, unless that was done before from the same votes and the same gold."""
    task, data = project.task(order.task), _given(order.data)
    inputs = label_inputs(
        project, task, data, order.gold, workers=order.workers, scheduler=order.scheduler, fresh=order.fresh,
        show_progress=order.show_progress,
    )  # fmt: skip
    run = None if order.fresh else run_with(project, task.name, inputs)
    kept = run is not None and TRAINING_DATA in project.runs.artifacts(run.info.run_id)
    if run is None or not kept:
        done = project.label(task, data, order.gold, workers=order.workers, scheduler=order.scheduler)
        mark(project, done.run_id, inputs)
        run = project.runs.get(done.run_id)
    found, metric = run.data.metrics, metric_of_run(run.data.params, task.problem, task.class_names)
    text = f"{found['points_covered']:.0f} of {found['points']:.0f} points by {_model(run)}"
    if f"dev_{metric.logged}" in found:
        text += f", {metric.title} {found[f'dev_{metric.logged}']:.3f} on gold by cross-validation"
    return _of_run("label", run, {"label_model": _model(run)}, text, kept=kept)


def train(project: Project, order: Order) -> StepResult:
    """Train on these labels and on gold, unless that was done before from the same, features included."""
    task = project.task(order.task)
    inputs = train_inputs(project, task, order.label_run, order.gold)
    run = None if order.fresh else run_with(project, task.name, inputs)
    registered = None if run is None else _registered(project, run)
    kept = registered is not None
    if run is None or registered is None:
        done = project.train(task, order.label_run, gold=order.gold, show_progress=order.show_progress)
        mark(project, done.run_id, inputs)
        run, registered = project.runs.get(done.run_id), (done.model_name, done.version)
    model, version = registered
    metric = metric_of_run(run.data.params, task.problem, task.class_names)
    text = f"{model} version {version}, {run.data.params['algorithm']}"
    if f"gold_{metric.logged}" in run.data.metrics:
        found = run.data.metrics[f"gold_{metric.logged}"]
        text += f", {metric.title} {found:.3f} on gold by cross-validation"
    facts = {"model": model, "version": version, "metric": metric.logged}
    return _of_run("train", run, facts, text, kept=kept)


def compare(project: Project, order: Order) -> StepResult:
    """Compare the version with the champion."""
    task = project.task(order.task)
    done = project.compare_with_champion(
        task, order.version, order.gold, fresh=order.fresh, show_progress=order.show_progress
    )
    found = {"better": done.better, "champion": done.champion, "notes": list(done.notes)}
    if not done.run_id:
        return StepResult("compare", "done", done.sentence, found=found)
    return _of_run("compare", project.runs.get(done.run_id), found, done.sentence)


def deploy(project: Project, order: Order) -> StepResult:
    """Make the version the champion."""
    done = project.deploy(order.model, order.version)
    return StepResult("deploy", "done", f"{done.model} version {done.version} is the champion now")


STEPS: Mapping[str, Callable[[Project, Order], StepResult]] = {
    "check": check,
    "featurize": featurize,
    "label": label,
    "train": train,
    "compare": compare,
    "deploy": deploy,
}


def _given(data: Data | None) -> Data:
    if data is None:
        raise TaskError("no data points; expected those that the check settled: run everything")
    return data


def _of_run(step: str, run: Run, found: Mapping[str, Any], text: str, *, kept: bool = False) -> StepResult:
    state: State = "kept" if kept else "done"
    return StepResult(
        step, state, text, run.info.run_id, run.info.experiment_id, found, dict(run.data.metrics)
    )


def _model(run: Run) -> str:
    return str(run.data.params.get("label_model_used", ""))


def _registered(project: Project, run: Run) -> tuple[str, str] | None:
    """Name and version of the model that a run registered; None where it was removed."""
    try:
        found: Sequence[Any] = project.runs.client.search_model_versions(f"run_id = '{run.info.run_id}'")
    except MlflowException as error:
        raise TrackingError(
            f"the registry cannot be read: {one_line(error)}; see that MLflow runs"
        ) from error
    return (str(found[0].name), str(found[0].version)) if found else None
