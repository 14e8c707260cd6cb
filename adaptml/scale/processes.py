"""Processes of this machine, by loky, which scikit-learn brings: no server, half of Dask's time to start."""

from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from time import sleep
from types import TracebackType
from typing import Any, Self

from cloudpickle import dumps
from joblib.externals.loky import ProcessPoolExecutor
from joblib.externals.loky.process_executor import BrokenProcessPool

from adaptml.errors import ScaleError
from adaptml.project import Project
from adaptml.scale.pool import AHEAD, Pool
from adaptml.scale.work import Chunk, Work, run_chunk
from adaptml.tasks import Task
from adaptml.user_code import Raised, said

MOST_ENDS = 3  # of processes over one chunk, as Dask's scheduler counts them
_WHERE = "a process of this machine"
_LOOKS, _LOOK_S = 100, 0.01  # whether loky has passed on what it was given, which takes it no time


@dataclass(eq=False)
class _Begun:
    """A chunk that was given to a process, and how to give it to another."""

    work: Work
    task: bytes | None
    chunk: Chunk
    future: "Future[Any] | None" = field(default=None)


class Processes(Pool):
    """Processes of this machine, with this project's settings."""

    def __init__(self, project: Project, workers: int) -> None:
        """Start nothing yet."""
        self.project, self._workers = project, workers
        self._begun: list[_Begun] = []

    def __enter__(self) -> Self:
        self._executor = ProcessPoolExecutor(self._workers)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end(wait=True)
        self._begun = []

    def _end(self, *, wait: bool) -> None:
        """End all processes; a chunk that is under way is of no use to anybody."""
        # What loky was given and has not passed on when it ends has its thread fail with a KeyError.
        given = [begun.future for begun in self._begun if begun.future is not None]
        for _ in range(_LOOKS):
            if all(future.running() or future.done() for future in given):
                break
            sleep(_LOOK_S)
        self._executor.shutdown(wait=wait, kill_workers=True)  # without a chunk they take seconds to end

    def _room(self) -> int:
        return AHEAD * self._workers

    def _submitter(self, work: Work, task: Task) -> Callable[[Chunk], _Begun]:
        blob = None
        if task.folder is None:
            try:
                blob = dumps(task)
            except Raised as error:
                raise ScaleError(
                    f"the task {task.name!r} cannot be sent to other processes: {said(error)}; "
                    "run with one worker, or give it a folder in tasks/"
                ) from error

        def submit(chunk: Chunk) -> _Begun:
            begun = _Begun(work, blob, chunk)
            self._begun.append(begun)
            self._give(begun)
            return begun

        return submit

    def _give(self, begun: _Begun) -> None:
        try:
            begun.future = self._executor.submit(
                run_chunk, begun.work, begun.chunk, self.project.settings, _WHERE, begun.task
            )
        except BrokenProcessPool:
            begun.future = None  # it is given again when its result is asked for

    def _result(self, begun: _Begun) -> Any:
        for times in range(MOST_ENDS):
            if times or begun.future is None:
                self._again()
            if begun.future is not None:
                with suppress(BrokenProcessPool):
                    result = begun.future.result()
                    self._begun.remove(begun)
                    return result
        raise ScaleError(
            f"processes ended {MOST_ENDS} times without a word over the same rows, as out of memory or "
            "os._exit make it; run with fewer --workers, and look at what the rules do there"
        )

    def _again(self) -> None:
        """New processes, for all that the old ones left."""
        self._end(wait=False)
        self._executor = ProcessPoolExecutor(self._workers)
        for begun in self._begun:
            if begun.future is None or not begun.future.done() or begun.future.exception() is not None:
                self._give(begun)
