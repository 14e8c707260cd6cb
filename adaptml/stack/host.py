"""Commands that are typed on the host: where they act, and their steps in the stack's containers."""

import os
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from adaptml.addresses import sqlite_file
from adaptml.errors import SettingsError
from adaptml.project import Project
from adaptml.settings import Settings
from adaptml.stack.compose import COMPOSE_FILE, DockerError, Stack, StackError
from adaptml.stack.secrets import DATABASE_SETTINGS

SERVICE_VARIABLE = "STACK_SERVICE"  # docker-compose.yml sets it in the containers where steps are typed
PORTAL = "portal"  # the page's container, which has `tasks/` as the host has, and asks the others by jobs
Step = Callable[..., str]  # as `step`, for some stack


def is_in_container(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether this process is in one of the stack's containers that do steps."""
    return environment.get(SERVICE_VARIABLE, "") not in ("", PORTAL)


def refuse_in_container(order: str, environment: Mapping[str, str] = os.environ) -> None:
    """Stop a command that needs the host: its files, its `tasks/`, or several containers.

    Args:
        order: what is to be typed there, such as `adaptml run topic`.
        environment: the process's.

    Raises:
        SettingsError: this is a container of the stack.
    """
    if is_in_container(environment):
        raise SettingsError(
            f"`{order}` was typed in the container {environment[SERVICE_VARIABLE]}; expected on the host, "
            f"which calls the containers itself: type it there, in the folder with {COMPOSE_FILE}"
        )


def chosen_stack(
    project: Project, asked: bool | None, environment: Mapping[str, str] = os.environ
) -> Stack | None:
    """The stack that a command of the host acts on; None for the project's own embedded parts.

    Unasked it is the stack where one was set up in the project's folder, and embedded where none was.

    Args:
        project: whose folder.
        asked: True for the stack, False for embedded, None for what is here.
        environment: the process's.

    Raises:
        StackError: both are here and neither is asked for; or the stack is, in a folder that is no clone; or
            its tasks are others than those of this project.
    """
    root = project.settings.root
    if asked is False or not (asked or (root / COMPOSE_FILE).is_file()):
        return None
    stack = Stack(root, environment)
    if asked:
        return _of_the_same_tasks(stack, project.settings)
    if not (stack.secrets / DATABASE_SETTINGS).is_file():
        return None
    own = _own_data(project.settings)
    if own:
        raise StackError(
            f"a Docker stack was set up in {root}, and there is {own}; "
            "expected one of them: say --stack or --no-stack"
        )
    return _of_the_same_tasks(stack, project.settings)


def _of_the_same_tasks(stack: Stack, settings: Settings) -> Stack:
    """The stack: a command that reads or writes a task's file here means the one that containers have."""
    if stack.tasks != settings.tasks_dir.resolve():
        raise StackError(
            f"the stack's tasks are in {stack.tasks} (TASKS), and commands that are typed here find them in "
            f"{settings.tasks_dir} (ADAPTML_TASKS_DIR); expected one folder: set both to it in .env.dev"
        )
    return stack


def _own_data(settings: Settings) -> str:
    """What shows that steps also run outside of the stack; empty where nothing does."""
    database = settings.home / "data.db"
    if sqlite_file(settings.database_url.get_secret_value()) != database:
        return "ADAPTML_DATABASE_URL, which names another database"
    # SQLite makes an empty file as soon as somebody looks.
    return str(database) if database.is_file() and database.stat().st_size else ""


def step(stack: Stack, service: str, *words: str, show: bool = True) -> str:
    """Run `adaptml …` in a service's container.

    Args:
        stack: it runs.
        service: name of the container, such as `dp-mlflow`.
        words: what is typed after `adaptml`.
        show: show what the step says as it comes, and return nothing; else return what it answers.

    Returns:
        The step's stdout, where it is not shown.

    Raises:
        StackError: the service does not run, or the step failed; where it was not shown, with its error.
    """
    return execute(stack, service, "adaptml", *words, show=show)


def execute(
    stack: Stack, service: str, *words: str, show: bool = False, stdin: BinaryIO | None = None
) -> str:
    """Run any command in a service's container, as `step` does; `stdin` is what it reads, if anything."""
    # With a terminal of its own, Ctrl-C reaches the command; without, it takes nothing of the caller's stdin.
    terminal = show and stdin is None and sys.stdin.isatty() and sys.stdout.isatty()
    options = [] if terminal else ["--no-TTY"]
    with Path(os.devnull).open("rb") as nothing:
        given = None if terminal else stdin or nothing
        try:
            return stack.compose("exec", *options, service, *words, capture=not show, stdin=given)
        except DockerError as error:
            raise StackError(_said(stack, service, words, error)) from error


def _said(stack: Stack, service: str, words: Sequence[str], error: DockerError) -> str:
    """Why a command in a container failed: the stack does not run, or what the command itself said last."""
    if service not in stack.compose("ps", "--services", "--status", "running").split():
        return f"the container {service} does not run; expected a running stack: start it with `adaptml up`"
    if error.said:
        return f"{error.said[-1].removeprefix('error: ')} (said in {service})"
    return f"`{shlex.join(words)}` in {service} ended with exit code {error.exit_code}, see above"
