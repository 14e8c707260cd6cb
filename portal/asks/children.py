"""Asking by child processes: one for questions that run a person's code, one for all others."""

import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pydantic import SecretStr

from adaptml.settings import Settings
from portal.asks.core import AskError, Kind
from portal.asks.kinds import KINDS, WARMING
from portal.asks.limits import Limits
from portal.asks.wire import receive, result_of, send

IDLE_S = 600.0
START_S = 120.0  # a busy machine, and libraries that take their time
ANSWER_S = 120.0  # of a question without limits of its own
WAITING_S = 60.0  # for those before it
_SECRET = re.compile("TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL|API_KEY|LABEL_STUDIO|TRACKING", re.IGNORECASE)


class Children:
    """Answers questions by processes, which start when they are first needed and end when they are idle.

    The one that runs a person's code gets no secret of Label Studio's, of MLflow's or of the prediction
    service's, neither in its settings nor in its environment.

    Example:
        >>> with Children(project.settings) as ask:  # doctest: +SKIP
        ...     ask("look", task="spam", data="comments")["table"]
    """

    def __init__(
        self,
        settings: Settings,
        *,
        limits: Limits | None = None,
        kinds: Mapping[str, Kind] = KINDS,
        warming: Sequence[str] = WARMING,
    ) -> None:
        """Nothing is started yet.

        Args:
            settings: of the project.
            limits: for a person's code; default: as the settings say.
            kinds: the questions that can be asked.
            warming: functions of the project, as `module:name`, that load what limited questions need.
        """
        self.limits = limits or Limits(settings.rules_seconds, settings.rules_memory_mb)
        self._kinds = kinds
        stripped = settings.model_copy(update={"label_studio_token": SecretStr("")})
        functions = sorted({kind.function for kind in kinds.values() if kind.limited})
        told = {"limits": asdict(self.limits), "functions": functions, "warming": list(warming)}
        self._limited = _Child("portal.asks.zygote", _told(stripped) | told, _without_secrets)
        self._others = _Child("portal.asks.persistent", _told(settings), dict)

    def __call__(self, kind: str, /, **payload: Any) -> dict[str, Any]:
        """Ask a question, see `Ask`."""
        asked = self._kinds[kind]
        child = self._limited if asked.limited else self._others
        wait_s = self.limits.seconds + WAITING_S if asked.limited else ANSWER_S
        return result_of(child.ask({"function": asked.function, "payload": payload}, wait_s))

    def warm(self) -> Self:
        """Start the process for a person's code meanwhile, so that the first question is quick too."""
        threading.Thread(target=self._limited.start, daemon=True).start()
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the processes; a later question starts them again."""
        self._limited.close()
        self._others.close()


class _Child:
    """A process that is started when it is needed, and again when it has died."""

    def __init__(
        self,
        module: str,
        told: dict[str, Any],
        environment: Callable[[Mapping[str, str]], dict[str, str]],
    ) -> None:
        self._module, self._told = module, told
        self._environment = environment
        self._lock = threading.RLock()
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._open = 0
        self._idle: threading.Timer | None = None

    def ask(self, question: dict[str, Any], wait_s: float) -> dict[str, Any]:
        """The message that answers.

        Raises:
            AskError: there is none.
        """
        self._count(1)
        try:
            for _ in range(2):  # it may have died since the last question
                answer = self._asked(question, wait_s)
                if answer is not None:
                    return answer
                self._end_if_dead()
        except TimeoutError as error:
            self.close()  # whatever it does, it is not to do it for ever
            raise AskError(
                f"there was no answer to {question['function']} within {wait_s:g} seconds; try again"
            ) from error
        finally:
            self._count(-1)
        raise AskError(
            f"the process that answers {question['function']} ended twice without a word, as running "
            "out of memory makes it; see the page's log"
        )

    def start(self) -> socket.socket:
        """Start it where it is not there; returns its control socket."""
        with self._lock:
            if self._control is None:
                ours, theirs = socket.socketpair()
                with theirs:
                    self._process = _started(self._module, theirs, self._environment(os.environ))
                self._control = ours
                ours.settimeout(START_S)
                send(ours, self._told)
                if receive(ours) is None:
                    self.close()
                    raise AskError(f"{self._module} ended while it started; the page's log says why")
            return self._control

    def close(self) -> None:
        """End it."""
        with self._lock:
            process, self._process = self._process, None
            control, self._control = self._control, None
            if self._idle is not None:
                self._idle.cancel()
        if control is not None:
            control.close()  # it ends by itself
        if process is not None:
            try:
                process.wait(1)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _asked(self, question: dict[str, Any], wait_s: float) -> dict[str, Any] | None:
        ours, theirs = socket.socketpair()
        with ours:
            with theirs:
                try:
                    socket.send_fds(self.start(), [b"?"], [theirs.fileno()])
                except (BrokenPipeError, ConnectionResetError):
                    return None
            ours.settimeout(wait_s)
            try:
                send(ours, question)
                return receive(ours)
            except (BrokenPipeError, ConnectionResetError):
                return None

    def _end_if_dead(self) -> None:
        with self._lock:
            if self._process is not None:
                try:
                    self._process.wait(1)
                except subprocess.TimeoutExpired:
                    return
                self.close()

    def _count(self, change: int) -> None:
        """Count open questions; without one for some minutes, the process ends."""
        with self._lock:
            self._open += change
            if self._idle is not None:
                self._idle.cancel()
                self._idle = None
            if not self._open:
                self._idle = threading.Timer(IDLE_S, self._close_if_idle)
                self._idle.daemon = True
                self._idle.start()

    def _close_if_idle(self) -> None:
        with self._lock:
            if not self._open:
                self.close()


def _started(module: str, theirs: socket.socket, environment: dict[str, str]) -> "subprocess.Popen[bytes]":
    """A Python process that runs a module; an interruption at the terminal does not reach it."""
    house = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join(dict.fromkeys([house, *filter(None, sys.path)]))
    return subprocess.Popen(  # noqa: S603 - this Python, and a module of ours
        [sys.executable, "-P", "-m", module, str(theirs.fileno())],
        pass_fds=[theirs.fileno()],
        env=environment | {"PYTHONPATH": path},
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )


def _without_secrets(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if not _SECRET.search(name)}


def _told(settings: Settings) -> dict[str, Any]:
    """The settings, with their secrets, for the socket that only the process has."""
    values = settings.model_dump(mode="json", by_alias=True)
    secret = {name: value for name, value in settings if isinstance(value, SecretStr)}
    return {"settings": values | {name: value.get_secret_value() for name, value in secret.items()}}
