"""What a run of everything asks of a step, and what the step answers: both can be written as JSON.

Nothing of MLflow's is needed for them: whoever has the steps done elsewhere may lack it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from adaptml.data import GOLD_IF_ANY, Data
from adaptml.tasks import Task

State = Literal["done", "kept", "skipped"]


@dataclass(frozen=True)
class Order:
    """What is to be done, and what the steps before have found.

    Attributes:
        task: the task or its name.
        data: the points to label; None: what the task was labelled on last.
        gold: gold labels.
        workers: processes that compute features and apply labelling functions.
        scheduler: address of a scheduler whose workers do that.
        fresh: do anew what was done before from the same.
        show_progress: draw progress bars.
        label_run: the run of `label`.
        model, version: what `train` registered.
    """

    task: str | Task
    data: Data | None = None
    gold: Data = GOLD_IF_ANY
    workers: int = 1
    scheduler: str | None = None
    fresh: bool = False
    show_progress: bool = False
    label_run: str = ""
    model: str = ""
    version: str = ""


@dataclass(frozen=True)
class StepResult:
    """What a step did.

    Attributes:
        step: its name.
        state: `done`; `kept`, where the same was done before from the same and was taken again; `skipped`.
        text: one line for people.
        run_id: its MLflow run; empty where it has none.
        experiment_id: the MLflow experiment of that run; empty likewise.
        found: more that it found, by name.
        metrics: of its run.

    Example:
        >>> done = project.run("spam", "comments")
        >>> [(step.step, step.state) for step in done.steps][:2]
        [('check', 'done'), ('featurize', 'kept')]
    """

    step: str
    state: State
    text: str
    run_id: str = ""
    experiment_id: str = ""
    found: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
