"""The edge to code that a person wrote: a task's `lfs.py`, a labelling function, an encoder.

Whatever such code raises becomes one line with file and line number; the traceback is for the run's log. Its
own folder is importable and is where relative paths start.
"""

import logging
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from traceback import extract_tb
from types import ModuleType

from adaptml.errors import AdaptmlError, Terminated, one_line

Raised = BaseException  # everything; Ctrl-C and the end of the process are passed on
_LOCK = threading.RLock()  # the import path, the loaded modules and the working folder are the process's
_MOVER: list[threading.Thread] = []
_FAILED: set[str] = set()  # what threads of such code failed with, each said once
_log = logging.getLogger(__name__)
_MODULES: dict[Path, dict[str, ModuleType]] = {}  # modules beside a task's lfs.py, which only that task sees


@contextmanager
def user_code(message: Callable[[BaseException], AdaptmlError]) -> Iterator[None]:
    """A block that runs a person's code.

    Args:
        message: makes of what it raised the error that is raised instead.

    Raises:
        AdaptmlError: what the code raised, `SystemExit` included; errors of our own are passed on.
    """
    try:
        yield
    except (AdaptmlError, KeyboardInterrupt, Terminated):
        raise
    except Raised as error:
        raise message(error) from error


def said(error: BaseException) -> str:
    """An error's type and what it says, on one line.

    >>> said(ValueError("no such\\nthing"))
    'ValueError: no such thing'
    """
    name = type(error).__name__
    try:
        reason = one_line(error)
    except Exception:  # noqa: BLE001 - its own way to show itself fails
        return name
    return name if reason == name else f"{name}: {reason}"


def place(error: BaseException, folder: Path | None, *files: str) -> str | None:
    """Where in a person's files an error was raised, as `file, line 3`; None where that cannot be told.

    Args:
        error: what was raised.
        folder: files in it are a person's own.
        files: names of further files of theirs, as code objects name them.
    """
    found = file_and_line(error, folder, *files)
    return f"{found[0]}, line {found[1]}" if found else None


def file_and_line(error: BaseException, folder: Path | None, *files: str) -> tuple[str, int] | None:
    """The same as a file and a line, from 1."""
    if isinstance(error, SyntaxError) and error.filename:
        return error.filename, error.lineno or 1
    own = [
        frame
        for frame in extract_tb(error.__traceback__)
        if frame.filename in files or (folder is not None and _inside(frame.filename, folder))
    ]
    return (own[-1].filename, own[-1].lineno or 1) if own else None


@contextmanager
def moving_folder() -> Iterator[None]:
    """A block in which this thread counts as the main one: no other needs the working folder."""
    _MOVER.append(threading.current_thread())
    try:
        yield
    finally:
        _MOVER.pop()


@contextmanager
def in_folder(folder: Path | None, *, fresh: bool = False) -> Iterator[None]:
    """A block in which a folder's modules can be imported and relative paths start in the folder.

    Modules of the folder are seen by code of this folder alone, so that two folders may each have a
    `helpers.py`. The working folder is the whole process's: it is changed only where the main thread asks, so
    that two projects in two threads do not move each other. One block runs at a time. What a thread that its
    code started fails with is one warning, however often it does.

    Args:
        folder: the folder; None changes nothing.
        fresh: forget modules of the folder that were imported before, and which warnings were given.
    """
    if folder is None:
        yield
        return
    with _LOCK:
        moves = _is_main_thread()
        before = _working_folder() if moves else None
        hidden = _show_modules(folder, fresh)
        others = sys.modules.copy().keys() - _MODULES.get(folder, {}).keys()  # another thread may import
        writes, sys.dont_write_bytecode = sys.dont_write_bytecode, True
        if fresh:
            _FAILED.clear()
        told, threading.excepthook = (
            threading.excepthook,
            partial(_thread_failed, folder, threading.excepthook),
        )
        sys.path.insert(0, str(folder))
        try:
            if moves:
                os.chdir(folder)
            yield
        finally:
            if before is not None:
                os.chdir(before)
            sys.path.remove(str(folder))
            threading.excepthook = told
            sys.dont_write_bytecode = writes
            _hide_modules(folder, hidden, others)


def _thread_failed(
    folder: Path, others: Callable[[threading.ExceptHookArgs], object], failed: threading.ExceptHookArgs
) -> None:
    """Say once what a thread of the folder's code failed with; `others` are told of all other threads."""
    error = failed.exc_value
    where = place(error, folder) if error is not None and not isinstance(error, SystemExit) else None
    if error is None or where is None:
        others(failed)
        return
    text = f"a thread failed at {where}: {said(error)}; what started it was not told"
    if text not in _FAILED:
        _FAILED.add(text)
        _log.warning("%s", text)


def relative_paths_start() -> str:
    """Where relative paths start in a person's code, for messages."""
    return (
        "in the task's folder"
        if _is_main_thread()
        else (
            "in the working folder, for this is not the main thread; give whole paths, such as "
            "Path(__file__).parent / 'words.txt'"
        )
    )


def _is_main_thread() -> bool:
    return threading.current_thread() in (threading.main_thread(), *_MOVER)


def _working_folder() -> Path | None:
    try:
        return Path.cwd()
    except FileNotFoundError:  # it was deleted: there is nothing to come back to
        return None


def _show_modules(folder: Path, fresh: bool) -> dict[str, ModuleType]:
    """Let the folder's modules be found; gives those of the same names that are hidden meanwhile."""
    own = {} if fresh else _MODULES.get(folder, {})
    names = {path.stem for path in folder.glob("*.py")} | {path.parent.name for path in folder.glob("*/*.py")}
    names -= sys.stdlib_module_names
    hidden = {name: module for name, module in sys.modules.copy().items() if name.partition(".")[0] in names}
    for name in hidden:
        del sys.modules[name]
    sys.modules.update(own)
    return hidden


def _hide_modules(folder: Path, hidden: dict[str, ModuleType], others: set[str]) -> None:
    """Take the folder's modules out again, which are among those that were not `others` before."""
    own = {
        name: module
        for name, module in sys.modules.copy().items()
        if name not in others
        and _inside(getattr(module, "__file__", None) or "", folder)
        and not name.startswith("adaptml_task_")
    }
    for name in own:
        del sys.modules[name]
    _MODULES[folder] = own
    sys.modules.update(hidden)


def _inside(file: str, folder: Path) -> bool:
    return file.startswith(f"{folder}{os.sep}")
