"""Predicting many points: in chunks, into files of their own, written back."""

import itertools
import os
import shlex
import signal
import traceback
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from side_task import side, write
from tolerances import FLOAT32_ATOL
from typer.testing import CliRunner

import modelling.predict
from adaptml.cli.app import app
from adaptml.errors import AdaptmlError, ModelError
from adaptml.project import Project
from adaptml.tasks import Task
from modelling.deploy import deploy
from modelling.predict import predict
from modelling.train import train
from modelling.unfinished import Unfinished


def test_predicting_many_points_and_writing_them_back(
    project: Project, task: Task, data: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    points = pd.read_parquet(data).iloc[::-1]
    with pytest.raises(ModelError, match=r"^no champion 'multiclass_side' in the registry; train it, then"):
        predict(project, task, points)
    deploy(project, train(project, task, data).model_name)
    assert predict(project, task, points, new=True).n_points == 40  # nothing was written yet: all is new
    monkeypatch.setattr("modelling.predict.CHUNK_ROWS", 7)  # 40 points in six chunks
    done = predict(project, task, points, write=True)
    assert done.predictions["id"].tolist() == points["id"].tolist()
    assert done.predictions["label"].map(list).tolist() == [side(int(i[1:])) for i in points["id"]]
    assert done.predictions["label_probs"].map(sum).tolist() == pytest.approx([1.0] * 40)
    assert (done.new_rows, done.n_points, done.counts) == (40, 40, {"left": 20, "right": 20})
    shared = predict(project, task, points, workers=2)  # by processes, each with the champion
    assert_frame_equal(shared.predictions.iloc[:, :3], done.predictions.iloc[:, :3])
    probs = [np.stack(list(one.predictions["label_probs"])) for one in (shared, done)]
    np.testing.assert_allclose(*probs, atol=FLOAT32_ATOL)
    assert predict(project, task, points, write=True).new_rows == 0
    rest = predict(project, task, "points", new=True, to="rest.parquet")
    assert sorted(rest.predictions["id"]) == sorted(f"t{i}" for i in range(40, 60))
    one = predict(project, task, "points", where="id = 't7'")
    assert one.predictions["label"].map(list).tolist() == [["right"]]
    assert "right" in one._repr_html_()


def test_a_prediction_that_fails_leaves_no_file(project: Project, task: Task, data: str) -> None:
    deploy(project, train(project, task, data).model_name)
    with project.database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE points SET vec = NULL WHERE id = 't7'")
    with pytest.raises(
        AdaptmlError, match=r"feature column 'vec' is empty for 1 of 60 data points \(points/t7\)"
    ):
        predict(project, task, "points")
    assert list((project.settings.home / "predictions").iterdir()) == []


def test_predictions_of_the_same_second_are_files_of_their_own(
    project: Project, task: Task, data: str
) -> None:
    deploy(project, train(project, task, data).model_name)
    conditions = ["id = 't7'", "id <> 't7'"] * 3
    with ThreadPoolExecutor(len(conditions)) as pool:
        written = list(pool.map(lambda where: predict(project, task, "points", where=where), conditions))
    assert len({done.path for done in written}) == 6
    assert [len(pd.read_parquet(done.path)) for done in written] == [1, 59] * 3


def test_predictions_that_cannot_be_stored_are_stored_later_by_the_command_that_is_named(
    project: Project, task: Task, data: str
) -> None:
    deploy(project, train(project, task, data).model_name)
    with project.database.engine.begin() as connection:
        connection.exec_driver_sql("CREATE VIEW side_predictions AS SELECT 1 AS a")
    runner = CliRunner()
    refused = runner.invoke(app, ["predict", "side", "--data", "points", "--where", "id < 't3'", "--write"])
    (path,) = (project.settings.home / "predictions").iterdir()
    assert refused.exit_code == 1
    assert refused.stdout.startswith("23 data points predicted by multiclass_side version 1\n")
    assert refused.stdout.endswith(f"predictions  {path}\n")
    said, again, _ = refused.stderr.split("`")
    complete = f"{path} (by multiclass_side version 1) is complete, but not written to side_predictions: "
    assert f"\nerror: {complete}" in said
    with project.database.engine.begin() as connection:
        connection.exec_driver_sql("DROP VIEW side_predictions")
    done = runner.invoke(app, shlex.split(again)[1:])
    assert done.stdout.endswith("database     side_predictions, 23 new rows\n"), done.stderr
    assert [*(project.settings.home / "predictions").iterdir()] == [path]


def test_a_champion_of_other_classes_is_not_used(project: Project, task: Task, data: str) -> None:
    deploy(project, train(project, task, data).model_name)
    other = Task(name="side", classes=["left", "rechts"], features=["vec"])
    with pytest.raises(
        ModelError, match=r"knows the classes left, right and the task file left, rechts; train"
    ):
        predict(project, other, pd.read_parquet(data))


def test_predicting_and_comparing_from_the_command_line(
    project: Project, task: Task, data: str, tmp_path: Path
) -> None:
    runner = CliRunner()
    deploy(project, train(project, task, data).model_name)
    result = runner.invoke(app, ["predict", "side", "--data", "points", "--where", "id < 't3'", "--write"])
    assert result.exit_code == 0, result.stderr
    assert result.stdout.startswith("23 data points predicted by multiclass_side version 1\n")
    assert "side_predictions, 23 new rows" in result.stdout
    gold = write(tmp_path / "gold.parquet", list(range(20, 60)), gold_label=side)
    result = runner.invoke(app, ["compare", "side", "--data", data, "--gold", gold])
    assert result.exit_code == 0, result.stderr
    assert "Gold is enough here" in result.stdout
    assert "what auto takes" in result.stdout


def killed(project: Project, task: Task, owner: Any, name: str, after: int, **given: object) -> None:
    """Predict in another process, which is killed when a function was called so often and is once more."""
    child = os.fork()
    if not child:
        signal.alarm(60)
        calls, meant = itertools.count(), getattr(owner, name)

        def counted(*args: object, **kwargs: object) -> object:
            if next(calls) == after:
                os.kill(os.getpid(), signal.SIGKILL)
            return meant(*args, **kwargs)

        setattr(owner, name, counted)
        try:
            predict(Project(settings=project.settings), task, "points", **given)  # type: ignore[arg-type]
        except BaseException:
            traceback.print_exc()
            raise
        finally:
            os._exit(0)  # it was to be killed
    assert os.waitpid(child, 0)[1] == signal.SIGKILL


def test_a_prediction_that_was_killed_goes_on_where_it_stopped(
    project: Project, task: Task, data: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    deploy(project, train(project, task, data).model_name)
    monkeypatch.setattr("modelling.predict.CHUNK_ROWS", 7)  # 60 points in nine chunks
    home = project.settings.home / "predictions"
    at_once = predict(project, task, "points", to="at_once.parquet").predictions
    assert len(at_once) == at_once["id"].nunique() == 60
    killed(project, task, Unfinished, "add", 4, write=True)
    (folder,) = home.iterdir()
    assert len(list(folder.glob("[!.]*.parquet"))) == 4
    killed(project, task, modelling.predict, "write_back", 3, write=True)
    assert len(project.results.result_keys("side_predictions")) == 21
    with project.results.engine.begin() as connection:  # what is written is not written again
        connection.exec_driver_sql("UPDATE side_predictions SET run_id = 'before'")
    done = predict(project, task, "points", write=True)
    assert_frame_equal(done.predictions, at_once)
    assert (done.new_rows, done.n_points, done.counts) == (60, 60, {"left": 30, "right": 30})
    with project.results.engine.begin() as connection:
        rows = connection.exec_driver_sql("SELECT id, run_id FROM side_predictions").all()
    assert len(rows) == len({key for key, _ in rows}) == 60
    assert sum(run == "before" for _, run in rows) == 21
    assert [*home.iterdir()] == [done.path]
    killed(project, task, Unfinished, "add", 4, where="id > 't2'")
    with project.database.engine.begin() as connection:  # these are other points: nothing of before is theirs
        connection.exec_driver_sql("DELETE FROM points WHERE id = 't3'")
    other = predict(project, task, "points", where="id > 't2'").predictions["id"].tolist()
    assert other == at_once["id"][(at_once["id"] > "t2") & (at_once["id"] != "t3")].tolist()


def test_more_points_take_no_more_memory(
    project: Project, task: Task, data: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    deploy(project, train(project, task, data).model_name)
    monkeypatch.setattr("modelling.predict.CHUNK_ROWS", 250)
    peaks, n_before = [], 0
    for n in (500, 1_500, 6_000):  # the first time, modules are loaded
        rows = pd.DataFrame(
            {"id": [f"u{i:05d}" for i in range(n_before, n)], "vec": [[1.0, 2.0, 3.0]] * (n - n_before)}
        )
        project.database.upsert("points", rows, ["id"])
        n_before = n
        tracemalloc.start()
        assert predict(project, task, "points").n_points == 60 + n
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[2] - peaks[1] < 100_000  # the ids of the rest alone would take 240,000
