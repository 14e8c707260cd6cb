"""`adaptml restore`."""

from pathlib import Path
from typing import Annotated

import typer

from adaptml.cli.support import output
from adaptml.errors import listed
from adaptml.project import Project
from adaptml.stack.host import refuse_in_container


def command(place: Annotated[Path, typer.Argument(help="What `adaptml backup` wrote.")]) -> None:
    """Fill an empty home folder from a file of `backup`, or an empty Docker stack from a folder.

    The home folder may be another one than it was, and another person's: she owns what is restored.

    Example: `adaptml restore /backups/monday.tar`
    """
    refuse_in_container("adaptml restore")
    if place.is_dir():
        _stack(place)
    else:
        _home(place)


def _home(file: Path) -> None:
    from adaptml.embedded.restore import restore

    with Project() as project:
        done = restore(project, file)
        output().print(f"{done['files']} files of {done['made_at'][:16]} restored to {project.settings.home}")
    for line in done["left_out"]:
        output().print(f"not in it: {line}")


def _stack(folder: Path) -> None:
    from adaptml.stack.compose import open_stack
    from adaptml.stack.restore import restore

    done = restore(open_stack(), folder)
    output().print(f"{len(done)} stores restored: {listed([s.key for s in done], 20)}")
    output().print("Next: adaptml up")
