"""`adaptml gold`: a task's gold labels; a spreadsheet to fill in, and taking one in."""

from pathlib import Path
from typing import Annotated

import typer

from adaptml.cli import options
from adaptml.cli.support import output, project_here


def command(
    task: options.TaskName,
    file: Annotated[
        Path | None,
        typer.Argument(help="A spreadsheet of labels to take in: table_name, id, label.", show_default=False),
    ] = None,
    template: Annotated[
        int | None,
        typer.Option("--template", min=1, metavar="N", help="Write a spreadsheet of N points to fill in."),
    ] = None,
    data: options.DataOrNone = None,
    where: options.Where = None,
    changed: Annotated[
        bool,
        typer.Option(
            "--changed", help="The template is of gold points that changed since they were labelled."
        ),
    ] = False,
    seed: options.Seed = 0,
    to: options.To = None,
    export: Annotated[
        Path | None,
        typer.Option("--export", metavar="FILE", help="Write the gold labels that count to a file."),
    ] = None,
) -> None:
    """Show a task's gold labels by origin, part and class; take in some that were written by hand.

    With --template it writes a spreadsheet (.csv or .xlsx) of points without gold, from --data, or of those
    that changed (--changed): fill in the column label and give the file to the same command.

    Example: `adaptml gold example --template 50 --data example_data`
    """
    if template is None and not changed:
        with project_here() as project:
            done = project.gold(task, file, export=export)
        for line in done.lines():
            output().print(line, markup=False)
        if export is not None:
            output().print(f"written to {export}", markup=False)
        return
    if file is not None or export is not None:
        raise typer.BadParameter("--template and --changed write a spreadsheet; leave out FILE and --export")
    if changed == (data is not None):
        raise typer.BadParameter("a template needs either --data DATA, or --changed for points that changed")
    with project_here() as project:
        path = project.gold_template(task, data, template, seed=seed, where=where, to=to)
    output().print(f"written to {path}", markup=False)
    output().print(f"Next: fill in the column label, then adaptml gold {task} {path}", markup=False)
