"""`adaptml compare`."""

from typing import TYPE_CHECKING, Any

import typer
from rich.table import Table

from adaptml.cli import options
from adaptml.cli.support import extra_options, output, project_here
from adaptml.cli.train import AlgorithmName

if TYPE_CHECKING:
    from modelling.compare import Comparison

COMMAND_OPTIONS: dict[str, Any] = options.TAKES_MORE


def command(
    ctx: typer.Context,
    task: options.TaskName,
    data: options.LabelledData,
    gold: options.Gold = "task",
    algorithm: AlgorithmName = None,
    features: options.Features = None,
    soft_labels: options.SoftLabels = None,
    setting: options.SettingName = "",
    seed: options.SeedIfAny = None,
) -> None:
    """Is weak supervision worth it here? Judge each strategy on gold that it did not see.

    Further options are the algorithm's parameters, as in `train`. What is not given is as the task file keeps
    it under `train`, else built in.

    Example: `adaptml compare example --data RUN_ID`
    """
    with project_here() as project:
        done = project.compare(
            project.task(task, setting) if setting else task,
            data,
            gold,
            algorithm=algorithm,
            features=options.names_in(features),
            params=extra_options(ctx.args, algorithm or "the algorithm"),
            soft_labels=soft_labels,
            seed=seed,
            show_progress=True,
        )
    show(done)


def show(done: "Comparison") -> None:
    """Print a comparison: one table, one sentence."""
    from adaptml.folds import FOLDS
    from modelling.compare import STRATEGIES

    plain = [done.plain_measure] if done.plain_measure != done.measure else []
    table = Table("trained on", box=None, pad_edge=False)
    for head in (done.measure, "95 % interval", *plain, "log loss"):
        table.add_column(head, justify="right")
    table.add_column("--strategy")
    for row in done.rows:
        values = [f"{row.metric:.3f}", f"{row.low:.3f} to {row.high:.3f}"]
        values += [f"{row.plain:.3f}"] * len(plain) + [f"{row.log_loss:.3f}"]
        table.add_row(STRATEGIES[row.strategy], *values, row.strategy)
    console = output()
    console.print(
        f"{done.n_gold} gold points, {done.n_weak} weakly labelled; {FOLDS}-fold cross-validation on gold"
    )
    console.print(table)
    console.print(done.sentence)
    for name, text in done.lines:
        console.print(f"{name}: {text}")
    console.print(f"run {done.run_id}")
