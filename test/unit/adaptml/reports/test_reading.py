"""What annotators see of data points, as far as the tables still hold it."""

import pandas as pd
import sqlalchemy as sa

from adaptml.database import Vector
from adaptml.project import Project
from adaptml.reports.reading import texts_of_task
from adaptml.tasks import Task


def read(project: Project, task: Task, keys: pd.DataFrame) -> pd.DataFrame:
    return texts_of_task(project.database, task)(keys)


def test_points_tables_and_columns_that_are_gone_are_left_out(project: Project) -> None:
    database = project.database
    database.create_table("posts", {"id": sa.Text(), "txt": sa.Text(), "title": sa.Text(), "vec": Vector()})
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
    # One that names none of these shows all that are no vectors.
    (row,) = read(project, Task(classes=["a", "b"]), keys.iloc[:1]).to_dict("records")
    assert row == {"table_name": "posts", "id": "2", "txt": "two", "title": "B"}
