"""Answers about rules, kept for a minute: sorting a table and turning a page ask nothing anew."""

import time
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import Any

from adaptml.project import Project
from adaptml.tasks import Task
from adaptml.tasks.rule_file import digest_of

KEPT_S = 60.0
MOST_KEPT = 16
MOST_FILES = 1_000


class Kept:
    """The last answers by what they were asked for."""

    def __init__(self) -> None:
        self._known: OrderedDict[object, tuple[float, dict[str, Any]]] = OrderedDict()
        self._lock = Lock()

    def get(self, key: object, ask: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """The answer to a question, asked anew where it is not known or old."""
        found = self.known(key)
        if found is not None:
            return found
        answer = ask()
        with self._lock:
            self._known[key] = time.monotonic(), answer
            while len(self._known) > MOST_KEPT:
                self._known.popitem(last=False)
        return answer

    def known(self, key: object) -> dict[str, Any] | None:
        """The answer, where it is known."""
        with self._lock:
            since, answer = self._known.get(key, (0.0, {}))
            return answer if answer and time.monotonic() - since < KEPT_S else None

    def forget(self) -> None:
        """Ask everything anew."""
        with self._lock:
            self._known.clear()


def key_of(project: Project, task: Task, table: str, text: str) -> tuple[object, ...]:
    """What an answer about rules depends on, as far as it can be seen without asking.

    Beside the text these are the files of the task's folder and the task's gold; rows of the table and gold
    that another machine made are seen after a minute.
    """
    folder = task.folder or Path()
    files = sorted(path for path in folder.rglob("*") if "__pycache__" not in path.parts)[:MOST_FILES]
    stamps = [_stamp(path) for path in (*files, project.settings.gold(task.name))]
    return (str(project.settings.home), task.name, table, digest_of(text), tuple(stamps))


def _stamp(path: Path) -> tuple[str, int, int]:
    try:
        state = path.stat()
    except OSError:
        return str(path), 0, 0
    return str(path), state.st_mtime_ns, state.st_size
