"""`adaptml status`."""

from typing import TYPE_CHECKING

import typer

from adaptml.cli.host import host_stack
from adaptml.cli.options import OnStack
from adaptml.cli.support import EXIT_ERROR, output, project_here
from adaptml.cli.task import STYLES
from adaptml.stack.host import refuse_in_container

if TYPE_CHECKING:
    from adaptml.project import Project
    from adaptml.stack.compose import Stack

COMMAND_OPTIONS = {"no_args_is_help": False}


def command(stack: OnStack = None) -> None:
    """Show the project's stores, tables, runs, models, jobs and disk, and what is wrong with them.

    Of the Docker stack it shows each container's health, version and memory, and the disk in use. What is
    broken is an error that says what to do, and gives exit code 1.

    Example: `adaptml status`
    """
    refuse_in_container("adaptml status")
    with project_here() as project:
        found = host_stack(project, stack)
        if found is None:
            _parts(project)
        else:
            _stack(found)


def _parts(project: "Project") -> None:
    from adaptml.embedded.status import status
    from labelstudio.check import check_server
    from portal.jobs.check import check_jobs

    findings = status(project)
    if any(finding.what == "runs" and finding.level == "ok" for finding in findings):
        from modelling.check import check_champions  # MLflow takes seconds

        findings += check_champions(project)
    findings += [*check_jobs(project), check_server(project.settings)]
    width = max(len(finding.what) for finding in findings)
    for finding in findings:
        output().print(f"{finding.level:<8} ", style=STYLES[finding.level], end="")
        output().print(f"{finding.what:<{width}}  {finding.text}")
    if any(finding.level == "error" for finding in findings):
        raise typer.Exit(EXIT_ERROR)


def _stack(stack: "Stack") -> None:
    from adaptml.stack.status import aligned, status

    found, console = status(stack), output()
    if found.containers:
        lines = aligned([("container", "health", "image", "memory", "made"), *found.containers])
        console.print("\n".join(lines))
    else:
        console.print("nothing runs; `adaptml up` starts the stack")
    for name, size in found.volumes.items():
        console.print(f"volume {name:<36} {size}")
    for folder, size_b in found.folders.items():
        console.print(f"folder {folder:<36} {size_b / 1e6:.1f}MB")
    console.print(found.engine)
