"""Workers write what they predict themselves: all of it takes its place at once, and each point is there once."""

import logging
import os
import time
from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from pool_here import PoolHere
from typer.testing import CliRunner

import modelling.predict
from adaptml.cli.app import app
from adaptml.database import WritebackKind, read_back
from adaptml.database.staging import STAGED
from adaptml.errors import AdaptmlError, DatabaseError, ModelError
from adaptml.project import Project
from adaptml.tasks import Task
from modelling.deploy import deploy
from modelling.predict import predict
from modelling.train import train
from modelling.unfinished import KEPT_S, Unfinished

AGAIN = "of 60 data points are predicted already: it goes on after these"


@pytest.fixture(autouse=True)
def champion(project: Project, task: Task, data: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A champion, chunks of 7 points, and one worker, which is this process."""
    deploy(project, train(project, task, data).model_name)
    monkeypatch.setattr("modelling.predict.CHUNK_ROWS", 7)
    opened = modelling.predict.open_pool

    def open_pool(project: Project, workers: int, scheduler: str | None) -> Any:
        return PoolHere(project) if workers > 1 else opened(project, workers, scheduler)

    monkeypatch.setattr("modelling.predict.open_pool", open_pool)


def written(project: Project, task: Task) -> pd.DataFrame:
    return read_back(project.results, task, WritebackKind.PREDICTIONS).drop(columns="written_at")


def stages(project: Project) -> list[str]:
    return [name for name in project.results.tables() if name.startswith(STAGED)]


def left(project: Project) -> list[str]:
    """What is in the folder of predictions."""
    return sorted(path.name for path in (project.settings.home / "predictions").iterdir())


def empty_t7(project: Project, vector: bytes | None = None) -> bytes:
    """Take the vector of t7 away, or put it back; returns what was there."""
    with project.database.engine.begin() as connection:
        before = connection.exec_driver_sql("SELECT vec FROM points WHERE id = 't7'").scalar_one()
        connection.exec_driver_sql("UPDATE points SET vec = ? WHERE id = 't7'", (vector,))
    return before  # type: ignore[no-any-return]


@pytest.fixture
def stopped(project: Project, task: Task) -> Iterator[str]:
    """A prediction that failed in the middle; the name of what it has staged. The point is whole again."""
    vector = empty_t7(project)
    with pytest.raises(
        AdaptmlError, match=r"feature column 'vec' is empty for 1 of 4 data points \(points/t7\)"
    ):
        predict(project, task, "points", write=True, workers=2)
    empty_t7(project, vector)
    assert "side_predictions" not in project.results.tables()
    (stage,) = stages(project)
    assert 0 < project.results.count(stage) < 60
    yield stage
    assert stages(project) == []


@pytest.mark.parametrize("whole", [True, False])
def test_what_workers_write_is_what_one_process_writes(
    project: Project, task: Task, data: str, whole: bool
) -> None:
    points = "points" if whole else pd.read_parquet(data).iloc[::-1]
    alone = predict(project, task, points, write=True, to="alone.parquet")
    by_one = written(project, task)
    with project.results.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE side_predictions")
    shared = predict(project, task, points, write=True, workers=2)
    assert_frame_equal(written(project, task), by_one)
    assert (shared.n_points, shared.new_rows) == (alone.n_points, alone.new_rows) == (len(by_one),) * 2
    assert (shared.counts, shared.path) == (alone.counts, None)
    with pytest.raises(ModelError, match=r"to the database alone, .* or name a file with to="):
        _ = shared.predictions
    named = predict(project, task, points, write=True, workers=2, to="named.parquet")
    assert_frame_equal(named.predictions, alone.predictions)
    assert_frame_equal(written(project, task), by_one)
    assert (named.counts, named.new_rows) == (alone.counts, 0)
    assert (stages(project), left(project)) == ([], [])


def test_without_writing_there_is_a_file_as_ever(project: Project, task: Task) -> None:
    alone, shared = (predict(project, task, "points", workers=workers) for workers in (1, 2))
    assert_frame_equal(shared.predictions, alone.predictions)
    assert "side_predictions" not in project.results.tables()


def test_one_that_failed_in_the_middle_goes_on_there(
    project: Project, task: Task, stopped: str, caplog: pytest.LogCaptureFixture
) -> None:
    with project.database.engine.begin() as connection:  # rows that came meanwhile, before and behind
        for key in ("t", "t8x"):
            connection.exec_driver_sql(
                f"INSERT INTO points SELECT '{key}', txt, vec, extra FROM points WHERE id = 't1'"
            )
    with caplog.at_level(logging.WARNING):
        done = predict(project, task, "points", write=True, workers=2)
    assert "of 62 data points are predicted already: it goes on after these" in caplog.text
    assert (done.n_points, done.new_rows, sum(done.counts.values())) == (61, 61, 61)  # `t` came too late
    assert written(project, task)["id"].is_unique
    assert left(project) == []


def test_what_is_forgotten_meanwhile_is_not_written(project: Project, task: Task, stopped: str) -> None:
    project.forget("points", ["t1"])
    assert stages(project) == []
    with project.database.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM points WHERE id = 't1'")
    assert predict(project, task, "points", write=True, workers=2).new_rows == 59
    assert "t1" not in written(project, task)["id"].tolist()


def test_what_is_old_is_removed(project: Project, task: Task, stopped: str) -> None:
    (name,) = left(project)
    then = time.time() - KEPT_S - 3600
    os.utime(project.settings.home / "predictions" / name, (then, then))
    predict(project, task, "points", to="others.parquet", where="id = 't1'")
    assert (stages(project), left(project)) == ([], [])


def test_another_one_that_ends_while_what_is_old_is_looked_for(project: Project, task: Task) -> None:
    folder = project.settings.home / "predictions"
    folder.mkdir(exist_ok=True)
    (folder / ".0123-1.unfinished").symlink_to("gone")  # listed, and not there when it is looked at
    assert predict(project, task, "points", where="id = 't1'").n_points == 1


def test_one_that_fails_at_once_leaves_nothing(project: Project, task: Task) -> None:
    vector, before = empty_t7(project), project.results.tables()
    with pytest.raises(AdaptmlError, match="feature column 'vec' is empty"):
        predict(project, task, "points", where="id = 't7'", write=True, workers=2)
    empty_t7(project, vector)
    assert project.results.tables() == before
    assert left(project) == []


def test_one_that_is_killed_after_it_was_written_is_not_written_twice(
    project: Project, task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(Unfinished, "note_written", killed)
        predict(project, task, "points", write=True, workers=2)
    assert len(written(project, task)) == 60
    done = predict(project, task, "points", write=True, workers=2)
    assert (done.n_points, done.new_rows, len(written(project, task))) == (60, 0, 60)
    assert (stages(project), left(project)) == ([], [])


def test_what_cannot_take_its_place_is_kept_for_the_same_command(
    project: Project, task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    with project.database.engine.begin() as connection:
        connection.exec_driver_sql("CREATE VIEW side_predictions AS SELECT 1 AS a")
    with pytest.raises(DatabaseError) as refused:
        predict(project, task, "points", write=True, workers=2)
    said = str(refused.value)
    assert said.startswith(
        "what workers predicted (60 points, by multiclass_side version 1) is complete, but not written to "
        "side_predictions: "
    )
    assert said.endswith("; put that right, then give the same command again")
    with project.database.engine.begin() as connection:
        connection.exec_driver_sql("DROP VIEW side_predictions")
    monkeypatch.setattr(PoolHere, "run", None)  # nothing is predicted anew
    done = CliRunner().invoke(app, ["predict", "side", "--data", "points", "--write", "--workers", "2"])
    assert done.exit_code == 0, done.stderr
    assert done.stdout.startswith("60 data points predicted by multiclass_side version 1\n")
    assert done.stdout.endswith("database     side_predictions, 60 new rows\n")
    assert "predictions  " not in done.stdout
    assert (stages(project), left(project)) == ([], [])
