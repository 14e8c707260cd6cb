"""`adaptml find TABLE`: the rows of a table that meet conditions."""

from typing import Annotated

import typer

from adaptml.cli.support import output, project_here


def command(
    table: Annotated[str, typer.Argument(metavar="TABLE", help="The data table.")],
    *,
    condition: Annotated[
        list[str] | None,
        typer.Option(
            "--condition",
            metavar="TEXT",
            help="COLUMN OPERATOR VALUE, as 'text contains free' or '@label is spam'; several hold together.",
        ),
    ] = None,
    task: Annotated[
        str | None, typer.Option("--task", metavar="TASK", help="Whose @label, @prediction and @gold.")
    ] = None,
) -> None:
    """Read a whole table for the rows that meet all conditions; without any, count its rows.

    Their keys are kept as a file that every step takes as its data, and the page lists them at once.

    Example: `adaptml find posts --condition "text contains free" --condition "likes >= 3"`
    """
    with project_here() as project:
        found = project.find(table, condition or [], task=task, show_progress=True)
    what = " and ".join(map(str, found.conditions)) or "all"
    output().print(f"{found.rows:,} rows of {table} ({what})", markup=False)
    if found.path is not None:
        output().print(f"their keys: {found.path}", markup=False)
