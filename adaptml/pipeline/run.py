"""One run of everything, made for a nightly job and for a button: nothing is asked, what is done is kept."""

import fcntl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

from adaptml.data import GOLD_IF_ANY, Data
from adaptml.errors import AdaptmlError, FileError, PipelineError
from adaptml.events import EVENTS
from adaptml.pipeline.order import Order, StepResult
from adaptml.pipeline.result import RunResult
from adaptml.project import Project
from adaptml.tasks import Task

Do = Callable[[str, Order], StepResult]  # does the step of a name


@dataclass(frozen=True)
class StepEvent:
    """What a run of everything is at.

    Attributes:
        step: name of the step: check, featurize, label, train, compare or deploy.
        state: `started`; then `done`, `kept` (taken again from before), `skipped` or `failed`.
        text: one line for people; empty at its start.
        run_id, experiment_id: the step's MLflow run; empty where it has none, and until it is done.
        found: what later steps go by, such as `model`, `version` and `better`, once it is done.

    Example:
        >>> seen = []
        >>> _ = project.run("spam", "comments", on_event=seen.append)
        >>> seen[0], seen[1].state
        (StepEvent(step='check', state='started', text='', run_id=''), 'done')
    """

    step: str
    state: Literal["started", "done", "kept", "skipped", "failed"]
    text: str = ""
    run_id: str = ""
    experiment_id: str = field(default="", repr=False)
    found: Mapping[str, Any] = field(default_factory=dict, repr=False)


def run(
    project: Project,
    task: str | Task,
    data: Data | None = None,
    *,
    gold: Data = GOLD_IF_ANY,
    deploy_if_better: bool = False,
    workers: int = 1,
    scheduler: str | None = None,
    fresh: bool = False,
    on_event: Callable[[StepEvent], None] | None = None,
    show_progress: bool = False,
) -> RunResult:
    """Do all steps from new rows to a version that is compared with the champion.

    Checks the task and the data, computes features of new and changed rows, labels, trains, and compares
    with the champion (see `compare_with_champion`). Stops where a step cannot go on. A step that was finished
    before from the same is not done again, so that a run that was stopped or killed goes on where it was: the
    MLflow runs carry a hash of all that they were made from.

    Args:
        project: holds everything.
        task: the task or its name.
        data: the points to label: a table, `table where …`, a frame or a path of one; None: what the task was
            labelled on last, else the only data table.
        gold: `task`, `none`, or a frame with gold_label or the path of one; by default the task's, if any.
        deploy_if_better: make the version the champion where it is better, or the first.
        workers: processes that compute features and apply labelling functions.
        scheduler: address of a scheduler whose workers do that, see `adaptml.scale`.
        fresh: do anew what was done before from the same.
        on_event: is told of the beginning and the end of each step.
        show_progress: draw progress bars.

    Raises:
        PipelineError: a step cannot be done; it says which and why. What was done before it is kept.

    Example:
        >>> done = project.run("spam", "comments", deploy_if_better=True)
        >>> [step.step for step in done.steps]
        ['check', 'featurize', 'label', 'train', 'compare', 'deploy']
    """
    order = Order(task, data, gold, workers, scheduler, fresh, show_progress)
    found = project.task(task)
    with alone(project.settings.home, found.name):
        return run_steps(partial(_here, project), found, order, deploy_if_better, on_event)


def _here(project: Project, step: str, order: Order) -> StepResult:
    from adaptml.pipeline.steps import STEPS  # only where the steps are done

    return STEPS[step](project, order)


def run_steps(
    do: Do,
    task: Task,
    order: Order,
    deploy_if_better: bool,
    on_event: Callable[[StepEvent], None] | None = None,
) -> RunResult:
    """Have the steps done one after the other, wherever that is.

    Args:
        do: does one step.
        task: the task of the order.
        order: what is to be done.
        deploy_if_better: as `run` has it.
        on_event: as `run` has it.

    Raises:
        PipelineError: a step cannot be done.
    """
    steps: list[StepResult] = []

    def tell(event: StepEvent) -> None:
        EVENTS.tell("step", **asdict(event))
        if on_event is not None:
            on_event(event)

    def step(name: str) -> StepResult:
        tell(StepEvent(name, "started"))
        try:
            done = do(name, order)
        except AdaptmlError as error:
            tell(StepEvent(name, "failed", str(error)))
            raise error if isinstance(error, PipelineError) else PipelineError(name, str(error)) from error
        return finished(done)

    def finished(done: StepResult) -> StepResult:
        steps.append(done)
        found = {} if done.step == "check" else done.found  # its data may be a frame
        tell(StepEvent(done.step, done.state, done.text, done.run_id, done.experiment_id, found))
        return done

    settled = step("check").found
    order = replace(order, data=settled["data"], gold=settled["gold"])
    step("featurize")
    order = replace(order, label_run=step("label").run_id)
    trained = step("train").found
    order = replace(order, model=trained["model"], version=trained["version"])
    better = step("compare").found["better"]
    if better and deploy_if_better:
        step("deploy")
    else:
        finished(StepResult("deploy", "skipped", "not asked for" if better else "the champion stays"))
    return RunResult(task.name, trained["metric"], task.problem.measure, steps)


@contextmanager
def alone(home: Path, task: str) -> Iterator[None]:
    """A block that only one process at a time is in, for each task; the lock goes with its process.

    Raises:
        PipelineError: another one is in it.
        FileError: the home folder cannot be written.
    """
    path = home / f"run_{task}.lock"
    try:
        home.mkdir(parents=True, exist_ok=True)
        file = path.open("w")
    except OSError as error:
        raise FileError(
            f"{path} cannot be written: {error.strerror}; free space or name another home"
        ) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise PipelineError(
                "the start", f"another run of task {task!r} is at work in {home}; wait until it is done"
            ) from error
        yield
