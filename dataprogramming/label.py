"""The step `label`: labelling functions' votes become labels and probabilities."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import typer
from pydantic import BaseModel

from adaptml.cli.support import extra_options, output, run_command
from adaptml.data import NO_GOLD, TASK_GOLD, Data, described, read_gold, read_points
from adaptml.database import Database, WritebackKind, write_back
from adaptml.frames import KEYS
from adaptml.labelled import Labelled
from adaptml.project import Project
from adaptml.runs.tracking import Recorder
from adaptml.tasks import Task
from dataprogramming import label_options as options
from dataprogramming.apply import apply_lfs
from dataprogramming.label_models.config import SnorkelConfig
from dataprogramming.label_models.core import Gold, LabelMatrix, covered
from dataprogramming.labelling import UNCOVERED_POLICY, Labelling
from dataprogramming.lfs import load_lfs
from dataprogramming.selection import AUTO, Config, select_label_model

# What the task's labelling functions declare are options too.
COMMAND_OPTIONS: dict[str, Any] = {
    "context_settings": {"allow_extra_args": True, "ignore_unknown_options": True}
}


@dataclass(frozen=True)
class LabelResult:
    """What a `label` run came to.

    Attributes:
        run_id: the MLflow run.
        artifact_uri: where its artifacts lie.
        model: name and version of the registered label model.
        chosen: the label model that was chosen.
        reason: why, in one sentence.
        n_points: points to label.
        n_covered: those with at least one vote; the others are not in the training data.
        n_gold: gold points used; 0 without gold.
        n_gold_left_out: gold points without exactly one class, in multiclass runs.
        metrics: all figures of the run.
        warnings: what looks wrong, one sentence each.
        new_rows: rows written to the database; None where that was not asked for.
    """

    run_id: str
    artifact_uri: str
    model: str
    chosen: str
    reason: str
    n_points: int
    n_covered: int
    n_gold: int
    n_gold_left_out: int
    metrics: Mapping[str, float]
    warnings: Sequence[str]
    new_rows: int | None = None


def label(
    project: Project,
    task: str | Task,
    data: Data,
    gold: Data | None = None,
    *,
    label_model: str = AUTO,
    config: Config | None = None,
    lf_parameters: Mapping[str, str] | None = None,
    parallel: int = 1,
    fault_tolerant: bool = False,
    write: bool = False,
    show_progress: bool = False,
) -> LabelResult:
    """Label data points with a task's labelling functions, in one MLflow run.

    Reads the LF features, applies the LFs, fits and compares the label models, labels, evaluates on gold by
    cross-validation, and logs. A point without votes is left out of the training data.

    Args:
        project: holds the data, the gold and the runs.
        task: the task, or its name.
        data: the points to label: a table, `table where …`, a frame or a path of one.
        gold: `task` for what `process-annotations` made, a frame with gold_label or a path of one, or None.
        label_model: `auto` or the name of a label model of the setting.
        config: how Snorkel's model is trained; its seed is the step's seed.
        lf_parameters: values, as text, of the parameters that the task's `get_lfs` declares.
        parallel: number of processes that apply LFs.
        fault_tolerant: an LF that raises abstains and is counted, instead of ending the run.
        write: also write labels to `<task>_labels` in the database.
        show_progress: draw progress bars.

    Raises:
        AdaptmlError: an input cannot be used; the run is then marked FAILED.
    """
    task, config = project.task(task), config or SnorkelConfig()
    params = {
        "task": task.name,
        "setting": task.setting,
        "train_data": described(data),
        "dev_data": described(gold),
        "label_model": label_model,
        **(config.model_dump() if isinstance(config, BaseModel) else config),
        "parallel": parallel,
        "fault_tolerant": fault_tolerant,
        "uncovered_gold": UNCOVERED_POLICY,
        **(lf_parameters or {}),
    }
    database = project.database
    with project.runs.run(task.name, f"label {task.setting}", params) as recorder:
        voter = _Voter(task, database, lf_parameters or {}, parallel, fault_tolerant, show_progress)
        points = read_points(project, data)[KEYS]
        found = _find_out(voter, points, read_gold(project, gold, task), label_model, config)
        recorder.params["label_model_used"] = found.selection.chosen
        found.record(recorder)
    new_rows = (
        write_back(database, task.name, WritebackKind.LABELS, found.training_data(), recorder.run_id)
        if write
        else None
    )
    return _result(found, recorder, new_rows)


class _Voter:
    """Reads LF features and applies LFs."""

    def __init__(
        self,
        task: Task,
        database: Database,
        lf_parameters: Mapping[str, str],
        parallel: int,
        fault_tolerant: bool,
        show_progress: bool,
    ) -> None:
        self.task, self.database = task, database
        self.lfs = load_lfs(task, lf_parameters)
        self.parallel, self.show_progress = parallel, show_progress
        self.faults: Counter[str] | None = Counter() if fault_tolerant else None

    def votes(self, keys: pd.DataFrame) -> LabelMatrix:
        """The label matrix (n, m) of n points."""
        return apply_lfs(
            self.lfs,
            self.database.read(keys, self.task.lf_features, show_progress=self.show_progress),
            self.task.labels,
            parallel=self.parallel,
            faults=self.faults,
            show_progress=self.show_progress,
        )


def _find_out(
    voter: _Voter, points: pd.DataFrame, gold_points: Labelled | None, label_model: str, config: Config
) -> Labelling:
    task = voter.task
    L = voter.votes(points)
    gold = None if gold_points is None else Gold(voter.votes(gold_points.keys), gold_points.Y)
    selection = select_label_model(
        task.problem, L, gold, len(task.classes), choice=label_model, config=config
    )
    names = [lf.name for lf in voter.lfs]
    return Labelling(task, names, points, L, gold_points, gold, selection, voter.faults)


def _result(found: Labelling, recorder: Recorder, new_rows: int | None) -> LabelResult:
    return LabelResult(
        run_id=recorder.run_id,
        artifact_uri=recorder.artifact_uri,
        model=f"{found.registered_name} version {recorder.model_version}",
        chosen=found.selection.chosen,
        reason=found.selection.reason,
        n_points=len(found.points),
        n_covered=int(covered(found.L).sum()),
        n_gold=0 if found.gold is None else len(found.gold),
        n_gold_left_out=0 if found.gold_points is None else found.gold_points.left_out,
        metrics=dict(recorder.metrics),
        warnings=found.warnings(),
        new_rows=new_rows,
    )


def command(
    ctx: typer.Context,
    task: options.TaskName,
    data: options.Data,
    gold: options.GoldFlag = False,
    dev_data: options.DevData = NO_GOLD,
    setting: options.SettingName = "",
    label_model: options.Multiclass = AUTO,
    multilabel: options.Multilabel = AUTO,
    seed: options.Seed = 0,
    n_epochs: options.Epochs = options.EPOCHS_CHOSEN,
    optimizer: options.Optimizer = "sgd",
    prec_init: options.PrecInit = 0.7,
    lr: options.LearningRate = 0.01,
    l2: options.L2 = 0.0,
    device: options.Device = "cpu",
    parallel: options.Parallel = 1,
    fault_tolerant: options.FaultTolerant = False,
    write: options.Write = False,
    verbose: options.Verbose = "false",
) -> None:
    """Turn labelling functions' votes into training data.

    Applies the task's labelling functions, fits and compares label models, and logs training_data,
    development_data, summaries, figures and the label model to MLflow. The parameters that the task's get_lfs
    declares are options too: `--max-words 5`.

    Example: `label example --data workspace/unlabeled_data/multilabel.parquet --gold`
    """
    config = dict(
        n_epochs=None if n_epochs == options.EPOCHS_CHOSEN else n_epochs,
        optimizer=optimizer,
        prec_init=prec_init,
        lr=lr,
        l2=l2,
        seed=seed,
        device=device,
    )
    with Project() as project:
        done = label(
            project,
            project.task(task, setting),
            str(data),
            TASK_GOLD if gold and dev_data == NO_GOLD else dev_data,
            label_model=multilabel if label_model == AUTO else label_model,
            config=config,
            lf_parameters=extra_options(ctx.args, "get_lfs"),
            parallel=parallel,
            fault_tolerant=fault_tolerant,
            write=write,
            show_progress=True,
        )
    console = output()
    for name, text in summary(done):
        console.print(f"{name:<15}{text}")


def summary(done: LabelResult) -> list[tuple[str, str]]:
    """A run's outcome as names and texts, for people to read."""
    left_out = f", {done.n_gold_left_out} left out (not exactly one class)" if done.n_gold_left_out else ""
    figure = next((name for name in ("accuracy", "f1_samples") if f"dev_{name}" in done.metrics), None)
    lines = [
        ("points", f"{done.n_points}, {done.n_covered} of them labelled, the others have no votes"),
        ("gold", f"{done.n_gold} points{left_out}" if done.n_gold else "none"),
        ("label model", done.reason),
    ]
    if figure is not None:
        lines.append(
            (
                "on gold",
                f"{figure} {done.metrics[f'dev_{figure}']:.3f} by cross-validation; points without votes "
                f"({1 - done.metrics['dev_coverage']:.0%}) are {UNCOVERED_POLICY}",
            )
        )
    if done.new_rows is not None:
        lines.append(("database", f"{done.new_rows} new rows"))
    return [*lines, ("registered", done.model), ("run", done.run_id), ("artifacts", done.artifact_uri)]


if __name__ == "__main__":
    run_command(command, **COMMAND_OPTIONS)
