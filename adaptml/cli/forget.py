"""`adaptml forget TABLE IDS`: remove data points from everything that steps keep."""

from typing import Annotated

import typer

from adaptml.cli.support import output, project_here


def command(
    table: Annotated[str, typer.Argument(metavar="TABLE", help="The data table.")],
    ids: Annotated[list[str], typer.Argument(metavar="IDS…", help="Ids of the data points.")],
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Remove data points from the table (where `import` made it), features, votes, gold, labels, reports.

    For a person who asks to be forgotten. It cannot be undone.

    Example: `adaptml forget posts 4711 4712`
    """
    if not yes:
        typer.confirm(f"Remove {len(set(ids))} data points of {table} for good?", abort=True, err=True)
    with project_here() as project:
        output().print(str(project.forget(table, ids)))
