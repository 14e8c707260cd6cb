"""`adaptml deploy`."""

from typing import Annotated

import typer

from adaptml.cli.support import output, project_here


def command(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="Name of a registered end model.")],
    version: Annotated[
        str | None, typer.Option(help="Version to deploy. Default: the latest.", show_default=False)
    ] = None,
    by: Annotated[str, typer.Option(metavar="NAME", help="Who decides it; kept with the version.")] = "",
) -> None:
    """Deploy an end model: from now on the service answers with this version.

    A running service takes it within 10 seconds, without a restart.

    Example: `adaptml deploy multiclass_example --version 2`
    """
    with project_here() as project:
        done = project.deploy(model, version, by=by)
    before = "" if done.previous in (None, done.version) else f" (before: version {done.previous})"
    console = output()
    console.print(f"{done.model} version {done.version} is the champion{before}")
    if done.note:
        console.print(f"warning: {done.note}")
    console.print(f"Next: serve, then POST data points to /predict_{done.model}")
