"""`adaptml serve --workers`: several real processes on one port, of which one dies."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psutil
import pytest
import sqlalchemy as sa
from served import CLOSE, REPOSITORY, START_S, Registry, Server, soon, start, status, stop

from adaptml.database import Database
from adaptml.project import Project

NAME = "multiclass_pets"


@pytest.fixture
def registry(project: Project, tracking: object) -> Registry:
    made = Registry(project)
    with Database(f"sqlite:///{made.home / 'data.db'}") as database:
        database.create_table("animals", {"id": sa.Text(), "x": sa.Double()})
        with database.engine.begin() as connection:
            connection.execute(sa.text("INSERT INTO animals (id, x) VALUES ('a', 0)"))
    made.promote(NAME, made.add(NAME))
    return made


@pytest.fixture
def server(registry: Registry) -> Iterator[Server]:
    made = start(registry.home, "--workers", "2")
    yield made
    if made.process.poll() is None:
        made.process.kill()
        made.process.wait()


def workers(server: Server) -> list[int]:
    """Processes that answer: the child that is none of them watches for things that are left over."""
    found = []
    for child in psutil.Process(server.process.pid).children():
        with suppress(psutil.NoSuchProcess):
            if "spawn_main" in " ".join(child.cmdline()):
                found.append(child.pid)
    return found


def requests(server: Server) -> int:
    """How many requests were answered, as Prometheus reads it."""
    line = f'adaptml_requests_total{{model="{NAME}",status="200"}} '
    lines = server.get("/metrics").text.splitlines()
    return sum(int(float(found.removeprefix(line))) for found in lines if found.startswith(line))


def loaded(server: Server, version: str) -> int:
    """How often a worker has said that it loaded the model."""
    return server.log.read_text().count(f"model {NAME} version {version} is loaded")


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    yield
    os.kill(pid, signal.SIGCONT)


def asked(server: Server) -> None:
    answer = server.predict(NAME, "a")
    assert answer.status_code == 200, answer.text
    assert answer.json()["prob_cat"] == [pytest.approx(0.5, abs=CLOSE)]


def test_each_answers_and_one_that_dies_is_replaced(server: Server, registry: Registry) -> None:
    one, other = workers(server)
    for waiting in (one, other):
        with stopped(waiting):
            asked(server)
    assert requests(server) == 2  # of both, whoever says it
    os.kill(one, signal.SIGKILL)
    asked(server)
    said = f"worker {one} ended by itself (-9); another takes its place"
    soon(server, lambda: said in server.log.read_text())
    soon(server, lambda: loaded(server, "1") == 3, START_S)
    with stopped(other):
        asked(server)
    assert requests(server) == 4  # what the dead one counted stays
    registry.promote(NAME, registry.add(NAME, flip=True))
    soon(server, lambda: loaded(server, "2") == 2)
    assert status(server, NAME)["version"] == "2"
    left = workers(server)
    assert len(left) == 2
    assert stop(server) == 0
    assert not any(map(psutil.pid_exists, left))


def test_what_keeps_workers_from_beginning_is_said_once(registry: Registry) -> None:
    words = [sys.executable, "-m", "modelling.serve", "--port", "0", "--workers", "2", "--model", "nowhere"]
    environment = os.environ | {"ADAPTML_HOME": str(registry.home), "PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "no folder" in done.stderr
    assert "nowhere; expected a folder that `adaptml export` wrote" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
