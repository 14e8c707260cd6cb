"""Who does chunks: processes of this machine, or the workers of a scheduler. One way to ask both."""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Self

from adaptml.project import Project
from adaptml.scale.work import Begin, Chunk, Work
from adaptml.tasks import Task

AHEAD = 2  # chunks a worker that are under way or wait for it: enough that none is idle


class Pool(AbstractContextManager["Pool"], ABC):
    """Does chunks elsewhere, a few at a time, until the block ends; what is under way then is cancelled.

    Attributes:
        project: whose step it is.
    """

    project: Project

    @abstractmethod
    def __enter__(self) -> Self:
        """Get ready."""

    @abstractmethod
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Cancel what is under way, and let go of the workers."""

    @abstractmethod
    def _submitter(self, work: Work, task: Task) -> Callable[[Chunk], Any]:
        """What begins a chunk of some work."""

    @abstractmethod
    def _result(self, begun: Any) -> Any:
        """What became of a chunk, once it is done; errors as the chunk function raised them."""

    @abstractmethod
    def _room(self) -> int:
        """How many chunks may be under way."""

    def run(
        self, begin: Begin, task: Task, said: Mapping[str, Any], chunks: Iterable[Chunk]
    ) -> Iterator[Any]:
        """The results of chunks, in the order of the chunks, of which few are in memory at a time.

        A chunk whose worker has ended is done again by another.

        Args:
            begin: gets the chunk function ready, in each worker; marked by `runs_chunks`.
            task: the task.
            said: what else `begin` is told; plain values.
            chunks: what the chunk function is called with, one after the other; plain values.

        Raises:
            ScaleError: no worker can do it, or workers end over it again and again.
            DatabaseUnavailableError: the project's database is away.
            AdaptmlError: what a chunk function raises.
        """
        submit = self._submitter(Work.of(begin, self.project, task, said), task)
        under_way: deque[Any] = deque()
        for chunk in chunks:
            under_way.append(submit(chunk))
            while len(under_way) >= self._room():
                yield self._result(under_way.popleft())
        while under_way:
            yield self._result(under_way.popleft())


def open_pool(project: Project, workers: int = 1, scheduler: str | None = None) -> Pool | None:
    """Who does chunks of a project's steps; None for this process by itself.

    Args:
        project: its settings are those of processes here; workers elsewhere have their own.
        workers: processes of this machine.
        scheduler: address of a scheduler, whose workers are asked instead.

    Raises:
        ScaleError: an address that is none, or processes here and a scheduler at once, or no scheduler
            answers: one that is named is asked, however little there is to do.
    """
    if scheduler is not None:
        from adaptml.scale.cluster import Cluster

        pool = Cluster(project, scheduler, workers)
        pool.reach()
        return pool
    if workers > 1:
        from adaptml.scale.processes import Processes

        return Processes(project, workers)
    return None
