"""What every command shares: one Typer app around a command, errors as one line, exit codes."""

import sys
from collections.abc import Callable
from typing import Any

import typer
from rich.console import Console

from adaptml.errors import AdaptmlError

EXIT_ERROR = 1
EXIT_INTERRUPTED = 130


def run_app(app: typer.Typer) -> None:
    """Run a Typer app as a process: errors of ours become one line on stderr and exit code 1."""
    try:
        app()
    except AdaptmlError as error:
        Console(stderr=True).print("[bold red]error:[/] ", end="")
        sys.stderr.write(f"{error}\n")
        sys.exit(EXIT_ERROR)
    except KeyboardInterrupt:
        sys.stderr.write("interrupted; nothing of this step was kept\n")
        sys.exit(EXIT_INTERRUPTED)


def new_app(**options: Any) -> typer.Typer:
    """A Typer app with the defaults that all our commands use."""
    return typer.Typer(
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode="markdown",
        no_args_is_help=True,
        **options,
    )


def run_command(command: Callable[..., None], **options: Any) -> None:
    """Run one command function as a program: `python -m room.step …`.

    Args:
        command: a function with Typer-annotated parameters.
        options: passed to Typer's `command`, such as `context_settings`.
    """
    app = new_app()
    app.command(**options)(command)
    run_app(app)
