"""The service as one process, or as several that answer on one socket.

Python runs one thread at a time in a process: on a machine with several cores, several processes answer more.
uvicorn's own supervisor makes its servers itself, so that they would have none of our limits for clients.
"""

import logging
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import connection, get_context
from multiprocessing.context import SpawnProcess
from pathlib import Path
from socket import socket
from tempfile import TemporaryDirectory
from typing import NamedTuple

from starlette.types import ASGIApp

from adaptml.errors import AdaptmlError, one_line
from adaptml.listening import LAST_S, run_server
from adaptml.masked_logs import mask_this_process
from adaptml.project import Project
from adaptml.settings import Settings

COUNTS = "PROMETHEUS_MULTIPROC_DIR"  # prometheus_client's own; it looks for it when it is imported
AGAIN_S = 1.0  # before another takes the place of one that could not begin
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Service:
    """What is served, and to whom.

    Attributes:
        settings: of the project.
        key: what requests must carry; empty: none must.
        hosts: further names that the service is asked for by.
        featurize, models: as `create_app` has them.
    """

    settings: Settings
    key: str = ""
    hosts: tuple[str, ...] = ()
    featurize: bool = False
    models: tuple[Path | str, ...] = ()

    def app(self, project: Project) -> ASGIApp:
        """The service, with what stands in front of it.

        Raises:
            SettingsError: the prefix is none; it is to write, and has no key.
            ModelError: a folder that cannot be served.
        """
        from modelling.app.front import fronted  # a worker's metrics are set up before this is imported
        from modelling.app.main import create_app

        app = create_app(project, featurize=self.featurize, models=self.models)
        return fronted(app, self.settings, self.key, self.hosts)

    def run(self, project: Project, listener: socket, on_ready: Callable[[], None]) -> None:
        """Serve in this process until it is asked to end: see `adaptml.listening.run_server`."""
        from modelling.app.api_errors import refusal

        run_server(self.app(project), listener, self.settings, refusal, on_ready)


def run_service(
    service: Service,
    project: Project,
    listener: socket,
    workers: int = 1,
    on_ready: Callable[[], None] = lambda: None,
) -> None:
    """Serve until SIGINT, SIGTERM or SIGHUP; requests under way are answered first.

    Args:
        service: what is served.
        project: whose champions.
        listener: a socket of `listen`; it is closed in the end.
        workers: processes that answer; one that dies is replaced. With one, it is this one.
        on_ready: called when all of them answer.

    Raises:
        SettingsError, ModelError: as `Service.app`.
        AdaptmlError: what a worker raised that could not begin.
    """
    with listener:
        if workers == 1:
            service.run(project, listener, on_ready)
            return
        with TemporaryDirectory(prefix="adaptml-counts-") as counts:
            _Workers(service, listener, workers, Path(counts)).run(on_ready)


class _Worker(NamedTuple):
    """A process, and the pipe by which it says that it is ready, or why not."""

    process: SpawnProcess
    pipe: connection.Connection


class _Workers:
    """Keeps so many processes at work."""

    def __init__(self, service: Service, listener: socket, n: int, counts: Path) -> None:
        self._service, self._listener, self._n, self._counts = service, listener, n, counts
        self._workers: list[_Worker] = []

    def run(self, on_ready: Callable[[], None]) -> None:
        with _asked_to_stop() as stop:
            try:
                self._workers = [self._started() for _ in range(self._n)]
                if self._all_ready(stop):
                    on_ready()
                    self._keep(stop)
            finally:
                self._end()

    def _started(self) -> _Worker:
        ours, its = connection.Pipe()
        arguments = (self._service, self._listener, its, str(self._counts))
        process = get_context("spawn").Process(target=_work, args=arguments)
        process.start()
        its.close()
        return _Worker(process, ours)

    def _all_ready(self, stop: connection.Connection) -> bool:
        """Wait until all of them answer; False where it is asked to stop before."""
        waited_for = {worker.pipe for worker in self._workers}
        while waited_for:
            for said in connection.wait([stop, *waited_for]):
                if said is stop:
                    return False
                assert isinstance(said, connection.Connection)  # noqa: S101 - none but these were waited for
                try:
                    problem = said.recv()
                except EOFError:
                    problem = "a worker of the service ended before it was ready; its log says why"
                if problem:
                    raise AdaptmlError(problem)
                waited_for.remove(said)
        return True

    def _keep(self, stop: connection.Connection) -> None:
        """Put another in the place of each that dies."""
        while True:
            by_end = {worker.process.sentinel: place for place, worker in enumerate(self._workers)}
            ended = connection.wait([stop, *by_end])
            if stop in ended:
                return
            for place in (by_end[end] for end in ended if isinstance(end, int)):
                worker = self._workers[place]
                worker.process.join()
                self._forget(worker)
                _log.warning(
                    "worker %s ended by itself (%s); another takes its place",
                    worker.process.pid, worker.process.exitcode,
                )  # fmt: skip
                # It may have been unable to begin: a database away will be there again.
                if stop in connection.wait([stop], timeout=AGAIN_S):
                    return
                self._workers[place] = self._started()

    def _forget(self, worker: _Worker) -> None:
        from prometheus_client.multiprocess import mark_process_dead

        worker.pipe.close()
        mark_process_dead(worker.process.pid, str(self._counts))  # type: ignore[no-untyped-call]

    def _end(self) -> None:
        for worker in self._workers:
            worker.process.terminate()
        for worker in self._workers:
            worker.process.join(self._service.settings.grace_seconds + 2 * LAST_S)
            worker.process.kill()
            worker.process.join()


@contextmanager
def _asked_to_stop() -> Iterator[connection.Connection]:
    """Something can be read from it when a signal asks this process to end."""
    asked, ask = connection.Pipe(duplex=False)
    before = {}
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup sets it
                before[number] = signal.signal(number, lambda *_: ask.send_bytes(b"stop"))
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _work(service: Service, listener: socket, pipe: connection.Connection, counts: str) -> None:
    """What a worker does."""
    os.environ[COUNTS] = counts
    mask_this_process(os.environ)
    threading.Thread(target=_end_with, args=(pipe,), daemon=True).start()
    try:
        with Project(settings=service.settings) as project:
            service.run(project, listener, lambda: pipe.send(""))
    except AdaptmlError as error:
        pipe.send(one_line(error))


def _end_with(pipe: connection.Connection) -> None:
    """End when the process that started this one is gone, whatever became of it."""
    with suppress(EOFError, OSError):
        pipe.recv()
    os.kill(os.getpid(), signal.SIGTERM)
