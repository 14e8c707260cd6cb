"""Workers of a scheduler write predictions themselves, and whatever dies, each point has one row or none has."""

import logging
import os
import re
import shutil
import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil
import pytest
from pandas.testing import assert_frame_equal
from scale_cluster import Here, begin, beside, dump, end, line, refused, running, until
from tolerances import FLOAT32_ATOL

from adaptml.database import WritebackKind, read_back
from adaptml.database.staging import STAGED
from adaptml.errors import AdaptmlError
from adaptml.project import Project
from modelling.predict import predict
from modelling.unfinished import Done, Unfinished

ROWS = 3_000
RULES = """
from dataprogramming.lfs import regex_lf

def get_lfs(params):
    return [regex_lf("odd", "[13579]$", "odd", "txt"), regex_lf("even", "[02468]$", "even", "txt")]
"""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Here]:
    """A cluster, and a champion that a run of everything made by its workers."""
    with running(tmp_path_factory.mktemp("predict"), RULES, ROWS) as here:
        done = here.project.run("numbers", "rows", scheduler=here.address, deploy_if_better=True)
        assert [step.state for step in done.steps] == ["done"] * 6
        # Neither was done by this process: each worker has the time to do some.
        votes = here.project.apply_lfs("numbers", "rows", gold=None)
        assert votes.reuse is not None
        assert votes.reuse.computed == 0
        yield here


@pytest.fixture(autouse=True)
def chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("modelling.predict.CHUNK_ROWS", 200)  # fifteen of them


def written(project: Project) -> pd.DataFrame:
    return read_back(project.results, project.task("numbers"), WritebackKind.PREDICTIONS)


def forget_written(project: Project) -> None:
    with project.results.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE IF EXISTS numbers_predictions")


def stages(project: Project) -> list[str]:
    return [name for name in project.results.tables() if name.startswith(STAGED)]


def kill_while_some_is_staged(project: Project, pid: int) -> None:
    """End a process while nobody can write: workers are in the middle of a range."""
    file = project.settings.home / "data.db"
    with closing(sqlite3.connect(file, timeout=60, isolation_level=None)) as database:

        def n_staged() -> int:
            asked = "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE ?"
            found = database.execute(asked, (f"{STAGED}%",)).fetchall()
            return int(database.execute(f"SELECT count(*) FROM {found[0][0]}").fetchone()[0]) if found else 0

        until(n_staged)
        database.execute("BEGIN IMMEDIATE")
        assert 0 < n_staged() < ROWS
        os.kill(pid, signal.SIGKILL)
        database.execute("ROLLBACK")


def assert_those_of_one_process(project: Project) -> None:
    """What is written is what this process predicts: ids and classes, and probabilities within the tolerance."""
    shared = written(project)
    forget_written(project)
    alone = predict(project, "numbers", "rows", write=True)
    by_one = written(project)
    assert alone.new_rows == len(by_one) == ROWS
    assert by_one["id"].nunique() == ROWS
    probs = [np.stack(list(frame.pop("label_probs"))) for frame in (shared, by_one)]
    assert_frame_equal(shared.drop(columns="written_at"), by_one.drop(columns="written_at"))
    np.testing.assert_allclose(*probs, atol=FLOAT32_ATOL)
    forget_written(project)


def test_predictions_are_those_of_one_process_though_a_worker_is_killed_in_the_middle(cluster: Here) -> None:
    project = cluster.project
    with beside(lambda: kill_while_some_is_staged(project, cluster.pids()[0])):
        done = predict(project, "numbers", "rows", write=True, scheduler=cluster.address)
    assert (done.n_points, done.new_rows, done.path) == (ROWS, ROWS, None)
    assert sum(done.counts.values()) == ROWS
    assert stages(project) == []
    assert_those_of_one_process(project)


@pytest.fixture
def said_by_dask() -> Iterator[list[str]]:
    """What Dask says on stderr in this process: the line of the error is to be all."""
    said: list[str] = []

    class Noting(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(record.getMessage())

    handler = Noting()
    loggers = [logging.getLogger(name) for name in ("distributed", "distributed.client")]
    for logger in loggers:
        logger.addHandler(handler)
    yield said
    for logger in loggers:
        logger.removeHandler(handler)


def test_a_scheduler_that_is_killed_in_the_middle_is_one_line_and_the_same_step_goes_on(
    cluster: Here,
    said_by_dask: list[str],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    project, note = cluster.project, Unfinished.note

    def killing(parts: Unfinished, stage: str, done: Done | None) -> None:
        note(parts, stage, done)
        if done is not None and done.rows == 600:  # workers have more under way
            cluster.kill_scheduler()

    with monkeypatch.context() as patched:
        patched.setattr(Unfinished, "note", killing)
        said = refused(lambda: predict(project, "numbers", "rows", write=True, scheduler=cluster.address))
    assert (
        said == f"the scheduler {cluster.address} went away; what is done is kept, run it again for the rest"
    )
    assert said_by_dask == []
    assert "numbers_predictions" not in project.results.tables()
    (stage,) = stages(project)
    assert 600 <= project.results.count(stage) < ROWS
    cluster.scheduler_again()
    with caplog.at_level(logging.WARNING):
        done = predict(project, "numbers", "rows", write=True, scheduler=cluster.address)
    assert f"600 of {ROWS} data points are predicted already: it goes on after these" in caplog.text
    assert (done.n_points, done.new_rows, sum(done.counts.values())) == (ROWS, ROWS, ROWS)
    assert stages(project) == []
    assert_those_of_one_process(project)


@contextmanager
def full_disk(cluster: Here, room: int) -> Iterator[None]:
    """Files of the workers may grow by so many bytes beyond the database, as where the disk is full then."""
    file = cluster.home / "data.db"
    with closing(sqlite3.connect(file, timeout=60)) as database:
        database.execute("VACUUM")  # what was dropped before would be room
    workers = [psutil.Process(pid) for pid in cluster.pids()]
    assert len(workers) == 2
    for worker in workers:
        worker.rlimit(psutil.RLIMIT_FSIZE, (file.stat().st_size + room, psutil.RLIM_INFINITY))
    try:
        yield
    finally:
        for worker in workers:
            worker.rlimit(psutil.RLIMIT_FSIZE, (psutil.RLIM_INFINITY, psutil.RLIM_INFINITY))


EMPTY = ["BEGIN TRANSACTION;", "COMMIT;"]
needs_limits = pytest.mark.skipif(
    not hasattr(psutil, "RLIMIT_FSIZE"), reason="limits of another process are Linux's"
)
FULL = r"worker tls://127\.0\.0\.1:\d+: the disk of the database .*data\.db takes no more, .*; free space there, .*"


@needs_limits
def test_workers_whose_disk_is_full_in_the_middle_are_one_line_and_the_same_step_goes_on(
    cluster: Here, caplog: pytest.LogCaptureFixture
) -> None:
    project = cluster.project
    with full_disk(cluster, 250_000):
        said = refused(lambda: predict(project, "numbers", "rows", write=True, scheduler=cluster.address))
    assert re.fullmatch(FULL, said)
    assert "numbers_predictions" not in project.results.tables()
    (stage,) = stages(project)
    assert 0 < project.results.count(stage) < ROWS
    with caplog.at_level(logging.WARNING):
        done = predict(project, "numbers", "rows", write=True, scheduler=cluster.address)
    assert f"of {ROWS} data points are predicted already: it goes on after these" in caplog.text
    assert (done.n_points, done.new_rows) == (ROWS, ROWS)
    assert stages(project) == []
    assert_those_of_one_process(project)


@needs_limits
def test_features_of_workers_whose_disk_is_full_in_the_middle_are_one_line_and_the_rest_is_computed(
    cluster: Here,
) -> None:
    project = cluster.project
    with full_disk(cluster, 1_000_000):
        said = refused(lambda: project.featurize("numbers", "rows", vector="more", scheduler=cluster.address))
    assert re.fullmatch(FULL, said)
    rest = project.featurize("numbers", "rows", vector="more", scheduler=cluster.address)
    assert (rest.rows + rest.kept, rest.kept > 0) == (ROWS, True)
    points = pd.DataFrame({"table_name": "rows", "id": [f"r{i:05}" for i in range(ROWS)]})
    found = project.points.read(points, ["more", "vec"])
    more, vec = (np.stack(list(found[name])) for name in ("more", "vec"))
    np.testing.assert_allclose(more, vec, atol=FLOAT32_ATOL)


def test_what_a_worker_lacks_is_one_line_and_the_step_goes_on_once_it_is_there(
    cluster: Here, clean_room: Path
) -> None:
    project, there = cluster.project, clean_room / "there"
    mine = project.settings.home / "data.db"
    (there / "tasks").mkdir(parents=True)
    database = there / "data" / "data.db"
    database.parent.write_text("a file where a folder is to be")
    scheduler = begin(there, "scheduler", "tcp://127.0.0.1:0")
    address = line(scheduler).split()[-1]
    worker = begin(there, "worker", address, ADAPTML_DATABASE_URL="sqlite:///data/data.db")
    other = f"the database sqlite:///{database} is another one than that of whoever asks; give it the same "
    steps: dict[str, Callable[[], Any]] = {
        "lfs": lambda: project.apply_lfs("numbers", "rows", gold=None, fresh=True, scheduler=address),
        "featurize": lambda: project.featurize("numbers", "rows", all_rows=True, scheduler=address),
        "predict": lambda: predict(project, "numbers", "rows", write=True, scheduler=address),
    }

    def lacks(step: str, *facts: str) -> None:
        said = refused(steps[step], error=AdaptmlError)
        assert said.startswith("worker tcp://127.0.0.1:")
        assert [fact for fact in facts if fact not in said] == []

    try:
        assert line(worker) == f"1 at work for {address}"
        for step in steps:
            lacks(step, f"has no task 'numbers' in {there / 'tasks'}; copy the folder there")
        shutil.copytree(project.settings.root / "tasks" / "numbers", there / "tasks" / "numbers")
        lacks("lfs", str(database), "cannot be made", "name another home folder or database")
        database.parent.unlink()
        database.parent.mkdir()
        lacks("lfs", f"{other}(ADAPTML_DATABASE_URL)")
        assert dump(database) == EMPTY
        shutil.copy(mine, database)  # the same tables, and others will never see what is written there
        before = dump(mine)
        for step in steps:
            lacks(step, f"{other}(ADAPTML_DATABASE_URL)")
        assert dump(mine) == dump(database) == before
        database.unlink()
        database.symlink_to(mine)
        lacks("predict", "multiclass_numbers version 1 cannot be loaded: ", "give it", "MLFLOW_TRACKING_URI")
        assert stages(project) == []
        assert "numbers_predictions" not in project.results.tables()
        votes = project.apply_lfs("numbers", "rows", gold=None)
        np.testing.assert_array_equal(steps["lfs"]().L, votes.L)
        assert steps["featurize"]().rows == ROWS
    finally:
        assert end(worker) == 0
        assert end(scheduler) == 0
