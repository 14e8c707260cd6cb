"""Rows that are gone since labels and gold were made: counted, told, left out, and never the end of a step."""

import logging

import pandas as pd
import pytest
from side_task import side, write

from adaptml.errors import FrameError, UnknownTableError
from adaptml.project import Project
from adaptml.tasks import Task
from modelling.compare import compare
from modelling.deploy import deploy
from modelling.predict import predict
from modelling.train import train


def delete(project: Project, numbers: list[int]) -> None:
    ids = ", ".join(f"'t{i}'" for i in numbers)
    with project.database.engine.begin() as connection:
        connection.exec_driver_sql(f"DELETE FROM points WHERE id IN ({ids})")


@pytest.fixture
def gold() -> pd.DataFrame:
    """40 gold points, t20 to t59."""
    frame = pd.DataFrame({"table_name": "points", "id": [f"t{i}" for i in range(20, 60)]})
    return frame.assign(gold_label=[side(i) for i in range(20, 60)])


def test_training_and_comparing_go_on_without_them(
    project: Project, task: Task, data: str, test: str, gold: pd.DataFrame, caplog: pytest.LogCaptureFixture
) -> None:
    before = train(project, task, data, test=test)
    assert (before.n_train, before.metrics["points_gone"]) == (35, 0)
    delete(project, [0, 1, 30, 58, 59])
    with caplog.at_level(logging.WARNING):
        done = train(project, task, data, test=test)
    assert done.n_train == 32
    assert done.metrics["points_gone"] == 5  # three to train on, two to test on
    assert done.predictions["id"].tolist() == [f"t{i}" for i in range(35, 58)]
    assert "5 points are gone from their table" in done.lines[0][1]
    assert (
        f"3 of 40 data points of {data} are gone from their table and left out: points/t0, points/t1, points/t30"
        in caplog.text
    )
    with_gold = train(project, task, data, gold=gold)
    assert (with_gold.n_train, with_gold.n_gold, with_gold.metrics["points_gone"]) == (18, 37, 6)
    found = compare(project, task, data, gold)
    assert (found.n_gold, found.n_weak) == (37, 18)
    assert project.runs.get(found.run_id).data.metrics["points_gone"] == 6


def test_predicting_goes_on_without_them(project: Project, task: Task, data: str, gold: pd.DataFrame) -> None:
    deploy(project, train(project, task, data).model_name)
    delete(project, [20, 21])
    done = predict(project, task, gold)
    assert (done.n_points, done.n_gone) == (38, 2)
    assert done.predictions["id"].tolist() == [f"t{i}" for i in range(22, 60)]
    assert predict(project, task, "points").n_gone == 0


def test_where_all_are_gone_it_is_one_line(project: Project, task: Task, data: str) -> None:
    delete(project, list(range(40)))
    with pytest.raises(FrameError) as caught:
        train(project, task, data)
    assert str(caught.value) == (
        f"every one of the 40 data points of {data} is gone from its table: points/t0, points/t1, points/t2, "
        "points/t3, points/t4 and 35 more; name other data"
    )


def test_a_table_that_is_gone_counts_as_its_rows_unless_it_is_the_only_one(
    project: Project, task: Task, gold: pd.DataFrame, data: str
) -> None:
    old = gold.assign(table_name="old")
    done = train(project, task, data, gold=pd.concat([gold, old]))
    assert (done.n_gold, done.metrics["points_gone"]) == (40, 40)
    with pytest.raises(UnknownTableError, match=r"^no table 'old' in .*; its tables are points$"):
        train(project, task, data, gold=old)


def test_a_share_of_the_training_points_is_of_those_that_are_there(project: Project, task: Task) -> None:
    labels = write(project.settings.root / "some.parquet", list(range(40)))
    delete(project, list(range(20)))
    done = train(project, task, labels, test=0.2)
    assert (done.n_train, len(done.predictions), done.metrics["points_gone"]) == (16, 4, 20)
