"""The texts of a page: what annotators see, and never a reason to lose a run."""

import pandas as pd
import pytest
import sqlalchemy as sa

from adaptml.database import Database
from adaptml.reports.reading import texts_of_task
from adaptml.tasks import Task

KEYS = pd.DataFrame({"table_name": ["posts"] * 3, "id": ["2", "gone", "1"]})


def task(*columns: str) -> Task:
    return Task(classes=["ham", "spam"], columns=[{"name": name} for name in columns])  # type: ignore[arg-type]


@pytest.fixture
def posts(database: Database) -> Database:
    database.create_table("posts", {"id": sa.Text(), "txt": sa.Text(), "lang": sa.Text()})
    rows = {"id": ["1", "2"], "txt": ["one", "two"], "lang": ["en", None]}
    database.upsert("posts", pd.DataFrame(rows), ["id"])
    return database


def test_the_columns_of_the_task_are_read_and_points_that_are_gone_are_left_out(posts: Database) -> None:
    read = texts_of_task(posts, task("txt", "lang"))
    assert read is not None
    found = read(KEYS)
    assert found.columns.tolist() == ["table_name", "id", "txt", "lang"]
    assert found.to_numpy().tolist() == [["posts", "2", "two", None], ["posts", "1", "one", "en"]]


def test_a_table_without_the_columns_is_a_warning(posts: Database, caplog: pytest.LogCaptureFixture) -> None:
    read = texts_of_task(posts, task("photo"))
    assert read is not None
    assert read(KEYS).to_numpy().tolist() == KEYS.to_numpy().tolist()
    assert "the report shows no texts: table" in caplog.text


def test_a_task_without_columns_shows_nothing(posts: Database) -> None:
    assert texts_of_task(posts, task()) is None
