"""A pool whose one worker is this process, for tests of what workers are told and of what becomes of it."""

import json
from collections.abc import Iterable, Iterator, Mapping
from types import TracebackType
from typing import Any, Self

from adaptml.project import Project
from adaptml.scale.pool import Pool
from adaptml.scale.work import Begin, Chunk
from adaptml.tasks import Task


class PoolHere(Pool):
    """Does each chunk twice, as if the first worker had ended after it wrote, and before it told."""

    def __init__(self, project: Project) -> None:
        self._project = project

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def run(
        self, begin: Begin, task: Task, said: Mapping[str, Any], chunks: Iterable[Chunk]
    ) -> Iterator[Any]:
        do = begin(self._project, task, json.loads(json.dumps(said)))
        for chunk in chunks:
            do(json.loads(json.dumps(chunk)))
            yield do(json.loads(json.dumps(chunk)))

    def _submitter(self, work: Any, task: Task) -> Any:
        raise NotImplementedError

    def _result(self, begun: Any) -> Any:
        raise NotImplementedError

    def _room(self) -> int:
        raise NotImplementedError
