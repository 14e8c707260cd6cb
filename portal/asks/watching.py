"""Watching a process that answers: until it has, or what became of it."""

import json
import os
import re
import selectors
import signal
import socket
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from portal.asks.core import AskError
from portal.asks.limits import Limits
from portal.asks.wire import MOST_BYTES, error_message
from portal.asks.worker import Ends

GRACE_S = 1.0  # to write down where the code was
_POLL_S = 0.05
_FRAME = re.compile(r'^  File "(?P<file>.+)", line (?P<line>\d+) in (?P<rule>.+)$', re.MULTILINE)
_RULES = "lfs.py"
_ANSWERS, _PRINTED = {"answer", "error"}, {"text", "file", "line"}


@dataclass
class Watched:
    """A process that answers, and what it has said so far.

    Attributes:
        pid: its id.
        ends: where it is heard.
        limits: its limits.
        status: as `waitpid` gives it, once it has ended by itself.
        too_slow: its time was over.
    """

    pid: int
    ends: Ends
    limits: Limits
    status: int | None = None
    too_slow: bool = False
    said: dict[int, bytearray] = field(init=False)

    def __post_init__(self) -> None:
        self.said = {end: bytearray() for end in self.ends}
        for end in self.ends:
            os.set_blocking(end, False)

    def wait(self, asker: socket.socket) -> None:
        """Until it has answered or ended, its time is over, or nobody waits any more."""
        until = time.monotonic() + self.limits.seconds + GRACE_S
        with selectors.DefaultSelector() as selector:
            for waited in (*self.ends, asker):
                selector.register(waited, selectors.EVENT_READ)
            while self.status is None and not self.said[self.ends.answer].endswith(b"\n"):
                if time.monotonic() > until:
                    self.too_slow = True
                    return
                for key, _ in selector.select(_POLL_S):
                    if key.fileobj is asker:
                        return
                    if self._read(key.fd) == b"":
                        selector.unregister(key.fd)
                self._look_for_end()

    def drain(self) -> None:
        """Read what is left in the pipes."""
        for end in self.ends:
            while self._read(end):
                pass
            os.close(end)

    def message(self) -> dict[str, Any]:
        """The answer, or why there is none; with what was printed."""
        answers = [told for told in _json_lines(self.said[self.ends.answer]) if told.keys() & _ANSWERS]
        printed = _joined(_json_lines(self.said[self.ends.printed]))
        if rest := _text(self.said[self.ends.output]):
            printed.append({"text": rest, "file": None, "line": None})
        out_of_memory = bool(answers) and answers[0].get("type") == MemoryError.__name__
        if answers and not out_of_memory:
            return answers[0] | {"printed": printed}
        return error_message(self._failure(out_of_memory)) | {"printed": printed}

    def _failure(self, out_of_memory: bool) -> AskError:
        trace = _text(self.said[self.ends.trace])
        file, line, rule = _place(trace)
        where = f"at {file}, line {line}, in {rule}" if file else "nothing is known of where"
        if out_of_memory:
            why = f"took more than {self.limits.memory_mb:,} MB of memory"
            what = "take less, or raise ADAPTML_RULES_MEMORY_MB"
        elif self.too_slow or trace.startswith("Timeout"):
            why = f"did not answer within {self.limits.seconds:g} seconds"
            what = "make it faster, or raise ADAPTML_RULES_SECONDS"
        else:
            why, what = _ending(self.status), "a rule returns a class or None, and lets the process go on"
        error = AskError(f"the rules {why}: {where}; {what}")
        error.file, error.line, error.rule = file, line, rule
        return error

    def _read(self, end: int) -> bytes | None:
        """Read what is there, nothing at the end, None while more may come; too much is dropped."""
        try:
            part = os.read(end, 1 << 16)
        except BlockingIOError:
            return None
        most = self.limits.output_kb << 10 if end == self.ends.output else MOST_BYTES
        self.said[end] += part[: max(0, most - len(self.said[end]))]
        return part

    def _look_for_end(self) -> None:
        with suppress(ChildProcessError):
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.status = status if pid else None


def _place(trace: str) -> tuple[str | None, int | None, str | None]:
    """The innermost place in a task's rules: file, line, function; library code is passed over."""
    for found in _FRAME.finditer(trace):
        if os.path.basename(found["file"]) == _RULES:  # noqa: PTH119 - of a text
            return found["file"], int(found["line"]), found["rule"]
    return None, None, None


def _ending(status: int | None) -> str:
    if status is None:
        return "were stopped"
    if os.WIFSIGNALED(status):
        return f"were ended by {signal.Signals(os.WTERMSIG(status)).name}"
    return f"ended the process with status {os.waitstatus_to_exitcode(status)}"


def _json_lines(said: bytearray) -> list[dict[str, Any]]:
    """The messages in it: a person's code may write anything there."""
    found = []
    for line in bytes(said).split(b"\n"):
        with suppress(ValueError):
            message = json.loads(line)
            found += [message] if isinstance(message, dict) else []
    return found


def _joined(parts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What one place printed in a row as one text."""
    found: list[dict[str, Any]] = []
    for part in parts:
        if part.keys() != _PRINTED:
            continue
        if found and all(found[-1][key] == part[key] for key in ("file", "line")):
            found[-1]["text"] += part["text"]
        else:
            found.append(part)
    return found


def _text(said: bytearray) -> str:
    return bytes(said).decode("utf-8", "replace")
