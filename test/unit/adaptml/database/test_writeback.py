"""What steps write beside the data is read with bare SQL, whatever the classes are called."""

import re
import sqlite3
from contextlib import closing
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psycopg
import pytest
import sqlalchemy as sa
from cratedb_server import Recorder
from hypothesis import given
from hypothesis import strategies as st

from adaptml.database import Database, TextList, Vector, WritebackKind, read_back, write_back
from adaptml.database.class_slugs import MAX_SLUG_BYTES, class_slugs, keep_slugs, read_slugs
from adaptml.database.writeback_before import _after
from adaptml.errors import DatabaseError, TaskError, UnknownTableError
from adaptml.tasks import Task

ANNOTATIONS, LABELS, PREDICTIONS = WritebackKind
GREEK = "αβγδ" * 20
ODD = {
    "a.b": "a_b", "Cat": "cat", "cat": "cat_2", "label": "label", "run_id": "run_id", GREEK: "class_6",
}  # fmt: skip
NAMES = st.lists(st.text(min_size=1, max_size=80), max_size=127, unique=True)


def zoo(*classes: str) -> Task:
    return Task(name="zoo", classes=classes or tuple(ODD), setting="multilabel")


def results(labels: dict[str, list[str]], probs: list[list[float]], **other: Any) -> pd.DataFrame:
    frame = pd.DataFrame({"table_name": "posts", "id": list(labels)} | other)
    return frame.assign(label=list(labels.values()), label_probs=probs)


def bare(database: Database, query: str) -> list[tuple[Any, ...]]:
    """What somebody reads who has never heard of this project: the database's own driver, and nothing else."""
    url = database.engine.url
    if url.get_backend_name() == "sqlite":
        with closing(sqlite3.connect(str(url.database))) as connection:
            return connection.execute(query).fetchall()
    if url.get_backend_name() == "crate":
        with database.engine.connect() as opened:
            return [tuple(row) for row in opened.exec_driver_sql(query)]
    address = url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address) as connected:
        return connected.execute(query).fetchall()


def test_slugs_by_hand() -> None:
    assert class_slugs(list(ODD)) == ODD
    assert class_slugs(["x" * 80, "x" * 79, "!?", "1", "Ä-ö"]) == {
        "x" * 80: "x" * 50, "x" * 79: "x" * 48 + "_2", "!?": "class_3", "1": "1", "Ä-ö": "a_o",
    }  # fmt: skip


@given(names=NAMES, more=NAMES)
def test_slugs_are_names_of_columns_and_stay(names: list[str], more: list[str]) -> None:
    slugs = class_slugs(names)
    assert list(slugs) == names
    assert len(set(slugs.values())) == len(names)
    assert all(re.fullmatch("[a-z0-9][a-z0-9_]*", slug) for slug in slugs.values())
    assert all(len(slug) <= MAX_SLUG_BYTES for slug in slugs.values())
    assert class_slugs(names) == slugs
    every = class_slugs([name for name in more if name not in slugs] + names, slugs)
    assert {name: every[name] for name in names} == slugs
    assert len(set(every.values())) == len(every)


def test_labels_are_read_with_bare_sql(database: Database) -> None:
    labels = {"1": ["a.b", "run_id"], "2": ["Cat", GREEK], "3": []}
    probs = [[0.75, 0, 0, 0, 1, 0.25], [0, 0.625, 0.5, 0, 0, 1], [0.0] * 6]
    assert write_back(database, zoo(), LABELS, results(labels, probs), "run") == 3
    assert bare(database, "SELECT name, slug FROM zoo_classes ORDER BY position") == list(ODD.items())
    asked = "SELECT id, is_a_b, is_cat, is_cat_2, is_label, is_run_id, is_class_6 FROM zoo_labels ORDER BY id"
    assert bare(database, asked) == [("1", 1, 0, 0, 0, 1, 0), ("2", 0, 1, 0, 0, 0, 1), ("3",) + (0,) * 6]
    asked = "SELECT id, prob_cat, prob_cat_2 FROM zoo_labels WHERE prob_cat >= 0.5 AND run_id = 'run'"
    assert bare(database, asked) == [("2", 0.625, 0.5)]
    if database.engine.dialect.name == "sqlite":
        asked = f"SELECT zoo_labels.id FROM zoo_labels, json_each(label) WHERE value = '{GREEK}'"
        assert bare(database, asked) == [("2",)]
        assert bare(database, "SELECT label FROM zoo_labels ORDER BY id")[1] == (f'["Cat", "{GREEK}"]',)
    else:
        assert bare(database, f"SELECT id FROM zoo_labels WHERE '{GREEK}' = ANY (label)") == [("2",)]


def test_the_sql_that_the_documents_show(database: Database) -> None:
    text = (Path(__file__).parents[4] / "usage.md").read_text(encoding="utf-8")
    (asked,) = re.findall("```sql\n(.*?)```", text, re.DOTALL)
    task = Task(name="youtube_spam", classes=["ham", "spam"])
    frame = results(
        {"1": ["spam"], "2": ["ham"], "3": ["spam"]}, [[0, 1], [0.75, 0.25], [0.25, 0.75]], model="m/3"
    )
    write_back(database, task, PREDICTIONS, frame, "run")
    assert bare(database, asked) == [("posts", "1", 1.0, "m/3")]
    (for_sqlite,), (for_others,) = (
        re.findall(f"`({begin}.*?)`", text) for begin in ("EXISTS", "'spam' = ANY")
    )
    condition = for_sqlite if database.engine.dialect.name == "sqlite" else for_others
    found = bare(database, f"SELECT id FROM youtube_spam_predictions WHERE {condition} ORDER BY id")
    assert found == [("1",), ("3",)]


def test_the_same_run_written_twice_changes_nothing(database: Database) -> None:
    frame = results({"1": ["a"], "2": []}, [[0.25, 0.75], [0.5, 0.5]])
    task = zoo("a", "b")
    assert write_back(database, task, LABELS, frame, "run1") == 2
    before = bare(database, "SELECT * FROM zoo_labels ORDER BY id")
    assert write_back(database, task, LABELS, frame.iloc[::-1], "run1") == 0
    assert write_back(database, task, LABELS, frame, "run2") == 2
    assert bare(database, "SELECT * FROM zoo_labels WHERE run_id = 'run1' ORDER BY id") == before


def test_a_prediction_made_again_is_that_of_the_last_time(database: Database) -> None:
    """The row was edited meanwhile, and the model, so the run, is the same."""
    frame = results({"1": ["a"], "2": ["b"]}, [[1.0, 0.0], [0.0, 1.0]], model="multilabel_zoo/1")
    assert write_back(database, zoo("a", "b"), PREDICTIONS, frame, "run1") == 2
    again = results({"1": ["b"], "2": ["b"]}, [[0.25, 0.75], [0.0, 1.0]], model="multilabel_zoo/2")
    assert write_back(database, zoo("a", "b"), PREDICTIONS, again, "run1") == 0
    asked = "SELECT id, model, is_a, prob_a FROM zoo_predictions ORDER BY id"
    assert bare(database, asked) == [("1", "multilabel_zoo/2", 0, 0.25), ("2", "multilabel_zoo/2", 0, 0.0)]


def test_what_was_written_is_read_back(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adaptml.database.writeback_before.CHUNK_ROWS", 3)  # pages end amid rows of one id
    with pytest.raises(UnknownTableError, match="zoo_predictions"):
        read_back(database, zoo("a", "b"), PREDICTIONS)
    frame = results({"1": ["a"], "2": [], "3": ["a", "b"]}, [[0.7, 0.1], [0, 0], [1, 1]], model="m/1")
    for run in ("r2", "r1"):
        write_back(database, zoo("a", "b"), PREDICTIONS, frame, run)
    found = read_back(database, zoo("a", "b"), PREDICTIONS)
    assert list(found) == ["table_name", "id", "run_id", "model", "label", "label_probs", "written_at"]
    assert found["id"].tolist() == ["1", "1", "2", "2", "3", "3"]
    assert found["run_id"].tolist() == ["r1", "r2"] * 3
    assert found["label"].tolist()[::2] == [["a"], [], ["a", "b"]]
    assert np.stack(found["label_probs"])[::2].tolist() == [[0.7, 0.1], [0, 0], [1, 1]]
    assert set(found["model"]) == {"m/1"}
    assert abs(pd.Timestamp.now("UTC") - found["written_at"].max()) < pd.Timedelta(hours=1)
    annotated = pd.DataFrame({"table_name": "posts", "id": ["1"], "annotator": "eve", "label": [["b"]]})
    write_back(database, zoo("a", "b"), ANNOTATIONS, annotated, "export")
    (row,) = read_back(database, zoo("a", "b"), ANNOTATIONS).drop(columns="written_at").to_numpy().tolist()
    assert row == ["posts", "1", "export", "eve", ["b"]]


def test_classes_come_go_and_change_places(database: Database) -> None:
    write_back(database, zoo("a", "b"), LABELS, results({"1": ["a"]}, [[0.7, 0.1]]), "old")
    write_back(database, zoo("B", "c", "a"), LABELS, results({"1": ["B"]}, [[0.9, 0.2, 0.3]]), "new")
    assert bare(database, "SELECT name, slug FROM zoo_classes WHERE position IS NOT NULL ORDER BY position") == [
        ("B", "b_2"), ("c", "c"), ("a", "a"),
    ]  # fmt: skip
    assert list(read_slugs(database, "zoo")) == ["B", "c", "a", "b"]  # that which is none any more comes last
    asked = "SELECT is_a, prob_a, is_b, prob_b, is_b_2, prob_b_2 FROM zoo_labels ORDER BY run_id DESC"
    assert bare(database, asked) == [(1, 0.7, 0, 0.1, None, None), (0, 0.3, None, None, 1, 0.9)]
    new, old = read_back(database, zoo("a", "b", "c"), LABELS)["label_probs"]
    np.testing.assert_equal(old, [0.7, 0.1, np.nan])
    np.testing.assert_equal(new, [0.3, np.nan, 0.2])


def test_127_classes_of_80_letters(database: Database) -> None:
    task = zoo(*(f"{'x' * 77}{i:03d}" for i in range(127)))
    probs = np.linspace(0, 1, 127)
    write_back(database, task, LABELS, results({"1": task.class_names}, [probs.tolist()]), "run")
    (row,) = read_back(database, task, LABELS).itertuples()
    assert row.label == task.class_names
    assert row.label_probs.tolist() == probs.tolist()


def of_before(database: Database) -> None:
    """A table as versions before left it: one array a row; class c of run `gone` is none any more."""
    columns = {"table_name": sa.Text(), "id": sa.Text(), "run_id": sa.Text()}
    columns |= {"label": TextList(), "label_probs": Vector(), "written_at": sa.DateTime(timezone=True)}
    keys = ["table_name", "id", "run_id"]
    database.create_table("zoo_labels", columns, keys)
    frame = results({"1": ["a"], "2": ["b", "a"], "3": []}, [[0.75, 0.25], [1, 1], [0, 0.125]])
    gone = results({"1": ["a"], "2": ["c"]}, [[0.75, 0.25], [0.5, 1]])
    for run, rows in (("run", frame), ("gone", gone)):
        written_at = pd.Series(
            [pd.Timestamp("2026-01-01", tz="UTC").to_pydatetime()] * len(rows), dtype=object
        )
        database.upsert("zoo_labels", rows.assign(run_id=run, written_at=written_at), keys)


def test_a_table_of_before_is_read_and_migrated(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adaptml.database.writeback_before.CHUNK_ROWS", 2)
    of_before(database)
    before = read_back(database, zoo("a", "b"), LABELS)
    np.testing.assert_equal(
        np.stack(before["label_probs"]),
        [[np.nan, np.nan], [0.75, 0.25], [np.nan, np.nan], [1, 1], [0, 0.125]],
    )  # a probability under a wrong name would be worse than none
    assert write_back(database, zoo("a", "b"), LABELS, results({"4": ["b"]}, [[0, 1]]), "now") == 1
    pd.testing.assert_frame_equal(read_back(database, zoo("a", "b"), LABELS).iloc[:5], before)
    asked = "SELECT id, is_a, is_b, prob_a, prob_b FROM zoo_labels WHERE run_id <> 'now' ORDER BY id, run_id"
    assert bare(database, asked) == [
        ("1", 1, 0, None, None), ("1", 1, 0, 0.75, 0.25), ("2", 0, 0, None, None), ("2", 1, 1, 1, 1),
        ("3", 0, 0, 0, 0.125),
    ]  # fmt: skip
    assert "label_probs" not in database.columns("zoo_labels")
    asked = "SELECT id FROM zoo_labels WHERE label_probs_before IS NOT NULL AND run_id = 'gone' ORDER BY id"
    assert bare(database, asked) == [("1",), ("2",)]


def test_nothing_of_before_is_left_where_all_of_it_is_clear(database: Database) -> None:
    of_before(database)
    write_back(database, zoo("a", "b", "c"), LABELS, results({"4": ["b"]}, [[0, 1, 0]]), "now")
    assert "label_probs_before" in database.columns("zoo_labels")  # two numbers, three classes
    with database.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE zoo_labels")
    of_before(database)
    with database.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM zoo_labels WHERE run_id = 'gone'")
    write_back(database, zoo("a", "b"), LABELS, results({"4": ["b"]}, [[0, 1]]), "now")
    assert [name for name in database.columns("zoo_labels") if name.startswith("label")] == ["label"]


def test_what_cannot_be_written_is_refused_before_anything_is(database: Database) -> None:
    for probs in ([1.0], [1.0, float("nan")], [1.0, 0.0, 0.0]):
        frame = results({"1": ["a"], "7": ["b"]}, [[1.0, 0.0], probs])
        with pytest.raises(
            DatabaseError, match=r"of 1 of 2 rows \(7\) are not 2 finite numbers, .* task 'zoo'"
        ):
            write_back(database, zoo("a", "b"), LABELS, frame, "run")
    with pytest.raises(TaskError, match="labels c are no classes"):
        write_back(database, zoo("a", "b"), LABELS, results({"1": ["c"]}, [[1.0, 0.0]]), "run")
    assert database.tables() == []
    database.create_table("zoo_classes", {"id": sa.Text(), "slug": sa.Text()})
    with pytest.raises(
        DatabaseError, match=r"table 'zoo_classes' is to hold name, slug, position .*columns id, slug"
    ):
        keep_slugs(database, zoo("a", "b"))


def test_cratedb_gets_types_that_its_sql_can_ask_for(crate: Database, recorder: Recorder) -> None:
    recorder.makes_tables = True
    task = zoo("label", GREEK)
    frame = results({"1": ["label"]}, [[0.75, 0.25]], model="multilabel_zoo/3")
    write_back(crate, task, PREDICTIONS, frame, "run")
    assert recorder.tables["zoo_classes"] == {"name": "text", "slug": "text", "position": "integer"}
    assert recorder.tables["zoo_predictions"] == {
        "table_name": "text", "id": "text", "run_id": "text", "model": "text", "label": "text_array",
        "is_label": "smallint", "is_class_2": "smallint",
        "prob_label": "double precision", "prob_class_2": "double precision",
        "written_at": "timestamp with time zone",
    }  # fmt: skip
    made = next(s for s in recorder.statements if "CREATE TABLE zoo_predictions" in s)
    assert "INDEX OFF" not in made  # it refuses to look for what has no index
    sent = next(
        request["args"] for request in recorder.sent if "INSERT INTO zoo_predictions" in request["stmt"]
    )
    assert ["label"] in sent  # an array of text
    assert [value for value in sent if type(value) in (int, float)] == [1, 0, 0.75, 0.25]


def test_a_table_of_before_is_migrated_on_cratedb(crate: Database, recorder: Recorder) -> None:
    recorder.makes_tables = True
    recorder.tables["zoo_labels"] = {
        "table_name": "text", "id": "text", "run_id": "text", "label": "text_array",
        "label_probs": "real_array", "written_at": "timestamp with time zone",
    }  # fmt: skip
    recorder.answers["SELECT zoo_labels.table_name"] = [["posts", "1", "run", ["a"], [0.75, 0.25]]]
    write_back(crate, zoo("a", "b"), LABELS, results({"4": ["b"]}, [[0, 1]]), "now")
    (update,) = [request for request in recorder.sent if request["stmt"].startswith("UPDATE zoo_labels")]
    assert update["args"] == [1, 0, 0.75, 0.25, "posts", "1", "run"]
    assert "ALTER TABLE zoo_labels DROP COLUMN label_probs" in recorder.statements


def test_rows_behind_another_are_asked_for_as_cratedb_can(crate: Database) -> None:
    table = sa.Table("t", sa.MetaData(), *(sa.Column(name, sa.Text) for name in "abc"))
    rows = list(product("xy", repeat=3))
    with closing(sa.create_engine("sqlite://").connect()) as connection:
        table.create(connection)
        connection.execute(sa.insert(table), [dict(zip("abc", row, strict=True)) for row in rows])
        for place, last in enumerate(rows):
            found = sa.select(table).where(_after(crate, list(table.c), last)).order_by(*table.c)
            assert [tuple(row) for row in connection.execute(found)] == rows[place + 1 :]
