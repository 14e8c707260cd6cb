"""Distributions and maps of bounded samples."""

import datetime
import re

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa

from adaptml.browsing.distribution import distribution
from adaptml.browsing.projection import map_table, read_map, vector_columns
from adaptml.browsing.sample import sample_ids
from adaptml.database import Database, TextList
from adaptml.errors import FeatureError, FrameError, UnknownColumnError
from adaptml.project import Project


@pytest.fixture
def table(project: Project) -> Project:
    days = [datetime.date(2026, 1, day) for day in (1, 1, 11, 21)]
    rows = {
        "id": ["a", "b", "c", "d"],
        "txt": ["x" * 30, "y", None, "y"],
        "n": [1, 2, 2, None],
        "words": [["a", "b"], ["a"], [], None],
        "day": days,
    }
    types = {"id": sa.Text(), "txt": sa.Text(), "n": sa.Integer(), "words": TextList(), "day": sa.Date()}
    project.database.create_table("posts", types)
    frame = pd.DataFrame({name: pd.Series(cells, dtype=object) for name, cells in rows.items()})
    project.database.upsert("posts", frame, ["id"])
    return project


def test_columns_of_every_kind(table: Project) -> None:
    texts = distribution(table, "posts", "txt")
    assert (texts.n, texts.missing, texts.of) == (4, 1, "all 4 rows")
    assert texts.frequent == [("y", 2), ("x" * 30, 1)]
    numbers = distribution(table, "posts", "n")
    assert (numbers.frequent, numbers.missing) == ([("2", 2), ("1", 1)], 1)
    assert numbers.numbers is not None
    assert sorted(numbers.numbers.tolist()) == [1, 2, 2]
    words = distribution(table, "posts", "words")
    assert (words.frequent, words.missing) == ([("a", 2), ("b", 1)], 1)
    days = distribution(table, "posts", "day").charts()
    assert "2026-01-01" in days
    assert "2026-01-21" in days
    with pytest.raises(UnknownColumnError, match="no column 'nope'; its columns are id, txt"):
        distribution(table, "posts", "nope")
    with pytest.raises(FrameError, match="'@gold' is what a task knows; name a task"):
        distribution(table, "posts", "@gold")


def test_many_texts_have_lengths_and_few_are_classes(table: Project) -> None:
    frame = pd.DataFrame({"id": [f"t{n:02}" for n in range(40)], "txt": ["<b>" + "z" * n for n in range(40)]})
    table.database.upsert("posts", frame, ["id"])
    found = distribution(table, "posts", "txt")
    assert (found.distinct, len(found.frequent)) == (42, 20)
    assert found.numbers is not None
    assert found.numbers.max() == 42
    charts = found.charts()
    assert "&lt;b&gt;" in charts
    assert "<b>" not in charts
    assert "20 of 42" in charts


def test_what_a_task_knows_is_spread_too(spam: Project) -> None:
    gold = distribution(spam, "comments", "@gold", task="spam")
    assert (gold.frequent, gold.missing) == ([("ham", 6), ("spam", 6)], 12)
    assert distribution(spam, "comments", "@prediction", task="spam").frequent == [("spam", 2), ("ham", 1)]


def test_samples_of_long_tables(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    database.create_table("posts", {"id": sa.Text()})
    every = [f"{n:05}" for n in range(2_000)]
    database.upsert("posts", pd.DataFrame({"id": every}), ["id"])
    with database.engine.begin() as connection:
        connection.exec_driver_sql("CREATE VIEW seen AS SELECT id FROM posts")
    few = sample_ids(database, "posts", 100)
    assert few == sample_ids(database, "posts", 100)
    assert (len(set(few.ids)), few.how) == (100, "a random sample of 100 rows")
    assert sample_ids(database, "posts").how == "all 2,000 rows"
    monkeypatch.setattr("adaptml.browsing.sample.EXACT_ROWS", 50)
    monkeypatch.setattr("adaptml.browsing.counts.EXACT_ROWS", 50)
    long = sample_ids(database, "posts", 100)
    assert set(long.ids) < set(every)
    assert re.fullmatch(
        r"a random sample of \d+ rows|the first 100 rows by id, not a random sample", long.how
    )
    if database.engine.dialect.name == "sqlite":
        assert long.ids[-1] > every[1_000]
    view = sample_ids(database, "seen", 100)
    assert len(view.ids) == 100


@pytest.mark.parametrize("method", ["pca", "tsne"])
def test_a_map_is_laid_out_and_kept(spam: Project, method: str) -> None:
    assert vector_columns(spam.points, "comments") == ["vector"]
    made = map_table(spam, "comments", "vector", method=method)
    assert (len(made.ids), made.of, made.xy.min(), made.xy.max()) == (24, "all 24 rows", 0.0, 100.0)
    again = read_map(spam, made.key)
    assert np.array_equal(again.xy, made.xy)
    assert again.ids == made.ids
    assert map_table(spam, "comments", "vector", method=method).key == made.key
    assert made.region(100, 100, 0, 0) == made.ids
    x, y = made.xy[3]
    assert made.ids[3] in made.region(x, y, x, y)
    assert set(made.region(0, 0, x - 1e-9, 100)) == {
        key for key, at in zip(made.ids, made.xy, strict=True) if at[0] < x
    }


def test_what_has_no_map_is_said(spam: Project) -> None:
    with pytest.raises(FeatureError, match="table 'comments' has no vectors 'text'; it has vector"):
        map_table(spam, "comments", "text")
    with pytest.raises(FrameError, match="no way 'umap' to lay out a map; expected one of pca, tsne"):
        map_table(spam, "comments", "vector", method="umap")
    for key in ("abc", "../../etc/passwd"):
        with pytest.raises(FrameError, match=r"no map .* any more; lay it out again"):
            read_map(spam, key)
