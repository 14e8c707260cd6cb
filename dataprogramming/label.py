"""The step `label`: labelling functions' votes become labels and probabilities."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer
from pydantic import ValidationError

from adaptml.cli_support import output, run_command
from adaptml.database import Database, WritebackKind, write_back
from adaptml.errors import LabellingError
from adaptml.settings import Settings, get_settings
from adaptml.tasks import Task, load_task
from adaptml.tracking import Recorder, connect, tracked_run
from dataprogramming.apply import apply_lfs
from dataprogramming.inputs import NO_GOLD, TASK_GOLD, gold_path, read_gold, read_points, resolve
from dataprogramming.label_models.config import SnorkelConfig
from dataprogramming.label_models.core import Gold, LabelMatrix, covered
from dataprogramming.labelling import UNCOVERED_POLICY, Labelling
from dataprogramming.lfs import load_lfs
from dataprogramming.selection import AUTO, select_label_model

EPOCHS_CHOSEN = "auto"
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
    task: Task,
    data: Path,
    dev_data: Path | None = None,
    *,
    label_model: str = AUTO,
    config: SnorkelConfig | None = None,
    lf_parameters: Mapping[str, str] | None = None,
    parallel: int = 1,
    fault_tolerant: bool = False,
    write: bool = False,
    show_progress: bool = False,
    settings: Settings | None = None,
) -> LabelResult:
    """Label data points with a task's labelling functions, in one MLflow run.

    Reads the LF features, applies the LFs, fits and compares the label models, labels, evaluates on gold by
    cross-validation, and logs. A point without votes is left out of the training data.

    Args:
        task: the task, in the setting to run it in.
        data: frame of the points to label.
        dev_data: frame with gold_label, or None.
        label_model: `auto` or the name of a label model of the setting.
        config: how Snorkel's model is trained; its seed is the step's seed.
        lf_parameters: values, as text, of the parameters that the task's `get_lfs` declares.
        parallel: number of processes that apply LFs.
        fault_tolerant: an LF that raises abstains and is counted, instead of ending the run.
        write: also write labels to `<task>_labels` in the database.
        show_progress: draw progress bars.
        settings: where things are; those of this process where None.

    Raises:
        AdaptmlError: an input cannot be used; the run is then marked FAILED.
    """
    settings, config = settings or get_settings(), config or SnorkelConfig()
    params = {
        "task": task.name,
        "setting": task.setting,
        "train_data": data,
        "dev_data": dev_data,
        "label_model": label_model,
        **config.model_dump(),
        "parallel": parallel,
        "fault_tolerant": fault_tolerant,
        "uncovered_gold": UNCOVERED_POLICY,
        **(lf_parameters or {}),
    }
    with closing(Database(settings.database_url.get_secret_value())) as database:
        with tracked_run(task.name, f"label {task.setting}", params) as recorder:
            voter = _Voter(task, database, lf_parameters or {}, parallel, fault_tolerant, show_progress)
            found = _find_out(voter, data, dev_data, label_model, config)
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
    voter: _Voter, data: Path, dev_data: Path | None, label_model: str, config: SnorkelConfig
) -> Labelling:
    task, points = voter.task, read_points(data)
    gold_points = None if dev_data is None else read_gold(dev_data, task)
    L = voter.votes(points)
    gold = None if gold_points is None else Gold(voter.votes(gold_points.keys), gold_points.Y)
    selection = select_label_model(
        task.setting, L, gold, len(task.classes), choice=label_model, config=config
    )
    names = [lf.name for lf in voter.lfs]
    return Labelling(task, names, points, L, gold_points, gold, selection, voter.faults)


def _result(found: Labelling, recorder: Recorder, new_rows: int | None) -> LabelResult:
    return LabelResult(
        run_id=recorder.run_id,
        artifact_uri=connect().get_run(recorder.run_id).info.artifact_uri,
        model=f"{found.registered_name} version {recorder.model_version}",
        chosen=found.selection.chosen,
        reason=found.selection.reason,
        n_points=len(found.points),
        n_covered=int(covered(found.L).sum()),
        n_gold=0 if found.gold is None else len(found.gold),
        n_gold_left_out=0 if found.gold_points is None else found.gold_points.n_left_out,
        metrics=dict(recorder.metrics),
        warnings=found.warnings(),
        new_rows=new_rows,
    )


def command(
    ctx: typer.Context,
    task: Annotated[str, typer.Argument(help="Name of the task: a folder in tasks/.")],
    data: Annotated[
        Path, typer.Option("--data", "--train-data", help="Frame of the points to label: table_name, id.")
    ],
    gold: Annotated[
        bool, typer.Option("--gold", help="Compare label models on the task's gold labels.")
    ] = False,
    dev_data: Annotated[
        str,
        typer.Option(help="Gold labels: `0` none, `1` those of process-annotations, or a path to a frame."),
    ] = NO_GOLD,
    setting: Annotated[
        str, typer.Option(help="multiclass or multilabel; the task file's where not given.")
    ] = "",
    label_model: Annotated[
        str,
        typer.Option(
            help="Multiclass: auto, majority_vote, weighted_vote or snorkel. Multilabel: see --multilabel."
        ),
    ] = AUTO,
    multilabel: Annotated[str, typer.Option(help="Multilabel: auto, union, em or knee.")] = AUTO,
    seed: Annotated[int, typer.Option(help="The same seed gives the same labels.")] = 0,
    n_epochs: Annotated[
        str, typer.Option(help="Snorkel's model: epochs, at most, or auto: as many as are best on gold.")
    ] = EPOCHS_CHOSEN,
    optimizer: Annotated[str, typer.Option(help="Snorkel's model: sgd, adam or adamax.")] = "sgd",
    prec_init: Annotated[float, typer.Option(help="Snorkel's model: precision of LFs to start with.")] = 0.7,
    lr: Annotated[float, typer.Option(help="Snorkel's model: learning rate.")] = 0.01,
    l2: Annotated[float, typer.Option(help="Snorkel's model: L2 regularisation.")] = 0.0,
    device: Annotated[str, typer.Option(help="Snorkel's model: cpu or cuda.")] = "cpu",
    parallel: Annotated[int, typer.Option(min=1, help="Processes that apply labelling functions.")] = 1,
    fault_tolerant: Annotated[
        bool, typer.Option("--fault-tolerant", help="Count labelling functions' failures as abstentions.")
    ] = False,
    write: Annotated[
        bool, typer.Option("--write", help="Also write labels to TASK_labels in the database.")
    ] = False,
    verbose: Annotated[
        str, typer.Option(help="Show the epochs of Snorkel's model: true or false.")
    ] = "false",
) -> None:
    """Turn labelling functions' votes into training data.

    Applies the task's labelling functions, fits and compares label models, and logs training_data,
    development_data, summaries, figures and the label model to MLflow. The parameters that the task's get_lfs
    declares are options too: `--max-words 5`.

    Example: `label example --data workspace/unlabeled_data/multilabel_df.parquet --gold`
    """
    settings = get_settings()
    chosen_task = load_task(task, settings.tasks_dir).with_setting(setting)
    config = _config(
        n_epochs=None if n_epochs == EPOCHS_CHOSEN else n_epochs,
        optimizer=optimizer,
        prec_init=prec_init,
        lr=lr,
        l2=l2,
        seed=seed,
        device=device,
        verbose=verbose,
    )
    done = label(
        chosen_task,
        resolve(data, settings),
        gold_path(TASK_GOLD if gold and dev_data == NO_GOLD else dev_data, chosen_task, settings),
        label_model=label_model if multilabel == AUTO else multilabel,
        config=config,
        lf_parameters=_lf_parameters(ctx.args),
        parallel=parallel,
        fault_tolerant=fault_tolerant,
        write=write,
        show_progress=True,
        settings=settings,
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
        ("gold", f"{done.n_gold} points{left_out}"),
        ("label model", f"{done.chosen}: {done.reason}"),
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


def _config(**values: Any) -> SnorkelConfig:
    try:
        return SnorkelConfig.model_validate(values)
    except ValidationError as error:
        problems = [f"{e['loc'][0]} is {e['input']!r}: {e['msg']}" for e in error.errors()]
        raise LabellingError(f"the label model cannot be trained like this: {'; '.join(problems)}") from error


def _lf_parameters(extra: Iterable[str]) -> dict[str, str]:
    """`--name value` and `--name=value`, as they are left over on the command line.

    Raises:
        LabellingError: something else is left over.
    """
    parameters: dict[str, str] = {}
    words = iter(extra)
    for word in words:
        name, equals, value = word.removeprefix("--").partition("=")
        given = value if equals else next(words, None)
        if not word.startswith("--") or given is None:
            raise LabellingError(
                f"cannot make sense of {word!r}; expected --name value for a parameter of get_lfs"
            )
        parameters[name.replace("-", "_")] = given
    return parameters


if __name__ == "__main__":
    run_command(command, **COMMAND_OPTIONS)
