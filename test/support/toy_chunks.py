"""Chunk functions for tests of who calls them: they sleep, die, fail and tell where they ran."""

import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from adaptml.errors import LabellingError, MissingDataPointsError
from adaptml.project import Project
from adaptml.scale.work import ChunkFunction, runs_chunks
from adaptml.tasks import Task


@runs_chunks
def toy(project: Project, task: Task, said: Mapping[str, Any]) -> ChunkFunction:
    """Chunks say what is to be done: `square 3`, `touch FILE`, `die FILE` (once), `die-always`, `fail`, `full`, …"""

    def do(chunk: str) -> Any:
        what, _, more = chunk.partition(" ")
        return DO[what](project, more, said)

    return do


def _die_once(project: Project, more: str, said: Mapping[str, Any]) -> str:
    if not Path(more).exists():
        Path(more).write_text("")
        os.kill(os.getpid(), signal.SIGKILL)
    return "done again"


def _missing(project: Project, more: str, said: Mapping[str, Any]) -> None:
    raise MissingDataPointsError([("posts", more)], 1)


def _fail(project: Project, more: str, said: Mapping[str, Any]) -> None:
    raise LabellingError(f"the rule failed on {more}")


def _hang(project: Project, more: str, said: Mapping[str, Any]) -> None:
    Path(more).write_text(str(os.getpid()))
    time.sleep(600)


def _full(project: Project, more: str, said: Mapping[str, Any]) -> None:
    with Path("/dev/full").open("wb", buffering=0) as file:
        file.write(b"vectors")


DO = {
    "square": lambda _project, more, _said: int(more) ** 2,
    "said": lambda _project, _more, said: dict(said),
    "folder": lambda project, _more, _said: str(project.settings.root),
    "pid": lambda _project, _more, _said: os.getpid(),
    "count": lambda project, more, _said: project.database.count(more),
    "die": _die_once,
    "die-always": lambda *_: os.kill(os.getpid(), signal.SIGKILL),
    "missing": _missing,
    "fail": _fail,
    "hang": _hang,
    "full": _full,
}


def unmarked(project: Project, task: Task, said: Mapping[str, Any]) -> ChunkFunction:
    """Gets nothing ready that a worker runs."""
    return lambda chunk: chunk
