"""`adaptml backup`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from adaptml.cli.host import host_stack
from adaptml.cli.options import OnStack
from adaptml.cli.support import output, project_here
from adaptml.errors import listed
from adaptml.stack.host import refuse_in_container

if TYPE_CHECKING:
    from adaptml.project import Project
    from adaptml.stack.compose import Stack


def command(
    place: Annotated[Path, typer.Argument(help="A new file; for the Docker stack, a new folder.")],
    stack: OnStack = None,
) -> None:
    """Copy all that the project keeps into a file, while it is at work; the Docker stack pauses meanwhile.

    The file holds the home folder. Of the stack it is a folder, with all data and the secrets.

    Example: `adaptml backup /backups/monday.tar`
    """
    refuse_in_container("adaptml backup")
    with project_here() as project:
        found = host_stack(project, stack)
        if found is None:
            _home(project, place)
        else:
            _stack(found, place)


def _home(project: "Project", file: Path) -> None:
    from adaptml.embedded.backup import backup

    done, console = backup(project, file), output()
    console.print(f"{done.files} files, {done.size_bytes / 1e6:.0f} MB in {done.file}")
    for line in done.left_out:
        console.print(f"not in it: {line}")
    console.print("not in it: tasks, settings and secrets, which are your own files; keep it private")


def _stack(stack: "Stack", folder: Path) -> None:
    from adaptml.stack.backup import backup

    done, console = backup(stack, folder), output()
    names = listed([store.key for store in done.stores], 20)
    console.print(f"{len(done.stores)} stores, {done.size_bytes / 1e6:.0f} MB in {done.folder}: {names}")
    if done.data_elsewhere:
        console.print(
            "not in it: the data tables, in a database elsewhere, which has to be saved by its own means"
        )
    console.print("keep the folder private: it holds the stack's passwords")
