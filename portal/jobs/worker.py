"""A worker: it claims jobs and runs a few of them at once."""

import logging
import socket
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from uuid import uuid4

from adaptml.errors import AdaptmlError
from portal.jobs.job import Work
from portal.jobs.running import Board, Running

AT_ONCE = 3
EMPTY_S = 0.5
AWAY_S = 5.0
STOP_S = 15.0
log = logging.getLogger("adaptml.worker")


class Worker:
    """Claims jobs of some rooms from a board."""

    def __init__(
        self,
        board: Board,
        rooms: Sequence[str],
        root: Path,
        scratch: Path,
        stop: threading.Event,
        at_once: int = AT_ONCE,
    ) -> None:
        """Nothing is done yet.

        Args:
            board: where the jobs are.
            rooms: whose jobs.
            root: the project's folder.
            scratch: folder for files of events.
            stop: is set when the worker is to end; running jobs are ended then.
            at_once: how many jobs run at the same time, those apart that wait for their own steps.
        """
        self.name = f"{socket.gethostname()}-{uuid4().hex[:12]}"
        self._board, self._rooms, self._root, self._scratch, self._at_once = (
            board,
            rooms,
            root,
            scratch,
            at_once,
        )
        self._running: dict[int, tuple[Running, threading.Thread]] = {}
        self._stopping = stop

    def work(self, is_done: Callable[[], bool] = lambda: False) -> None:
        """Claim and run jobs until it is to stop, or until nothing runs and `is_done` says so."""
        while not self._stopping.is_set():
            self._running = {number: pair for number, pair in self._running.items() if pair[1].is_alive()}
            job = self._claimed() if len(self._running) < self._at_once else None
            if job is not None:
                self._begin(job)
            elif not self._running and is_done():
                break
            else:
                self._stopping.wait(EMPTY_S)
        self._end_all()

    def _claimed(self) -> Work | None:
        try:
            return self._board.claim(self.name, self._rooms)
        except (
            AdaptmlError,
            OSError,
        ) as error:  # the page is away or starts: nobody's fault, and it comes back
            log.debug("no jobs can be claimed: %s", error)
            self._stopping.wait(AWAY_S)
            return None

    def _begin(self, job: Work) -> None:
        running = Running(self._board, self.name, job, self._root, self._scratch)
        thread = threading.Thread(target=self._run, args=(running, job), name=f"job {job.id}", daemon=True)
        self._running[job.id] = running, thread
        thread.start()

    def _run(self, running: Running, job: Work) -> None:
        try:
            running.run()
        except (
            Exception
        ):  # the edge of a thread: the worker goes on, and the job is marked lost by its silence
            log.exception("job %s", job.id)

    def _end_all(self) -> None:
        for running, _ in self._running.values():
            running.stop()
        until = time.monotonic() + STOP_S
        for _, thread in self._running.values():
            thread.join(max(0.0, until - time.monotonic()))
