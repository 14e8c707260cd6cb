"""One job: its process, what it prints and tells, and how it ends."""

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Protocol

from adaptml.events import JOB_VARIABLE, VARIABLE
from portal.jobs.job import Work
from portal.jobs.logs import Lines
from portal.jobs.steps import step_of

PROGRAM = (
    "import sys; sys.argv[0] = 'adaptml'; from adaptml.cli import main; main()"  # so that it says its name
)
POLL_S = 0.2
BEAT_S = 2.0
TERMINATE_S = 10.0
PIPES_S = 5.0
MAX_ANSWER_CHARS = 2**18
MAX_UNTOLD_CHARS = 2**22
MAX_ERROR_CHARS = 2_000
ERROR = "error: "


class Board(Protocol):
    """Where a worker finds jobs and says what becomes of them: the table, or the page that has it."""

    def claim(self, worker: str, rooms: Sequence[str]) -> Work | None:
        """As `JobStore.claim`."""

    def beat(
        self, job: int, worker: str, *, pid: int | None = None, events: Sequence[Mapping[str, Any]] = (),
        text: str = "", place: int = 0,
    ) -> bool:  # fmt: skip
        """As `JobStore.beat`."""

    def finish(self, job: int, worker: str, state: str, error: str = "", answer: str = "") -> None:
        """As `JobStore.finish`."""


class Running:
    """A job's process, watched from one thread."""

    def __init__(self, board: Board, worker: str, job: Work, root: Path, scratch: Path) -> None:
        """Nothing is started yet.

        Args:
            board: is told of everything.
            worker: name of the worker that has claimed the job.
            job: what is to run.
            root: the project's folder, in which it runs.
            scratch: folder for its file of events.
        """
        self._board, self._worker, self._job, self._root = board, worker, job, root
        self._events_path = scratch / f"{job.id}.events"
        self._lock = threading.Lock()
        self._text = ""  # printed and not yet told
        self._place = 0  # bytes told
        self._events: list[dict[str, Any]] = []  # not yet told
        self._answer = ""
        self._error = ""
        self._read = 0  # bytes of the file of events
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Have the job end, because its worker does."""
        self._stopping.set()

    def run(self) -> None:
        """Run the job to its end."""
        with _held(self._events_path) as held:
            try:
                process = self._start(held)
            except OSError as error:
                self._finish("failed", f"its process cannot be started: {error.strerror}")
                return
            readers = [
                threading.Thread(target=self._take, args=(process.stdout, True), daemon=True),
                threading.Thread(target=self._take, args=(process.stderr, False), daemon=True),
            ]
            for reader in readers:
                reader.start()
            try:
                ended = self._watch(process)
            except BaseException:
                _signal(process.pid, signal.SIGKILL)
                raise
            _signal(process.pid, signal.SIGKILL)  # what it left behind, which holds its pipes
            for reader in readers:
                reader.join(PIPES_S)
            self._tell(process.pid)
            self._end(process.returncode, ended)
        self._events_path.unlink(missing_ok=True)

    def _start(self, held: int) -> subprocess.Popen[bytes]:
        environment = {
            **os.environ,
            "ADAPTML_ROOT": str(self._root),
            "PYTHONUNBUFFERED": "1",
            VARIABLE: str(self._events_path),
            JOB_VARIABLE: str(self._job.id),
        }
        return subprocess.Popen(  # noqa: S603 - words of a command that may be a job, no shell
            [sys.executable, "-c", PROGRAM, *self._job.argv],
            cwd=self._root, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, start_new_session=True, pass_fds=(held,),
        )  # fmt: skip

    def _take(self, pipe: IO[bytes], is_answer: bool) -> None:
        """Read a pipe to its end."""
        lines = Lines()
        with pipe:
            while data := os.read(pipe.fileno(), 2**16):
                self._add(lines.take(data), is_answer)
        self._add(lines.take(b"", end=True), is_answer)

    def _add(self, text: str, is_answer: bool) -> None:
        with self._lock:
            self._text += text
            if len(self._text) > MAX_UNTOLD_CHARS:  # the board is away for long
                left = len(self._text) - MAX_UNTOLD_CHARS
                self._place += len(self._text[:left].encode("utf-8", "backslashreplace"))
                self._text = self._text[left:]
            if is_answer:
                self._answer = (self._answer + text)[-MAX_ANSWER_CHARS:]
            else:
                said = [line for line in text.splitlines() if line.startswith(ERROR)]
                self._error = said[-1].removeprefix(ERROR)[:MAX_ERROR_CHARS] if said else self._error

    def _watch(self, process: subprocess.Popen[bytes]) -> str:
        """Tell of the process until it ends; returns why it was made to, if it was."""
        why, told, terminated = "", 0.0, 0.0
        while process.poll() is None:
            time.sleep(POLL_S)
            if self._text or self._has_events() or time.monotonic() - told > BEAT_S:
                goes_on, told = self._tell(process.pid), time.monotonic()
                why = why or ("" if goes_on else "cancelled")
            if self._stopping.is_set():
                why = why or "stopped"
            if why and not terminated:
                _signal(process.pid, signal.SIGTERM)
                terminated = time.monotonic()
            elif why and time.monotonic() - terminated > TERMINATE_S:
                _signal(process.pid, signal.SIGKILL)
        return why

    def _has_events(self) -> bool:
        return self._events_path.stat().st_size > self._read

    def _tell(self, pid: int) -> bool:
        """Tell what is new; where the board is away, it is told the next time."""
        with self._lock:
            text = self._text
        self._events += self._new_events()
        try:
            goes_on = self._board.beat(
                self._job.id, self._worker, pid=pid, events=self._events, text=text, place=self._place
            )
        except OSError:
            return True
        with self._lock:
            self._text = self._text[len(text) :]
        self._events = []
        self._place += len(text.encode("utf-8", "backslashreplace"))
        return goes_on

    def _new_events(self) -> list[dict[str, Any]]:
        """Whole lines that are new; of progress the last one."""
        with self._events_path.open("rb") as file:
            file.seek(self._read)
            data = file.read()
        whole = data[: data.rfind(b"\n") + 1]
        self._read += len(whole)
        found: list[dict[str, Any]] = []
        for line in whole.splitlines():
            with contextlib.suppress(ValueError):  # a person's code may write there too
                event = json.loads(line)
                if isinstance(event, dict):
                    found.append(event)
        return [
            event
            for event, following in zip(found, [*found[1:], {}], strict=False)
            if not event.get("kind") == following.get("kind") == "progress"
        ]

    def _end(self, code: int, why: str) -> None:
        if why == "cancelled":
            self._finish("cancelled")
        elif why == "stopped":
            self._finish("failed", "its worker was stopped; run it again")
        elif code in step_of(self._job.argv).done:
            self._finish("done")
        elif code < 0:
            hint = ": often memory" if code == -signal.SIGKILL else ""
            self._finish(
                "failed", f"its process was killed by {signal.Signals(-code).name}{hint}; see its log"
            )
        else:
            self._finish("failed", self._error or f"it ended with exit code {code}; see its log")

    def _finish(self, state: str, error: str = "") -> None:
        while True:
            try:
                self._board.finish(self._job.id, self._worker, state, error, self._answer)
            except OSError:  # the board is away: what was done is not to be lost
                if self._stopping.wait(BEAT_S):
                    return
            else:
                return


def _signal(group: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):  # nobody of the group is left
        os.killpg(group, number)


@contextmanager
def _held(path: Path) -> Iterator[int]:
    """A new file that is locked as long as the block, or a process that inherits it, lives."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield file
    finally:
        os.close(file)


def end_orphan(path: Path, pid: int | None) -> None:
    """End the process of a job whose worker is gone, if it is still there.

    Args:
        path: the job's file of events, which its process holds locked: another one with its number does not.
        pid: its number.
    """
    if pid is None or not path.exists():
        return
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _signal(pid, signal.SIGKILL)
    path.unlink(missing_ok=True)


def scratch_folder() -> Path:
    """A folder for files of events where there is no home of the page."""
    return Path(tempfile.mkdtemp(prefix="adaptml-jobs-"))
