"""`adaptml export`."""

from pathlib import Path
from typing import Annotated

import typer

from adaptml.cli.support import output, project_here


def command(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="Name of a registered end model.")],
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new folder.", show_default=False)],
    version: Annotated[
        str | None,
        typer.Option(
            help="Version to export. Default: the champion, and the latest where there is none.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Write an end model into a folder of plain files, which `adaptml serve --model DIR` answers from.

    Example: `adaptml export multiclass_example models/example`
    """
    with project_here() as project:
        done = project.export_model(model, folder, version=version)
    console = output()
    console.print(f"{done.model} version {done.version} is in {done.folder}")
    console.print(f"Next: adaptml serve --model {done.folder}")
