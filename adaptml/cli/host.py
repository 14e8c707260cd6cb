"""Where a command that is typed on the host acts: in the Docker stack, or on the project's own parts."""

import getpass
import os
from functools import partial
from pathlib import Path

from adaptml.cli.support import output
from adaptml.events import JOB_VARIABLE
from adaptml.project import Project
from adaptml.stack.compose import Stack
from adaptml.stack.host import PORTAL, SERVICE_VARIABLE, Step, chosen_stack, step


def host_stack(project: Project, asked: bool | None) -> Stack | None:
    """The stack to act on, said in the command's first line; None for the project's own parts.

    Args:
        project: of the folder where the command was typed.
        asked: the shared option `--stack/--no-stack`.
    """
    stack = chosen_stack(project, asked)
    if stack is not None:
        output().print(f"in the Docker stack {stack.get('STACK_NAME', 'adaptml')} (--no-stack: without it)")
    return stack


def steps_elsewhere(project: Project, asked: bool | None) -> Step | None:
    """What runs a step in a container of the stack: `docker exec` on the host, a job in the page's container.

    Args:
        project: as `host_stack` has it.
        asked: likewise.

    Returns:
        None where the project's own parts do it.
    """
    if os.environ.get(SERVICE_VARIABLE) != PORTAL:
        stack = host_stack(project, asked)
        return None if stack is None else partial(step, stack)
    from portal.jobs import JobStore
    from portal.jobs.as_jobs import StepsAsJobs

    store, parent = JobStore(project.settings.home), int(os.environ.get(JOB_VARIABLE, 0)) or None
    return StepsAsJobs(store, getpass.getuser() if parent is None else store.get(parent).by, parent)


def lock_folder(project: Project) -> Path:
    """Where this machine's, or this container's, own files may lie: a container's home is read-only."""
    home = project.settings.home
    return home / "portal" if os.environ.get(SERVICE_VARIABLE) == PORTAL else home
