"""`adaptml run` on the host: each step is done in the container that can do it."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path

from adaptml.data import GOLD_IF_ANY
from adaptml.pipeline.order import Order, StepResult
from adaptml.pipeline.result import RunResult
from adaptml.pipeline.run import StepEvent, alone, run_steps
from adaptml.project import Project
from adaptml.stack.compose import StackError
from adaptml.stack.host import Step

LABELLING, MODELLING = "dp-mlflow", "modelling-mlflow"
SERVICES: Mapping[str, str] = {
    "check": LABELLING,
    "featurize": LABELLING,
    "label": LABELLING,
    "train": MODELLING,
    "compare": MODELLING,
    "deploy": MODELLING,
}


def run_in_stack(
    step: Step,
    project: Project,
    task: str,
    data: str | None = None,
    *,
    gold: str = GOLD_IF_ANY,
    deploy_if_better: bool = False,
    workers: int = 1,
    scheduler: str | None = None,
    fresh: bool = False,
    on_event: Callable[[StepEvent], None] | None = None,
    lock_folder: Path | None = None,
) -> RunResult:
    """Do all steps as `adaptml.run` does, in the stack's containers.

    Args:
        step: runs `adaptml …` in a container, as `adaptml.stack.host.step` does.
        project: of the host's folder, whose task it is.
        task: name of the task.
        data: as `run` has it; a file as the containers know it, such as `/unlabeled_data/posts.parquet`.
        gold: as `run` has it; a file likewise.
        deploy_if_better, workers, scheduler, fresh, on_event: as `run` has them.
        lock_folder: where the lock of the task lies; None: the home folder.

    Raises:
        PipelineError: the stack does not run, or a step cannot be done.
    """
    order = Order(task, data, gold, workers, scheduler, fresh)
    with alone(lock_folder or project.settings.home, task):
        return run_steps(partial(_do, step), project.task(task), order, deploy_if_better, on_event)


def _do(step: Step, name: str, order: Order) -> StepResult:
    return answer_of(step(SERVICES[name], *words_of(name, order), show=False), name)


def words_of(name: str, order: Order) -> list[str]:
    """What is typed after `adaptml` to have one step done and answered in JSON."""
    return ["run", str(order.task), "--step", name, "--order", json.dumps(asdict(order))]


def order_of(text: str) -> Order:
    """The order that `words_of` wrote.

    Raises:
        StackError: something else, as another version writes it.
    """
    try:
        return Order(**json.loads(text))
    except (ValueError, TypeError) as error:
        raise StackError(
            f"the order {text[:80]!r} is not of this version; build the images with `adaptml up --build`"
        ) from error


def answer(done: StepResult) -> str:
    """A step's answer on one line."""
    return json.dumps(asdict(done))


def answer_of(printed: str, name: str) -> StepResult:
    """The answer in what a step printed: its last line.

    Raises:
        StackError: there is none.
    """
    last = printed.strip().rpartition("\n")[2]
    try:
        return StepResult(**json.loads(last))
    except (ValueError, TypeError) as error:
        raise StackError(
            f"{SERVICES[name]} gave no answer to {name} but {last[:80]!r}; expected an image of this "
            "version: build it with `adaptml up --build`"
        ) from error
