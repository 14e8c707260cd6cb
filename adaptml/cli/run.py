"""`adaptml run TASK`: all steps from new rows to a version that is compared with the champion."""

import sys
from math import isnan
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from adaptml.cli import options
from adaptml.cli.host import lock_folder, steps_elsewhere
from adaptml.cli.support import EXIT_INTERRUPTED, output, project_here
from adaptml.stack.host import refuse_in_container

if TYPE_CHECKING:
    from adaptml.pipeline.result import RunResult
    from adaptml.pipeline.run import StepEvent


def command(
    task: options.TaskName,
    data: Annotated[
        str | None,
        typer.Option(
            "--data",
            metavar="DATA",
            help="Which data points, as in `label`. Default: those of the last run, else the only table.",
            show_default=False,
        ),
    ] = None,
    gold: options.Gold = "task, if any",
    deploy_if_better: Annotated[
        bool,
        typer.Option("--deploy-if-better", help="Deploy the version, if it is better than the champion."),
    ] = False,
    workers: options.Workers = 1,
    scheduler: options.Scheduler = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Do anew also what was done before from the same.")
    ] = False,
    stack: options.OnStack = None,
    step: Annotated[str, typer.Option("--step", hidden=True, help="The host's: do this step alone.")] = "",
    order: Annotated[str, typer.Option("--order", hidden=True, help="The host's: the order as JSON.")] = "",
) -> None:
    """Do everything: check, featurize, label, train, compare with the champion, and deploy if told so.

    What was done before from the same data, rules and gold is taken again, so run it whenever anything may
    have changed: a nightly job, say. It asks nothing. It ends with 0 when all steps were done, whether the
    version is better or not, and with 1 where a step could not be done, which it names.

    Example: `adaptml run example --data example_data --deploy-if-better`
    """
    if step:
        _answer(step, order)
        return
    refuse_in_container(f"adaptml run {task}")
    asked: dict[str, Any] = {"gold": gold, "deploy_if_better": deploy_if_better}
    asked |= {"workers": workers, "scheduler": scheduler, "fresh": fresh}
    try:
        with project_here() as project:
            found = steps_elsewhere(project, stack)
            if found is None:
                done = project.run(task, data, **asked, on_event=show_event, show_progress=True)
            else:
                from adaptml.stack.run import run_in_stack

                lock = lock_folder(project)
                done = run_in_stack(
                    found, project, task, data, **asked, on_event=show_event, lock_folder=lock
                )
    except KeyboardInterrupt:
        typer.echo("interrupted; finished steps are kept, run it again to go on", err=True)
        raise typer.Exit(EXIT_INTERRUPTED) from None
    show(done, "docker exec modelling-mlflow " if found else "")


def _answer(step: str, order: str) -> None:
    """Do one step for the host, and answer in JSON."""
    from adaptml.pipeline.steps import STEPS
    from adaptml.stack.compose import StackError
    from adaptml.stack.run import answer, order_of

    if step not in STEPS:
        raise StackError(f"no step {step!r}; expected {', '.join(STEPS)}")
    with project_here() as project:
        typer.echo(answer(STEPS[step](project, order_of(order))))


def show_event(event: "StepEvent") -> None:
    """A line for each step that is done; an error says itself."""
    if event.state in ("started", "failed"):
        return
    console = output()
    console.print(f"{event.step:<10}{event.state:<8} {event.text}")
    if event.run_id:
        console.print(f"{'':<19}run {event.run_id}")
    sys.stdout.flush()  # whoever reads a pipe sees it now


def show(done: "RunResult", where: str = "") -> None:
    """Print the figures side by side, what to know of them, and the next order.

    Args:
        done: what was found.
        where: what the next order begins with.
    """
    figures = dict.fromkeys([done.metric, done.measure])
    table = Table("", *figures, "experiment", "run", box=None, pad_edge=False)
    for what, *values, experiment, run in done.frame.itertuples(index=False):
        shown = ["" if isnan(value) else f"{value:.3f}" for value in values]
        table.add_row(what, *shown, experiment, run)
    console = output()
    console.print(table)
    for note in done.compare.found.get("notes", []):
        console.print(note)
    if done.next_order:
        console.print(f"Next: `{where}{done.next_order}`")
