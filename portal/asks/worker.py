"""One question in a process of its own: a person's code runs here, under limits."""

import faulthandler
import io
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple, NoReturn

from adaptml.errors import AdaptmlError, one_line
from adaptml.masking import masked
from adaptml.project import Project
from portal.asks.core import AskError
from portal.asks.limits import Limits, apply
from portal.asks.wire import encoded, error_message

_log = logging.getLogger(__name__)


class Ends(NamedTuple):
    """File descriptors of a process that answers.

    Attributes:
        answer: the answer, one line of JSON.
        printed: what the code prints by Python's means, with its place, a line of JSON each time.
        output: what it writes by other means.
        trace: where it was when it was stopped.
    """

    answer: int
    printed: int
    output: int
    trace: int


def function_of(name: str) -> Callable[..., Any]:
    """The function that `module:name` names."""
    module, _, function = name.partition(":")
    found: Callable[..., Any] = getattr(import_module(module), function)
    return found


def answer_to(project: Project, question: dict[str, Any]) -> dict[str, Any]:
    """The message that answers a question: what the room says, or its error.

    Args:
        project: whose question it is.
        question: `function`, as `module:name`, and `payload`, its values.
    """
    name = question["function"]
    try:
        return {"answer": function_of(name)(project, **question["payload"])}
    except AdaptmlError as error:
        return error_message(error)
    except MemoryError as error:
        _log.exception("%s", name)
        return {"error": one_line(error), "type": "MemoryError"}
    except Exception as error:  # noqa: BLE001 - the edge of a process
        _log.exception("%s", name)
        said = f"{type(error).__name__}: {one_line(error)}"
        return error_message(AskError(f"{name} failed: {said}; the page's log says where"))


def run_limited(project: Project, question: dict[str, Any], limits: Limits, ends: Ends) -> NoReturn:
    """Answer one question in this process, which ends with it.

    Args:
        project: whose tasks hold the person's code.
        question: as for `answer_to`.
        limits: for the person's code.
        ends: where to write the answer, what the code prints, and where it was when it was stopped.
    """
    _become_a_group(ends)
    mine = os.getpid()
    os.register_at_fork(after_in_child=lambda: os.close(ends.answer))  # a copy answers nothing
    printed = Printed(project.settings.tasks_dir, ends.printed, limits.output_kb << 10)
    sys.stdout = sys.stderr = printed
    ends_here = os._exit
    _watch(limits, ends)
    apply(limits)
    message = answer_to(project, question)
    faulthandler.cancel_dump_traceback_later()
    if os.getpid() == mine:
        _write_all(ends.answer, encoded(message))
    ends_here(0)  # no code that waits for the end of the process is run


class Printed(io.TextIOBase):
    """What the code prints, sent on with the place that printed it."""

    def __init__(self, tasks: Path, to: int, most_bytes: int) -> None:
        self._tasks, self._to, self._left = f"{tasks}{os.sep}", to, most_bytes

    def writable(self) -> bool:
        """It takes text."""
        return True

    def write(self, text: str) -> int:
        """Send some text."""
        if self._left > 0 and text:
            cut = masked(text)[: self._left]
            self._left -= len(cut.encode("utf-8", "replace"))
            file, line = self._place()
            _write_all(self._to, encoded({"text": cut, "file": file, "line": line}))
        return len(text)

    def _place(self) -> tuple[str | None, int | None]:
        frame: FrameType | None = sys._getframe(2)
        while frame is not None:
            if frame.f_code.co_filename.startswith(self._tasks):
                return frame.f_code.co_filename, frame.f_lineno
            frame = frame.f_back
        return None, None


def _become_a_group(ends: Ends) -> None:
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    for descriptor in (1, 2):
        os.dup2(ends.output, descriptor)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _watch(limits: Limits, ends: Ends) -> None:
    """Let it be known where the code was when it crashed, ended the process, or was too slow."""
    faulthandler.enable(ends.trace)
    for number in (signal.SIGTERM, signal.SIGXCPU):
        faulthandler.register(number, ends.trace, chain=True)
    faulthandler.dump_traceback_later(limits.seconds, file=ends.trace)
    really = os._exit

    def exit_here(status: int) -> NoReturn:
        faulthandler.dump_traceback(ends.trace)
        really(status)

    os._exit = exit_here


def _write_all(to: int, data: bytes) -> None:
    """Write to a pipe; nobody may be there any more."""
    view = memoryview(data)
    with suppress(OSError):
        while view:
            view = view[os.write(to, view) :]


def connected(descriptor: int) -> socket.socket:
    """The socket of a descriptor that this process was started with."""
    return socket.socket(fileno=descriptor)
