"""What every command shares: its Typer app, errors as one line, exit codes, warnings on stderr."""

import functools
import gc
import logging
import signal
import sys
from collections.abc import Callable, Iterable
from types import FrameType
from typing import Any, NoReturn

import typer
from rich.console import Console

from adaptml.errors import AdaptmlError, SettingsError

EXIT_ERROR = 1
EXIT_INTERRUPTED = 130
EXIT_TERMINATED = 143
GC_ALLOCATIONS = 50_000


def output() -> Console:
    """The console for what a command answers: text as it is, no line broken where a pipe reads it."""
    return Console(soft_wrap=not sys.stdout.isatty(), highlight=False, markup=False)


def new_app(**options: Any) -> typer.Typer:
    """A Typer app with the defaults that all our commands use."""
    return typer.Typer(
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode="markdown",
        no_args_is_help=True,
        **options,
    )


def command_app(command: Callable[..., None], **options: Any) -> typer.Typer:
    """A Typer app of one command.

    Args:
        command: a function with Typer-annotated parameters.
        options: passed to Typer's `command`, such as `context_settings`.
    """
    app = new_app()
    app.command(**options)(guarded(command))
    return app


def run_command(command: Callable[..., None], **options: Any) -> None:
    """Run one command function as a program: `python -m room.step …`."""
    command_app(command, **options)()


def extra_options(words: Iterable[str], whose: str) -> dict[str, str]:
    """`--name value` and `--name=value`, as a command leaves them over for somebody else to know.

    Args:
        words: what is left over.
        whose: whose parameters they are, for the message.

    Returns:
        name, with `_` for `-` → value as text.

    Raises:
        SettingsError: something else is left over.
    """
    found: dict[str, str] = {}
    rest = iter(words)
    for word in rest:
        name, equals, value = word.removeprefix("--").partition("=")
        given = value if equals else next(rest, None)
        if not word.startswith("--") or given is None:
            raise SettingsError(
                f"cannot make sense of {word!r}; expected --name value for a parameter of {whose}"
            )
        found[name.replace("-", "_")] = given
    return found


def guarded(command: Callable[..., None]) -> Callable[..., None]:
    """The command with its edges: our errors are one line and exit code 1, an interruption says so."""

    @functools.wraps(command)
    def run(*args: Any, **kwargs: Any) -> None:
        _prepare_process()
        try:
            command(*args, **kwargs)
        except AdaptmlError as error:
            Console(stderr=True).print("[bold red]error:[/] ", end="")
            typer.echo(str(error), err=True)
            raise typer.Exit(EXIT_ERROR) from error
        except KeyboardInterrupt:
            typer.echo("interrupted; nothing of this step was kept", err=True)
            raise typer.Exit(EXIT_INTERRUPTED) from None

    return run


def _prepare_process() -> None:
    """Show warnings on stderr; let a SIGTERM unwind the step, so that its run is marked."""
    # Modules live as long as the process, and our frames hold no cycles: looking through them for garbage
    # again and again is half the time of a `pull`.
    gc.freeze()
    gc.set_threshold(GC_ALLOCATIONS)
    log = logging.getLogger("adaptml")
    if not log.handlers:
        handler = logging.StreamHandler()
        handler.setLevel(logging.WARNING)
        handler.setFormatter(logging.Formatter("warning: %(message)s"))
        log.addHandler(handler)
    logging.getLogger("mlflow").setLevel(logging.WARNING)
    signal.signal(signal.SIGTERM, _terminate)


def _terminate(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(EXIT_TERMINATED)
