"""`adaptml watch TASK`: what moved in the rows that came since the training."""

from typing import Annotated

import typer

from adaptml.cli import options
from adaptml.cli.support import output, project_here

EXIT_MOVED = 3
Run = Annotated[
    str | None,
    typer.Option(
        "--run", metavar="RUN", help="Run of label or train to compare with; default: the champion's."
    ),
]


def command(
    task: options.TaskName,
    data: options.DataOrNone = None,
    run: Run = None,
    seed: options.Seed = 0,
) -> None:
    """Compare rows that came since the training with those that it was made from.

    Logs every comparison, a report with plots over time and, where something moved, rows to annotate.
    Exits with 0 where nothing moved or too few rows came, with 3 where something moved.

    Example: `adaptml watch example --data example_data`
    """
    with project_here() as project:
        done = project.watch(task, data, run=run, seed=seed, show_progress=True)
    console = output()
    for name, text in done.lines:
        console.print(f"{name:<15}{text}")
    if done.moved:
        raise typer.Exit(EXIT_MOVED)
