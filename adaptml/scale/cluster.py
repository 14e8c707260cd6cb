"""The workers of a Dask scheduler, on as many machines as there are."""

import logging
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from adaptml.errors import ScaleError
from adaptml.project import Project
from adaptml.scale.address import checked_address, is_loopback
from adaptml.scale.certificates import not_installed, security, unreachable
from adaptml.scale.pool import AHEAD, Pool
from adaptml.scale.quiet import quiet_dask
from adaptml.scale.work import Chunk, Work
from adaptml.tasks import Task

CONNECT_S = 10.0
WORKERS_S = 30.0  # without any worker: those that start, or start again, take a few seconds
ASK_EVERY_S = 2.0


class Cluster(Pool):
    """The workers of a scheduler; each has settings of its own."""

    def __init__(
        self, project: Project, scheduler: str, workers: int = 1, *, patience_s: float = WORKERS_S
    ) -> None:
        """Ask nobody yet.

        Args:
            project: whose step it is; its settings say where certificates are.
            scheduler: its address.
            workers: must be 1: how many there are is the scheduler's.
            patience_s: how long the first worker, or another one, is waited for.

        Raises:
            ScaleError: an address that is none, no certificates, data that workers elsewhere cannot read, or
                the extra is not installed.
        """
        self.project, settings = project, project.settings
        self._address = checked_address(scheduler)
        self._patience_s = patience_s
        if workers > 1:
            raise ScaleError(
                f"--workers {workers} are processes of this machine, and --scheduler {scheduler} has "
                "workers of its own; give one of the two"
            )
        host = self._address.partition("://")[2].rpartition(":")[0].strip("[]")
        if settings.database_url.get_secret_value().startswith("sqlite") and not is_loopback(host):
            raise ScaleError(
                f"the data are a file of this machine (SQLite), which workers of {self._address} cannot "
                "read; keep them in PostgreSQL or CrateDB (ADAPTML_DATABASE_URL), or use --workers N"
            )
        try:
            import distributed  # noqa: F401
        except ImportError as error:
            raise not_installed("workers of a scheduler") from error
        self._security = security(self._address, settings.scale_certificates)

    def __enter__(self) -> Self:
        from distributed import Client

        quiet_dask(logging.CRITICAL)
        try:
            self._client = Client(
                self._address,
                security=self._security,
                timeout=CONNECT_S,
                set_as_default=False,
                name="adaptml",
            )
        except OSError as error:
            raise unreachable(self._address, error) from error
        self._under_way: dict[str, Any] = {}
        self._workers = 0
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self._under_way and self._client.status == "running":
                self._client.cancel(list(self._under_way.values()), force=True)
        finally:
            self._client.close(timeout=CONNECT_S)

    def reach(self) -> None:
        """Ask whether the scheduler is there, before anything is begun.

        Raises:
            ScaleError: none answers, or one with other certificates.
        """
        with self:
            pass

    def _room(self) -> int:
        return AHEAD * max(1, self._workers)

    def _submitter(self, work: Work, task: Task) -> Callable[[Chunk], Any]:
        from distributed import Future
        from distributed.client import ClosedClientError

        from adaptml.scale.nodes import run_chunk_here

        if task.folder is None:
            raise ScaleError(
                f"the task {task.name!r} was made in Python, and workers of a scheduler read a task from its "
                "folder; give it one in tasks/, here and there, or use processes of this machine (workers=2)"
            )
        self._await_workers()

        def submit(chunk: Chunk) -> Future[Any]:
            try:
                future = self._client.submit(run_chunk_here, work, chunk, pure=False)
            except ClosedClientError as error:  # it was away for longer than it is looked for
                raise self._away() from error
            self._under_way[future.key] = future
            return future

        return submit

    def _await_workers(self) -> None:
        """Count the workers, and wait for one where there is none."""
        deadline = time.monotonic() + self._patience_s
        while not self._count() and time.monotonic() < deadline:
            time.sleep(min(ASK_EVERY_S, self._patience_s / 5))
        if not self._workers:
            raise ScaleError(
                f"the scheduler {self._address} has no worker; start some with "
                f"`adaptml scale worker {self._address}`: what is done is kept, run it again for the rest"
            )

    def _count(self) -> int:
        try:
            self._workers = len(self._client.nthreads())
        except OSError as error:
            raise self._away() from error
        return self._workers

    def _away(self) -> ScaleError:
        return ScaleError(
            f"the scheduler {self._address} went away; what is done is kept, run it again for the rest"
        )

    def _result(self, begun: Any) -> Any:
        from distributed import CancelledError, KilledWorker

        while True:
            try:
                result = begun.result(timeout=ASK_EVERY_S)
            except TimeoutError:
                if self._client.status != "running":
                    raise self._away() from None
                self._await_workers()
            except CancelledError as error:
                raise self._away() from error
            except KilledWorker as error:
                raise ScaleError(
                    f"workers of {self._address} ended {error.allowed_failures + 1} times over the same rows "
                    "as out of memory or os._exit make it; look at their logs, and at what the rules do there"
                ) from error
            except OSError as error:
                raise self._away() from error
            else:
                del self._under_way[begun.key]
                begun.release()
                return result
