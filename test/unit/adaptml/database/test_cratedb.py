"""What is sent to CrateDB, by its own client to a server that records it, against CrateDB's own grammar."""

import gzip
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa
from cratedb_sqlparse import sqlparse

from adaptml.database import Database, TextList, Vector, WritebackKind, write_back
from adaptml.errors import DatabaseError, DatabaseUnavailableError

TYPES = {
    "id": "text",
    "txt": "text",
    "lemmas": "text_array",
    "vec": "real_array",
    "emb": "float_vector",
    "n": "integer",
}
ROWS = {"a": ["a", "x", ["k"], [1.0, 0.5], [0.25], 1], "b": ["b", None, None, None, None, 2]}


class Recorder(ThreadingHTTPServer):
    """Answers as CrateDB's HTTP endpoint does for one table, `posts`, and keeps every statement."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.sent: list[dict[str, Any]] = []
        self.failing: set[int] = set()  # positions in a bulk request whose rows are not taken

    @property
    def statements(self) -> list[str]:
        return [request["stmt"] for request in self.sent]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Recorder

    def log_message(self, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        self._send(
            {"ok": True, "status": 200, "name": "n", "cluster_name": "c", "version": {"number": "5.10.3"}}
        )

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        request = json.loads(gzip.decompress(raw) if self.headers.get("Content-Encoding") == "gzip" else raw)
        self.server.sent.append(request)
        if "bulk_args" in request:
            counts = [-2 if i in self.server.failing else 1 for i in range(len(request["bulk_args"]))]
            self._send({"cols": [], "duration": 1, "results": [{"rowcount": count} for count in counts]})
        else:
            rows = self._rows(request["stmt"], request.get("args") or [])
            self._send(
                {
                    "cols": [f"c{i}" for i in range(len(rows[0]) if rows else 1)],
                    "rows": rows,
                    "rowcount": len(rows),
                    "duration": 1,
                }
            )

    def _rows(self, statement: str, arguments: list[Any]) -> list[list[Any]]:
        lowered = statement.lower()
        if "information_schema.columns" in lowered:
            return [[name, kind, None] for name, kind in TYPES.items()]
        if "key_column_usage" in lowered:
            return [["id"]]
        if "information_schema.tables" in lowered:
            return [["posts"]]
        if "count(" in lowered:
            return [[2]]
        if lowered.startswith("select posts.id \nfrom"):
            return [[key] for key in ROWS]
        if lowered.startswith("select posts.id") and arguments and isinstance(arguments[0], list):
            places = [
                list(TYPES).index(word.strip().removeprefix("posts."))
                for word in lowered[7 : lowered.index("\nfrom")].split(",")
            ]
            return [[ROWS[key][i] for i in places] for key in arguments[0] if key in ROWS]
        return []

    def _send(self, answer: dict[str, Any]) -> None:
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    server = Recorder()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()
    for statement in server.statements:  # whatever a test sent, CrateDB's parser takes it
        sqlparse(statement, raise_exception=True)


@pytest.fixture
def crate(recorder: Recorder) -> Iterator[Database]:
    made = Database(f"crate://adaptml:secret@127.0.0.1:{recorder.server_port}")
    yield made
    made.close()


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
    columns = {"id": sa.Text(), "words": TextList(), "vec": Vector(), "at": sa.DateTime(timezone=True)}
    # The recorder knows only `posts`, so that looking at the new table afterwards fails.
    with pytest.raises(DatabaseError, match="no table 'fresh'"):
        crate.create_table("fresh", columns)
    made = next(statement for statement in recorder.statements if "CREATE TABLE" in statement)
    assert "words ARRAY(STRING)" in made
    assert "vec ARRAY(REAL)" in made
    assert "PRIMARY KEY (id)" in made
    crate.create_table("posts", {"id": sa.Text(), "other vec": Vector()})
    assert recorder.statements[-1] == 'ALTER TABLE posts ADD COLUMN "other vec" ARRAY(REAL)'


def test_an_upsert_is_one_bulk_request_and_reads_see_it(crate: Database, recorder: Recorder) -> None:
    frame = pd.DataFrame(
        {"id": ["a", "b"], "vec": [np.array([1, 2], np.float32), None], "lemmas": [["k", "l"], []]}
    )
    assert crate.upsert("posts", frame, ["id"]) == 0
    *_, refresh, before, bulk, refresh_again, after = recorder.sent
    assert refresh["stmt"] == refresh_again["stmt"] == "REFRESH TABLE posts"
    assert before["stmt"] == after["stmt"]
    assert "ON CONFLICT (id) DO UPDATE SET lemmas = excluded.lemmas, vec = excluded.vec" in bulk["stmt"]
    assert bulk["bulk_args"] == [["a", ["k", "l"], [1.0, 2.0]], ["b", [], None]]
    crate.upsert("posts", frame, ["id"], replace=False)
    assert recorder.statements[-3].endswith("ON CONFLICT DO NOTHING")


def test_thousands_of_rows_go_in_bulk_requests(crate: Database, recorder: Recorder) -> None:
    crate.upsert("posts", pd.DataFrame({"id": [f"p{i}" for i in range(12_345)], "n": range(12_345)}), ["id"])
    assert [len(request["bulk_args"]) for request in recorder.sent if "bulk_args" in request] == [
        5_000,
        5_000,
        2_345,
    ]


def test_an_update_by_id_is_one_bulk_request_and_reads_see_it(crate: Database, recorder: Recorder) -> None:
    crate.update("posts", pd.DataFrame({"id": ["a", "b"], "txt": ["new", None]}))
    assert recorder.sent[-2]["bulk_args"] == [["new", "a"], [None, "b"]]
    assert recorder.statements[-1] == "REFRESH TABLE posts"


@pytest.mark.parametrize("write", ["upsert", "update"])
def test_rows_that_are_not_taken_are_counted(crate: Database, recorder: Recorder, write: str) -> None:
    recorder.failing = {1}
    frame = pd.DataFrame({"id": ["a", "b", "c"], "txt": ["x", "y", "z"]})
    with pytest.raises(DatabaseError) as caught:
        crate.upsert("posts", frame, ["id"]) if write == "upsert" else crate.update("posts", frame)
    assert str(caught.value) == (
        "CrateDB did not take 1 of 3 rows for table 'posts', and has written the others; "
        "see that values fit their columns, then write all of them again"
    )


def test_scanning_counting_and_conditions(crate: Database, recorder: Recorder) -> None:
    assert list(crate.scan("posts", ["txt"], where_null=["vec"])) == []
    assert crate.count_null("posts", ["vec", "txt"]) == 2
    assert crate.count("posts") == 2
    crate.keys("posts", "n > 1 AND txt = 'a:b'")
    assert recorder.statements[-1].endswith("WHERE (n > 1 AND txt = 'a:b'\n) ORDER BY posts.id")
    assert any("vec IS NULL" in statement for statement in recorder.statements)


def test_what_is_written_back_keeps_its_keys(crate: Database, recorder: Recorder) -> None:
    frame = posts(["a"]).assign(annotator="1", label=[["cat"]])
    with pytest.raises(DatabaseError, match="no table 'animals_annotations'"):
        write_back(crate, "animals", WritebackKind.ANNOTATIONS, frame, "run")
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
