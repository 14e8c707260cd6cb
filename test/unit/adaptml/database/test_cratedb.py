"""What is sent to CrateDB, by its own client to a server that records it, against CrateDB's own grammar."""

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa
from cratedb_server import Recorder, refresh_after_raw_writes
from cratedb_sqlparse import sqlparse

from adaptml.database import Database, PackedVector, TextList, Vector, WritebackKind, write_back
from adaptml.errors import DatabaseError, DatabaseUnavailableError
from adaptml.tasks import Task


def posts(ids: list[str]) -> pd.DataFrame:
    return pd.DataFrame({"table_name": "posts", "id": ids})


def test_every_type_is_read_in_key_order_through_one_array_of_ids(
    crate: Database, recorder: Recorder
) -> None:
    frame = crate.read(posts(["b", "a", "b"]), ["vec", "emb", "lemmas", "txt", "n"])
    assert frame["n"].tolist() == [2, 1, 2]
    assert frame["txt"].tolist() == [None, "x", None]
    assert frame["lemmas"].tolist() == [None, ["k"], None]
    assert frame["vec"][1].tolist() == [1.0, 0.5]
    assert frame["vec"][1].dtype == frame["emb"][1].dtype == np.float32
    assert recorder.sent[-1]["stmt"].endswith("WHERE posts.id = ANY ($1)")
    assert recorder.sent[-1]["args"] == [["b", "a"]]


def test_tables_are_made_with_native_arrays(crate: Database, recorder: Recorder) -> None:
    columns = {
        "id": sa.Text(),
        "txt": sa.Text(),
        "words": TextList(),
        "vec": Vector(),
        "packed": PackedVector(),
        "at": sa.DateTime(timezone=True),
    }
    # The recorder knows only `posts`, so that looking at the new table afterwards fails.
    with pytest.raises(DatabaseError, match="no table 'fresh'"):
        crate.create_table("fresh", columns)
    made = next(statement for statement in recorder.statements if "CREATE TABLE" in statement)
    assert "words ARRAY(STRING)" in made
    assert "vec ARRAY(REAL)" in made
    assert "PRIMARY KEY (id)" in made
    # Keys keep their index; other text may be longer than an index takes.
    assert "id STRING NOT NULL" in made
    for name in ("txt", "packed"):
        assert f"{name} TEXT INDEX OFF STORAGE WITH (columnstore = false)" in made
    crate.add_columns("posts", {"page": sa.Text()})
    assert recorder.statements[-1] == (
        "ALTER TABLE posts ADD COLUMN page TEXT INDEX OFF STORAGE WITH (columnstore = false)"
    )
    crate.create_table("posts", {"id": sa.Text(), "other vec": Vector()})
    assert recorder.statements[-1] == 'ALTER TABLE posts ADD COLUMN "other vec" ARRAY(REAL)'


def test_an_upsert_is_one_bulk_request_and_reads_see_it(crate: Database, recorder: Recorder) -> None:
    frame = pd.DataFrame(
        {"id": ["a", "b"], "vec": [np.array([1, 2], np.float32), None], "lemmas": [["k", "l"], []]}
    )
    assert crate.upsert("posts", frame, ["id"]) == 0
    *_, refresh, before, bulk, refresh_again = recorder.sent
    assert refresh["stmt"] == refresh_again["stmt"] == "REFRESH TABLE posts"
    assert before["stmt"].endswith("WHERE posts.id = ANY ($1)")
    assert before["args"] == [["a", "b"]]
    assert "ON CONFLICT (id) DO UPDATE SET lemmas = excluded.lemmas, vec = excluded.vec" in bulk["stmt"]
    assert bulk["bulk_args"] == [["a", ["k", "l"], [1.0, 2.0]], ["b", [], None]]
    crate.upsert("posts", frame, ["id"], replace=False)
    assert recorder.statements[-2].endswith("ON CONFLICT DO NOTHING")


def test_thousands_of_rows_go_in_bulk_requests(crate: Database, recorder: Recorder) -> None:
    crate.upsert("posts", pd.DataFrame({"id": [f"p{i}" for i in range(12_345)], "n": range(12_345)}), ["id"])
    assert [len(request["bulk_args"]) for request in recorder.sent if "bulk_args" in request] == [
        5_000,
        5_000,
        2_345,
    ]


def test_percent_signs_are_sent_as_they_are(crate: Database, recorder: Recorder) -> None:
    crate.keys("posts", "txt LIKE '%ham%'")
    assert "txt LIKE '%ham%'" in recorder.statements[-1]
    crate.add_columns("posts", {"%s": Vector()})
    assert recorder.statements[-1] == 'ALTER TABLE posts ADD COLUMN "%s" ARRAY(REAL)'


def test_packed_vectors_are_sent_and_read_as_base64(crate: Database, recorder: Recorder) -> None:
    crate.declare("posts", {"txt": PackedVector()})
    crate.upsert("posts", pd.DataFrame({"id": ["a", "b"], "txt": [np.array([0.5, 1.0]), None]}), ["id"])
    (request,) = [request for request in recorder.sent if "bulk_args" in request]
    assert request["bulk_args"] == [["a", "AQA4ADw="], ["b", None]]
    with pytest.raises(DatabaseError, match="a text of 1 characters is no packed vector"):
        crate.read(posts(["a"]), ["txt"])


def test_scanning_counting_and_conditions(crate: Database, recorder: Recorder) -> None:
    assert list(crate.scan("posts", ["txt"])) == []
    assert crate.count("posts") == 2
    crate.keys("posts", "n > 1 AND txt = 'a:b'")
    assert "WHERE (n > 1 AND txt = 'a:b'\n) ORDER BY posts.id" in recorder.statements[-1]


def test_all_ids_are_fetched_a_page_at_a_time(
    crate: Database, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adaptml.database.reading.ID_PAGE_ROWS", 1)
    before = len(recorder.sent)
    assert crate.keys("posts")["id"].tolist() == ["a", "b"]
    pages = [request["args"] for request in recorder.sent[before:] if "LIMIT" in request["stmt"]]
    assert pages == [[2], ["a", 2], ["b", 2]]


def test_tests_see_what_they_wrote_in_sql(crate: Database, recorder: Recorder) -> None:
    refresh_after_raw_writes(crate.engine)
    with crate.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM posts WHERE id = 'a'")
        assert recorder.statements[-2:] == ["DELETE FROM posts WHERE id = 'a'", "REFRESH TABLE posts"]
    crate.upsert("posts", pd.DataFrame({"id": ["a"], "txt": ["x"]}), ["id"])
    # before it counts and, once, behind what it writes
    assert [s.split()[0] for s in recorder.statements[-4:]] == ["REFRESH", "SELECT", "INSERT", "REFRESH"]


def test_what_is_written_back_keeps_its_keys(crate: Database, recorder: Recorder) -> None:
    frame = posts(["a"]).assign(annotator="1", label=[["cat"]])
    with pytest.raises(DatabaseError, match="no table 'animals_annotations'"):
        write_back(
            crate, Task(name="animals", classes=["cat", "dog"]), WritebackKind.ANNOTATIONS, frame, "run"
        )
    made = next(statement for statement in recorder.statements if "CREATE TABLE" in statement)
    assert "PRIMARY KEY (table_name, id, run_id, annotator)" in made
    assert "written_at TIMESTAMP WITH TIME ZONE" in made


def test_a_server_that_is_away_is_our_error_and_its_password_is_not_shown(recorder: Recorder) -> None:
    away = Database("crate://adaptml:secret@127.0.0.1:1")
    with pytest.raises(DatabaseUnavailableError) as caught:
        away.tables()
    assert "secret" not in str(caught.value)
    away.close()


def test_the_grammar_notices_what_is_not_a_statement() -> None:
    from cratedb_sqlparse import ParsingException

    with pytest.raises(ParsingException):
        sqlparse("SELECT FROM WHERE", raise_exception=True)
