"""The worker of a page without the stack: one process beside it, which outlives it as long as jobs run."""

import fcntl
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from adaptml.project import Project
from portal.jobs.running import end_orphan
from portal.jobs.steps import PORTAL, ROOMS
from portal.jobs.store import LOST, JobStore
from portal.jobs.worker import Worker
from portal.paths import folder

ALONE, SOMEBODY = "worker.lock", "portal.lock"


def rooms_here(service: str) -> Sequence[str]:
    """Rooms of the worker beside a page: all of them, and in the stack that of the page's container."""
    return (PORTAL,) if service else ROOMS


def ensure_worker(project: Project) -> None:
    """Start the worker where none is at work; it goes on when this process ends.

    Args:
        project: whose jobs.
    """
    home = _folder(project)
    with (home / ALONE).open("w") as file:
        if not _locked(file.fileno(), fcntl.LOCK_EX):
            return
    with open(os.open(home / "worker.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as log:  # noqa: PTH123
        process = subprocess.Popen(
            [sys.executable, "-m", "adaptml.cli", "worker"],
            cwd=project.settings.root, env=os.environ | {"ADAPTML_ROOT": str(project.settings.root)},
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    threading.Thread(target=process.wait, daemon=True).start()  # so that nothing is left of it when it ends


@contextmanager
def present(project: Project) -> Iterator[None]:
    """A block in which the worker stays, because somebody looks at the page."""
    with (_folder(project) / SOMEBODY).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        yield


def work(project: Project, rooms: Sequence[str], stop: threading.Event) -> bool:
    """Be the worker, until there is neither a page nor a job.

    Args:
        project: whose jobs.
        rooms: see `rooms_here`.
        stop: is set when the worker is to end.

    Returns:
        Whether it was: False where another one is at work.
    """
    home, store = _folder(project), JobStore(project.settings.home)
    while True:
        with (home / ALONE).open("w") as file:
            if not _locked(file.fileno(), fcntl.LOCK_EX):
                return False
            for job, gone in store.running(rooms):
                end_orphan(home / "events" / f"{job.id}.events", job.pid)
                store.finish(job.id, gone, "lost", LOST)
            worker = Worker(store, rooms, project.settings.root, home / "events", stop)
            worker.work(lambda: not store.unfinished(rooms) and not _somebody(home))
        # What was started between the last look and now found the lock taken.
        if stop.is_set() or not store.unfinished(rooms):
            return True


def _somebody(home: Path) -> bool:
    """Whether a page is there."""
    with (home / SOMEBODY).open("a") as file:
        return not _locked(file.fileno(), fcntl.LOCK_EX)


def _locked(file: int, kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _folder(project: Project) -> Path:
    made = folder(project.settings.home)
    made.mkdir(parents=True, exist_ok=True, mode=0o700)
    return made
