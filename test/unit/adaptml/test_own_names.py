"""A file of before is never replaced unsaid by something else."""

from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa

from adaptml.errors import FileError
from adaptml.own_names import own_name
from adaptml.project import Project
from adaptml.tasks import Task

TASK = Task(name="topic", classes=("a", "b"), features=["vec"])


def test_a_taken_name_gets_the_next_free_number(tmp_path: Path) -> None:
    path = tmp_path / "points_2.csv"

    def write(text: str) -> str:
        found = own_name(path, lambda there: there.read_text() == text, named=False)
        found.write_text(text)
        return found.name

    assert [write(text) for text in "abacb"] == [
        "points_2.csv", "points_2_2.csv", "points_2.csv", "points_2_3.csv", "points_2_2.csv",
    ]  # fmt: skip


def test_a_named_file_is_replaced_only_by_the_same(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    assert own_name(path, lambda _: False, named=True) == path
    path.write_text("theirs")
    assert own_name(path, lambda _: True, named=True) == path
    with pytest.raises(FileError, match=r"mine.json is there already and holds something else; name another"):
        own_name(path, lambda _: False, named=True)


def test_points_that_were_chosen_before_stay(project: Project) -> None:
    project.database.create_table("posts", {"id": sa.Text()})
    project.database.upsert("posts", pd.DataFrame({"id": ["1", "2"]}), ["id"])
    first = project.sample_points(TASK, "posts", 9)
    assert project.sample_points(TASK, "posts", 9).path == first.path
    project.database.upsert("posts", pd.DataFrame({"id": ["3"]}), ["id"])
    grown = project.sample_points(TASK, "posts", 9)
    assert [path.name for path in (first.path, grown.path)] == [
        "posts_random_9_seed0.parquet", "posts_random_9_seed0_2.parquet",
    ]  # fmt: skip
    assert [len(pd.read_parquet(path)) for path in (first.path, grown.path)] == [2, 3]
    with pytest.raises(FileError, match="is there already"):
        project.sample_points(TASK, "posts", 1, to=first.path)
