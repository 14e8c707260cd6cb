"""A point with all that is known of it, and rows as files."""

import csv
import io
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa

from adaptml.browsing.conditions import parse
from adaptml.browsing.export import export_csv, export_parquet
from adaptml.browsing.paging import checked
from adaptml.browsing.point import read_point, vector_text
from adaptml.browsing.search import Query
from adaptml.data import read_points
from adaptml.database import TextList, Vector
from adaptml.errors import DatabaseError, MissingDataPointsError
from adaptml.gold_labels.decisions import decide
from adaptml.project import Project


def test_everything_is_known_of_a_point(spam: Project) -> None:
    drawn = spam.sample_tasks("spam", "comments", 24, seed=3)
    decide(spam, "spam", ("comments", "s8"), ["ham"], who="Ana", why="an advert for coins, and yet")
    point = read_point(spam, "comments", "s8")
    assert point.cells["text"] == "Free coins here: www.coins.example"
    assert [str(value.feature.reference) for value in point.features] == ["tokens@1", "vector@1"]
    assert vector_text(point.features[1].value).startswith("4,101 numbers: ")
    (of_task,) = point.tasks
    assert [(gold.label, gold.origin, gold.who, gold.counts) for gold in of_task.gold] == [
        (["ham"], "page", "Ana", True), (["spam"], "annotators", "1, 2", False)
    ]  # fmt: skip
    assert of_task.labels[0].label == ["spam"]
    assert of_task.sampled == [(drawn.path.name, "random n=24 seed=3")]
    history = [event.what for event in point.history()]
    assert history[0].startswith(("gold label ham (page by Ana)", "decided: comments/s8 ham"))
    assert any("an advert for coins, and yet" in what for what in history)
    assert any(what.startswith("vector@1 computed by hashing") for what in history)
    assert point.history()[-1].at is None
    with pytest.raises(MissingDataPointsError, match="nope"):
        read_point(spam, "comments", "nope")


@pytest.fixture
def posts(project: Project) -> Project:
    columns = {
        "id": sa.Text(),
        "txt": sa.Text(),
        "n": sa.Integer(),
        "x": sa.Double(),
        "w": TextList(),
        "v": Vector(),
    }
    project.database.create_table("posts", columns)
    rows = [
        ("a", "=1+1", None, 0.5, ["k", "l"], [1.0]),
        ("b", "x" * 2_000, 7, None, None, [2.0]),
        ("c", '"quoted", <b>\n@all', 8, 2.0, [], None),
    ]
    project.database.upsert("posts", pd.DataFrame(rows, columns=list(columns), dtype=object), ["id"])
    return project


def query(project: Project, *texts: str) -> Query:
    own = checked(project.database, "posts", [parse(text) for text in texts])
    return Query(project.database, "posts", own, whole=True)


def test_csv_is_whole_and_harms_no_spreadsheet(posts: Project) -> None:
    text = "".join(export_csv(posts, query(posts)))
    assert text.startswith("\ufeff")
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    assert [row["txt"] for row in rows] == ["'=1+1", "x" * 2_000, '"quoted", <b>\n@all']
    assert [row["n"] for row in rows] == ["", "7", "8"]
    assert rows[0]["w"] == '["k", "l"]'
    assert list(rows[0]) == ["table_name", "id", "txt", "n", "x", "w"]
    nothing = "".join(export_csv(posts, query(posts, "n > 100")))
    assert nothing.splitlines() == ["\ufefftable_name,id,txt,n,x,w"]


def test_parquet_keeps_types_and_is_data(posts: Project, tmp_path: Path) -> None:
    path = tmp_path / "posts.parquet"
    assert export_parquet(posts, query(posts), path) == 3
    frame = pd.read_parquet(path)
    assert frame["txt"].tolist()[0] == "=1+1"
    assert frame["n"].tolist()[1:] == [7, 8]
    assert frame["w"].tolist()[0].tolist() == ["k", "l"]
    assert read_points(posts, path)["id"].tolist() == ["a", "b", "c"]
    assert export_parquet(posts, query(posts, "n > 100"), path) == 0
    assert pd.read_parquet(path).columns.tolist() == ["table_name", "id", "txt", "n", "x", "w"]


def test_a_cell_that_is_not_what_its_column_is_is_said(posts: Project, tmp_path: Path) -> None:
    with posts.database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE posts SET n = 'many' WHERE id = 'b'")
    with pytest.raises(DatabaseError, match="column 'n' of table 'posts' holds something else than int64"):
        export_parquet(posts, query(posts), tmp_path / "posts.parquet")
    assert not (tmp_path / "posts.parquet").exists()
    assert ",many," in "".join(export_csv(posts, query(posts)))


def test_what_a_task_knows_is_exported_too(
    spam: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adaptml.browsing.export.CHUNK_ROWS", 5)
    export_parquet(spam, Query(spam.database, "comments", whole=True), tmp_path / "all.parquet", "spam")
    frame = pd.read_parquet(tmp_path / "all.parquet").set_index("id")
    assert len(frame) == 24
    assert frame.loc["h1", "prediction"].tolist() == ["spam"]
    assert frame.loc["h1", "prediction_prob"] == 0.6
    assert frame.loc["h6", "gold"].tolist() == ["ham"]
    assert frame.loc["s0", "gold"] is None
    monkeypatch.setattr("adaptml.browsing.export.MAX_ROWS", 7)
    assert export_parquet(spam, Query(spam.database, "comments"), tmp_path / "some.parquet") == 7
