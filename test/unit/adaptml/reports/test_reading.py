<<<<<<< HEAD
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
=======
"""What annotators see of data points, as far as the tables still hold it."""

import pandas as pd
import sqlalchemy as sa

from adaptml.project import Project
from adaptml.reports.reading import texts_of_task
from adaptml.tasks import Task


def read(project: Project, task: Task, keys: pd.DataFrame) -> pd.DataFrame:
    reader = texts_of_task(project.database, task)
    assert reader is not None
    return reader(keys)


def test_points_tables_and_columns_that_are_gone_are_left_out(project: Project) -> None:
    database = project.database
    database.create_table("posts", {"id": sa.Text(), "txt": sa.Text(), "title": sa.Text()})
    rows = pd.DataFrame({"id": ["1", "2"], "txt": ["one", "two"], "title": ["A", "B"]})
    database.upsert("posts", rows, ["id"])
    database.create_table("notes", {"id": sa.Text(), "txt": sa.Text()})
    database.upsert("notes", pd.DataFrame({"id": ["1"], "txt": ["a note"]}), ["id"])
    content = {"name": "zoo", "classes": ["a", "b"], "lf_features": ["title"]}
    task = Task.model_validate(content | {"columns": [{"name": "txt"}, {"name": "title"}]})
    keys = pd.DataFrame({"table_name": ["posts", "gone", "notes", "posts"], "id": ["2", "1", "1", "99"]})
    found = read(project, task, keys)
    assert found.astype(object).where(found.notna(), None).to_dict("records") == [
        {"table_name": "posts", "id": "2", "txt": "two", "title": "B"},
        {"table_name": "notes", "id": "1", "txt": "a note", "title": None},
    ]
    assert read(project, task, keys.iloc[1:2]).empty
    # A task without columns shows what its labelling functions read.
    (row,) = read(project, Task.model_validate(content), keys.iloc[:1]).to_dict("records")
    assert row == {"table_name": "posts", "id": "2", "title": "B"}
    assert texts_of_task(database, Task.model_validate({"name": "zoo", "classes": ["a", "b"]})) is None
>>>>>>> annotation
