"""A scheduler and workers as processes, with TLS on the loopback address, and a project that they work for."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
from numbers_task import rows, write_task
from toy_chunks import toy

from adaptml.errors import ScaleError
from adaptml.project import Project
from adaptml.scale.certificates import write_certificates
from adaptml.scale.cluster import Cluster
from adaptml.tasks import Task

REPOSITORY = Path(__file__).resolve().parents[2]
STARTED_S = 400


@dataclass
class Here:
    """A scheduler with two workers of a project, in the folder that the project is in."""

    project: Project
    address: str
    scheduler: "subprocess.Popen[str]"
    workers: "subprocess.Popen[str]"

    @property
    def home(self) -> Path:
        return self.project.settings.home

    def task(self) -> Task:
        return self.project.task("numbers")

    def run(self, chunks: Iterable[str], begin: Any = toy, **said: Any) -> list[Any]:
        # Where both workers have ended, a busy machine takes its time to start them anew.
        with Cluster(self.project, self.address, patience_s=STARTED_S) as pool:
            return list(pool.run(begin, self.task(), said, chunks))

    def pids(self) -> list[int]:
        """Processes of the workers."""
        found = []
        for child in psutil.Process(self.workers.pid).children():
            with suppress(psutil.NoSuchProcess):  # it ends just now
                if "spawn_main" in str(child.cmdline()):
                    found.append(child.pid)
        return found

    def kill_scheduler(self) -> None:
        os.kill(self.scheduler.pid, signal.SIGKILL)
        self.scheduler.wait(STARTED_S)

    def scheduler_again(self) -> None:
        """Another one in the place of the one that was killed; the workers find it by themselves."""
        assert line(self.workers) == f"the scheduler {self.address} went away, and is waited for"
        assert end(self.scheduler) == -signal.SIGKILL
        self.scheduler = begin(self.project.settings.root, "scheduler", self.address)
        assert line(self.scheduler) == f"a scheduler listens on {self.address}"
        assert line(self.workers) == f"2 at work for {self.address}"


def begin(folder: Path, *words: str, **environment: str) -> "subprocess.Popen[str]":
    """`adaptml scale …` in a project's folder, as a person types it; its log is a file there."""
    paths = os.pathsep.join([str(REPOSITORY), str(REPOSITORY / "test" / "support")])
    with (folder / f"{words[0]}.log").open("w") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "adaptml.cli", "scale", *words],
            cwd=folder, env=os.environ | {"PYTHONPATH": paths} | environment, stdout=subprocess.PIPE, stderr=log,
            text=True,
        )  # fmt: skip


def line(process: "subprocess.Popen[str]") -> str:
    """What it says next; nothing where it has ended, or is silent for too long."""
    said: list[str] = []
    assert process.stdout is not None
    reader = threading.Thread(
        target=lambda out: said.append(out.readline()), args=[process.stdout], daemon=True
    )
    reader.start()
    reader.join(STARTED_S)
    return "".join(said).strip()


def end(process: "subprocess.Popen[str]") -> int:
    process.terminate()
    try:
        return process.wait(STARTED_S)
    finally:
        process.kill()
        assert process.stdout is not None
        process.stdout.close()


@contextmanager
def running(folder: Path, rules: str, n_rows: int) -> Iterator[Here]:
    """Two workers, a task with these rules, and a table `rows` of so many."""
    write_task(folder / "tasks" / "numbers", rules)
    (folder / "tasks" / "numbers" / "words.txt").write_text("[13579]$ [02468]$")
    write_certificates(folder / "secrets")
    with Project(folder) as project:
        project.import_table(rows(n_rows), "rows")
        scheduler = begin(folder, "scheduler", "tls://127.0.0.1:0")
        try:
            address = line(scheduler).split()[-1]
            workers = begin(folder, "worker", address, "--workers", "2")
            try:
                assert line(workers) == f"2 at work for {address}", (folder / "worker.log").read_text()
                here = Here(project, address, scheduler, workers)
                try:
                    yield here
                finally:
                    scheduler = here.scheduler
            finally:
                assert end(workers) == 0
        finally:
            assert end(scheduler) == 0


def dump(file: Path) -> list[str]:
    """All that a SQLite file holds."""
    with closing(sqlite3.connect(file)) as database:
        return list(database.iterdump())


def until(done: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + STARTED_S
    while not (found := done()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return found


@contextmanager
def beside(work: Callable[[], None]) -> Iterator[None]:
    """A block beside which something else is done; what fails there fails here."""
    failed: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - raised below
            failed.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    yield
    thread.join()
    assert failed == []


def refused(work: Callable[[], Any], *, error: type[Exception] = ScaleError) -> str:
    with pytest.raises(error) as raised:
        work()
    said = str(raised.value)
    assert "\n" not in said
    return said
