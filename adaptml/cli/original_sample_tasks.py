"""`python -m labelstudio.sample_tasks TABLE COLUMN… N TASK`, as the original project was typed."""

from pathlib import Path
from typing import Annotated

import typer

from adaptml.cli import options
from adaptml.cli.sample_tasks import show
from adaptml.cli.support import project_here


def command(
    table: Annotated[str, typer.Argument(help="Data table to sample from.")],
    columns: Annotated[list[str], typer.Argument(help="Columns to send, such as the text to read.")],
    n: Annotated[int, typer.Argument(help="How many points; all where the table holds fewer.")],
    task: Annotated[str, typer.Argument(help="Name of the task: a folder in tasks/.")],
    filename: Annotated[
        Path | None,
        typer.Option(
            help="File to write; a bare name, and the default, in annotations/TASK/ of the home folder."
        ),
    ] = None,
    seed: options.Seed = 0,
) -> None:
    """Sample data points for annotation in Label Studio: the original's form of `adaptml sample-tasks`.

    Example: `python -m labelstudio.sample_tasks example_data txt 30 example`
    """
    with project_here() as project:
        if filename is not None and filename.name == str(filename):
            filename = project.settings.annotations(project.task(task).name) / filename
        done = project.sample_tasks(task, table, n, columns=columns, seed=seed, to=filename)
    show(done, task, table, n)
