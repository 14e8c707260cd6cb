"""What every command shares: its Typer app, errors as one line, exit codes, warnings on stderr."""

import contextlib
import functools
import gc
import logging
import os
import signal
import sys
from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn

import typer
from rich.console import Console
from typer.core import TyperCommand, TyperGroup
from typer.exceptions import TyperException

from adaptml.cli.options import ALIASES
from adaptml.cli.streams import EXIT_CLOSED_PIPE, EXIT_UNSAID, make_patient, unsaid
from adaptml.errors import AdaptmlError, NothingNewError, SettingsError, Terminated, one_line
from adaptml.events import EVENTS, VARIABLE
from adaptml.masked_logs import mask_this_process

if TYPE_CHECKING:
    from adaptml.project import Project

EXIT_ERROR = 1
EXIT_INTERRUPTED = 130
GC_ALLOCATIONS = 50_000
TYPED = "adaptml.typed"  # in a context's meta: what was typed after the command's name
PIPE_COLUMNS = 1_000  # wider than any table
# Unless the person has set them: no bars for files of a few bytes, and a server that is away is told of in
# seconds, not after seven tries in four minutes.
MLFLOW_DEFAULTS = {
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",  # no step opens one by MLflow
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
}


def output() -> Console:
    """The console for what a command answers: text as it is, no line broken where a pipe reads it."""
    piped = not sys.stdout.isatty()
    return Console(soft_wrap=piped, width=PIPE_COLUMNS if piped else None, highlight=False, markup=False)


def say_error(text: str) -> None:
    """One line on stderr that begins with `error:`."""
    Console(stderr=True).print("[bold red]error:[/] ", end="")
    typer.echo(text, err=True)


class _OneLine:
    """Mixed into Typer's classes: what the parser refuses is one line with the next step, no box."""

    def main(self, args: Sequence[str] | None = None, *, standalone_mode: bool = True, **options: Any) -> Any:
        """As Typer's, except for how a usage error looks; its exit code stays 2."""
        run = super().main  # type: ignore[misc]
        if not standalone_mode:
            return run(args, standalone_mode=False, **options)
        make_patient()
        try:
            code = run(args, standalone_mode=False, **options) or 0
        except TyperException as error:
            text = usage_line(error)
            if text:
                say_error(text)
                _mark_opened_run(SettingsError(text))
            code = error.exit_code
        except typer.Abort:
            say_error("stopped, as was answered; nothing was changed")
            code = EXIT_ERROR
        sys.exit(code or _code_of_unsaid())


def _code_of_unsaid() -> int:
    """The exit code of a command that did all, of which some may not have been shown."""
    lost = unsaid()
    if lost is None:
        return 0
    if isinstance(lost, BrokenPipeError):  # whoever read it, such as `head`, has seen enough
        return EXIT_CLOSED_PIPE
    say_error(f"all was done, but not all was shown: stdout cannot be written: {one_line(lost)}")
    return EXIT_UNSAID


def usage_line(error: TyperException) -> str:
    """What the parser refuses, on one line, and where the right form is; empty where help was printed."""
    if type(error).__name__ == "NoArgsIsHelpError":
        return ""
    text = one_line(Exception(error.format_message())).rstrip(".")
    given, context = getattr(error, "given", None), getattr(error, "ctx", None)
    said = "" if given is None else f", given {given!r}"
    seen = "" if context is None or "`" in text else f"; see `{context.command_path} --help`"
    return text[:1].lower() + text[1:] + said + seen


class Command(_OneLine, TyperCommand):  # type: ignore[misc]
    """A command that also takes the options' names of before."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse, with each name of before replaced by the option's own."""
        known = {name for param in self.params for name in param.opts}
        words = [_renamed(word, known) for word in args]
        ctx.meta[TYPED] = list(words)
        try:
            parsed: list[str] = super().parse_args(ctx, list(words))
        except TyperException as error:
            error.ctx = getattr(error, "ctx", None) or ctx  # type: ignore[attr-defined]  # not all name it
            error.given = _given(error, words)  # type: ignore[attr-defined]
            raise
        return parsed


def _given(error: TyperException, words: Sequence[str]) -> str | None:
    """The value of the option that an error is about."""
    options = getattr(getattr(error, "param", None), "opts", [])
    for word, following in zip(words, [*words[1:], None], strict=False):
        name, equals, value = word.partition("=")
        if name in options:
            return value if equals else following
    return None


class Group(_OneLine, TyperGroup):  # type: ignore[misc]
    """A group of commands."""


def _renamed(word: str, known: set[str]) -> str:
    name, equals, value = word.partition("=")
    new = ALIASES.get(name, name)
    return f"{new}{equals}{value}" if name not in known and new in known else word


class App(typer.Typer):
    """A Typer app whose commands are guarded and of our class."""

    def command(self, name: str | None = None, **options: Any) -> Callable[[Any], Any]:
        """Add a command, as Typer's decorator does."""
        register = super().command(name, **{"cls": Command, **options})
        return lambda function: register(guarded(function))


def new_app(**options: Any) -> App:
    """A Typer app with the defaults that all our commands use."""
    return App(
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode="markdown",
        **{"cls": Group, "no_args_is_help": True, **options},
    )


def project_here(*, needs_home: bool = True, needs_tasks: bool = True) -> "Project":
    """The project of the working folder, for a command that works on what is there.

    What can come first in a new folder, such as `import`, takes the folder as it is: `Project()`.

    Args:
        needs_home: a home folder that was named has to be there; the first `import` makes it.
        needs_tasks: a database that was named is not enough, as it is for looking at its tables.

    Raises:
        SettingsError: no project is here, or the home folder or database file that was named is not there.
    """
    from adaptml.addresses import sqlite_file
    from adaptml.project import Project  # not for `--help`

    project = Project()
    settings, named = project.settings, os.environ.get("ADAPTML_ROOT")
    if named and not settings.root.is_dir():
        raise SettingsError(
            f"no folder {settings.root}, which ADAPTML_ROOT names; expected a project's folder"
        )
    if needs_home and "home" in settings.model_fields_set and not settings.home.is_dir():
        raise SettingsError(
            f"no folder {settings.home}, which ADAPTML_HOME names; expected the project's home folder: "
            "correct the name, or make the folder"
        )
    if not named and not settings.tasks_dir.is_dir() and not settings.home.is_dir():
        if needs_tasks or "database_url" not in settings.model_fields_set:
            raise SettingsError(
                f"no project here: no folder tasks at or above {settings.root}; change into a project's "
                "folder, or set ADAPTML_ROOT to it; `adaptml import` and `adaptml task new` begin a new one"
            )
        file = sqlite_file(settings.database_url.get_secret_value())
        if file is not None and not file.is_file():  # which to look at it would make
            raise SettingsError(
                f"no file {file}, which ADAPTML_DATABASE_URL names, and no project here; correct the name, "
                "or make it with `adaptml import`"
            )
    return project


def command_app(command: Callable[..., None], **options: Any) -> typer.Typer:
    """A Typer app of one command.

    Args:
        command: a function with Typer-annotated parameters.
        options: passed to Typer's `command`, such as `context_settings`.
    """
    app = new_app()
    app.command(**options)(command)
    return app


def run_command(command: Callable[..., None], **options: Any) -> None:
    """Run one command function as a program: `python -m room.step …`."""
    command_app(command, **options)()


def run_file(name: str) -> None:
    """Run the command of one file of this folder as a program, named as text: the rooms import no command.

    Args:
        name: the file, such as `original_label`.
    """
    module = import_module(f"adaptml.cli.{name}")
    run_command(module.command, **getattr(module, "COMMAND_OPTIONS", {}))


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

    if hasattr(command, "guarded"):
        return command

    @functools.wraps(command)
    def run(*args: Any, **kwargs: Any) -> None:
        _prepare_process()
        try:
            command(*args, **kwargs)
        except NothingNewError as error:  # a nightly job on a quiet day: no failure
            typer.echo(str(error))
        except AdaptmlError as error:
            say_error(str(error))
            _mark_opened_run(error)
            raise typer.Exit(EXIT_ERROR) from error
        except KeyboardInterrupt as error:
            typer.echo(f"interrupted; {_kept(error) or 'nothing of this step was kept'}", err=True)
            raise typer.Exit(EXIT_INTERRUPTED) from None
        except Terminated as error:
            if _kept(error):
                typer.echo(f"ended; {_kept(error)}", err=True)
            raise

    run.guarded = True  # type: ignore[attr-defined]
    return run


def _kept(error: BaseException) -> str:
    """What was complete already when a step was interrupted; empty where nothing was."""
    return "; ".join(getattr(error, "__notes__", []))


def _mark_opened_run(error: AdaptmlError) -> None:
    """What `mlflow run` opened a run for may be refused before it begins: the run then says why."""
    if os.environ.get("MLFLOW_TRACKING_URI") and os.environ.get("MLFLOW_RUN_ID"):
        from adaptml.project import Project

        with contextlib.suppress(SettingsError), Project() as project:  # of settings, the error itself tells
            project.runs.refuse(error)


class _OnStderr(logging.Handler):
    """Writes to what stderr is now: a process that runs several commands may give each its own."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line."""
        sys.stderr.write(f"{self.format(record)}\n")


def _prepare_process() -> None:
    """Show warnings on stderr; let SIGTERM and SIGHUP unwind the step, so that its run is marked."""
    # Modules live as long as the process, and our frames hold no cycles: looking through them for garbage
    # again and again is half the time of a `pull`. Set before the step is imported, which makes many objects.
    gc.set_threshold(GC_ALLOCATIONS)
    log = logging.getLogger("adaptml")
    if not log.handlers:
        handler = _OnStderr()
        handler.setLevel(logging.WARNING)
        handler.setFormatter(logging.Formatter("warning: %(message)s"))
        log.addHandler(handler)
    logging.getLogger("mlflow").setLevel(logging.WARNING)
    _take_from_project(log)
    mask_this_process(os.environ)
    EVENTS.write_to(Path(os.environ[VARIABLE]) if os.environ.get(VARIABLE) else None)
    for name, value in MLFLOW_DEFAULTS.items():
        os.environ.setdefault(name, value)
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup has it
            signal.signal(number, _terminate)


def _take_from_project(log: logging.Logger) -> None:
    """Hand MLflow its own variables; warn of names that count for nothing: those of before, and mistyped."""
    from adaptml.settings import hand_on_mlflow, project_root  # not for `--help`
    from adaptml.settings_names import unread_names

    with contextlib.suppress(FileNotFoundError):  # the working folder was removed, which the step says
        root = Path(os.environ.get("ADAPTML_ROOT") or project_root(Path.cwd()))
        hand_on_mlflow(root, os.environ)
        for line in unread_names(root, os.environ):
            log.warning("%s", line)


def _terminate(number: int, _frame: FrameType | None) -> NoReturn:
    raise Terminated(128 + number)
