"""Workers of a scheduler write predictions themselves, and whatever dies, each point has one row or none has."""

import os
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from scale_cluster import Here, beside, running, until
from tolerances import FLOAT32_ATOL

from adaptml.database import WritebackKind, read_back
from adaptml.database.staging import STAGED
from adaptml.project import Project
from modelling.predict import predict

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
