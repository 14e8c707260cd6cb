"""A scheduler and workers as processes: Dask's own, with TLS in both directions, and without its pages."""

import asyncio
import logging
import os
import signal
import threading
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

import dask
from distributed import Nanny, Scheduler, Security, Worker, WorkerPlugin, get_worker
from distributed.comm import connect
from distributed.core import Status
from distributed.system import MEMORY_LIMIT
from distributed.utils import get_ip

from adaptml.errors import ScaleError, one_line
from adaptml.scale.address import checked_address, is_loopback
from adaptml.scale.certificates import security, unreachable
from adaptml.scale.quiet import quiet_dask
from adaptml.scale.work import Chunk, Work, run_chunk
from adaptml.settings import Settings
from adaptml.user_code import moving_folder

CONNECT_S = 10.0
CLOSED_EVERY_S = 0.2  # workers that end are looked at
CANCEL_GRACE_S = 3.0  # so long a chunk that nobody wants any more may take to its end
_PLUGIN = "adaptml"
# Dask opens a port for pages, whatever it is told: nobody else reaches this one, and nothing is there.
_NOWHERE = "127.0.0.1:0"
_CONFIG = {
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
    "distributed.worker.profile.enabled": False,
    # Results are small and fetched at once: nothing is to be written to a worker's disk.
    "distributed.worker.memory.target": False,
    "distributed.worker.memory.spill": False,
}
_log = logging.getLogger(__name__)


class Here(WorkerPlugin):  # type: ignore[misc] # its types are not read
    """What a worker has of its own: its settings; and an end for chunks that nobody wants any more.

    Dask cannot interrupt a thread: after some seconds the process is ended, and its nanny starts it anew.
    """

    name = _PLUGIN

    def __init__(self, settings: Settings, grace_s: float = CANCEL_GRACE_S) -> None:
        self.settings, self._grace_s = settings, grace_s

    def setup(self, worker: Worker) -> None:
        """Know the worker."""
        self._worker = worker
        quiet_dask(logging.WARNING)

    def transition(self, key: Any, start: str, finish: str, **_more: Any) -> None:
        """Give a chunk that was cancelled while it ran some time to end."""
        if (start, finish) == ("executing", "released"):  # as Dask calls it; the task's state is `cancelled`
            timer = threading.Timer(self._grace_s, self._end, [key])
            timer.daemon = True
            timer.start()

    def _end(self, key: Any) -> None:
        task = self._worker.state.tasks.get(key)
        if task is not None and task.state == "cancelled":
            _log.warning("a chunk that was cancelled did not end: the worker starts anew")
            os._exit(1)


def run_chunk_here(work: Work, chunk: Chunk) -> Any:
    """Do one chunk, in a worker of a scheduler: what `adaptml.scale.cluster` has it run, and nothing else."""
    worker = get_worker()
    with moving_folder():
        return run_chunk(work, chunk, worker.plugins[_PLUGIN].settings, f"worker {worker.address}")


def run_scheduler(settings: Settings, address: str, ready: Callable[[str], None]) -> None:
    """Run a scheduler until SIGTERM or SIGINT.

    Args:
        settings: where certificates are.
        address: what it listens on; port 0 takes a free one.
        ready: called with its address once it listens.

    Raises:
        ScaleError: an address or certificates that cannot be used, or a port that is taken.
    """
    address = checked_address(address)
    secured = security(address, settings.scale_certificates)
    parts = urlsplit(address)

    async def serve(stop: asyncio.Event) -> None:
        scheduler = Scheduler(
            host=parts.hostname, port=parts.port, protocol=parts.scheme, security=secured,
            dashboard=False, dashboard_address=_NOWHERE,
        )  # fmt: skip
        try:
            async with scheduler:
                ready(scheduler.address)
                await stop.wait()
        except OSError as error:
            raise ScaleError(
                f"a scheduler cannot listen on {address}: {one_line(error)}; name another"
            ) from error

    _run(serve)


def run_workers(settings: Settings, address: str, workers: int, ready: Callable[[str], None]) -> None:
    """Run workers of a scheduler until SIGTERM or SIGINT; one that ends is started anew.

    Where the scheduler goes away, it is waited for.

    Args:
        settings: the workers': data, tasks, certificates.
        address: the scheduler's.
        workers: how many processes.
        ready: called with a sentence each time they are ready.

    Raises:
        ScaleError: an address or certificates that cannot be used, no scheduler there, or no room for a
            folder of their own.
    """
    address = checked_address(address)
    secured = security(address, settings.scale_certificates)

    async def work(stop: asyncio.Event) -> None:
        await _reach(address, secured)
        with _own_folder() as folder:
            while not stop.is_set():
                nannies = [_nanny(settings, address, secured, workers, folder) for _ in range(workers)]
                begun = asyncio.gather(*nannies)
                try:
                    await _first(stop.wait(), begun)
                    if not stop.is_set():
                        await begun
                        ready(f"{workers} at work for {address}")
                        await _first(stop.wait(), *(nanny.finished() for nanny in nannies))
                finally:
                    await _close(nannies)
                    await asyncio.gather(begun, return_exceptions=True)
                if not stop.is_set():
                    ready(f"the scheduler {address} went away, and is waited for")
                    back = asyncio.ensure_future(_await(address, secured))
                    await _first(stop.wait(), back)
                    back.cancel()

    _run(work)


def _nanny(settings: Settings, address: str, secured: Security, workers: int, folder: str) -> Nanny:
    host = urlsplit(address).hostname or ""
    return Nanny(
        address,
        # Only where the scheduler is reached, others can reach a worker.
        host="127.0.0.1" if is_loopback(host) else get_ip(host),
        nthreads=1,  # rules and encoders are a process's own
        memory_limit=MEMORY_LIMIT // workers,
        security=secured,
        local_directory=folder,
        dashboard=False,
        dashboard_address=_NOWHERE,
        plugins=(Here(settings),),
        config=dask.config.config,
    )


async def _reach(address: str, secured: Security) -> None:
    """Whether a scheduler answers.

    Raises:
        ScaleError: none does, or it has other certificates.
    """
    try:
        comm = await connect(address, timeout=CONNECT_S, **secured.get_connection_args("worker"))
        await comm.close()
    except OSError as error:
        raise unreachable(address, error) from error


async def _await(address: str, secured: Security) -> None:
    while True:
        try:
            await _reach(address, secured)
        except ScaleError:
            continue
        return


def _own_folder() -> "TemporaryDirectory[str]":
    try:
        return TemporaryDirectory(prefix="adaptml-scale-", ignore_cleanup_errors=True)
    except OSError as error:
        raise ScaleError(
            f"a worker has no room for a folder of its own in {Path(error.filename or '').parent}: "
            f"{error.strerror}; free space, or set TMPDIR to another folder"
        ) from error


async def _first(*events: Awaitable[Any]) -> None:
    """Wait for one of some events."""
    await asyncio.wait(map(asyncio.ensure_future, events), return_when="FIRST_COMPLETED")


async def _close(nannies: Sequence[Nanny]) -> None:
    """End workers, also those that are starting.

    Dask would wait for one of these, and it waits for the scheduler: for ever, where that is away.
    """
    closing = [asyncio.ensure_future(nanny.close()) for nanny in nannies]
    while (await asyncio.wait(closing, timeout=CLOSED_EVERY_S))[1]:
        for nanny in nannies:
            if nanny.process is not None and nanny.process.status == Status.starting and nanny.pid:
                os.kill(nanny.pid, signal.SIGKILL)
    await asyncio.gather(*closing)


def _run(serve: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    """Run until it ends, or a signal asks it to."""

    async def main() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        await serve(stop)

    quiet_dask(logging.WARNING)
    with dask.config.set(_CONFIG):
        asyncio.run(main())
