"""A server that answers as a CrateDB does, and keeps what it was sent."""

import gzip
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import sqlalchemy as sa

TYPES = {
    "id": "text",
    "txt": "text",
    "lemmas": "text_array",
    "vec": "real_array",
    "emb": "float_vector",
    "n": "integer",
    "x": "double precision",
}
ROWS = {"a": ["a", "x", ["k"], [1.0, 0.5], [0.25], 1, 0.5], "b": ["b", None, None, None, None, 2, None]}
# How a column's type begins when a table is made → what the catalogue calls it.
MADE = {
    "ARRAY(STRING)": "text_array",
    "STRING": "text",
    "TEXT": "text",
    "SHORT": "smallint",
    "INT": "integer",
    "DOUBLE": "double precision",
    "TIMESTAMP WITH TIME ZONE": "timestamp with time zone",
}
# As a CrateDB 6.4.3 said it.
STARTING = (
    "IllegalIndexShardStateException[CurrentState[RECOVERING] operations only allowed when shard state is one "
    "of [POST_RECOVERY, STARTED]]"
)
TOO_MUCH = (
    "CircuitBreakingException[Allocating 7.7kb for 'result-buffer' failed, breaker would use 252mb in total. "
    "Limit is 307.1mb]"
)


class Recorder(ThreadingHTTPServer):
    """Answers as CrateDB's HTTP endpoint does for one table, `posts`, and keeps every statement."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.sent: list[dict[str, Any]] = []
        self.refused: dict[str, str] = {}  # id of a row that is not taken in a bulk request → why
        self.memory_rows: int | None = None  # more rows at once, asked for or sent, are too many
        self.unstarted = 0  # shards that are not there yet
        self.starting = 0  # so many requests are answered as by a server whose shards are not there yet
        self.tables = {"posts": TYPES}  # table → column → type
        self.makes_tables = False  # whether a table that it was told to make is there afterwards
        self.answers: dict[str, list[list[Any]]] = {}  # how a statement begins → the rows that it finds

    @property
    def url(self) -> str:
        return f"crate://adaptml:secret@127.0.0.1:{self.server_port}"

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
            {"ok": True, "status": 200, "name": "n", "cluster_name": "c", "version": {"number": "6.4.3"}}
        )

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        request = json.loads(gzip.decompress(raw) if self.headers.get("Content-Encoding") == "gzip" else raw)
        self.server.sent.append(request)
        arguments = request.get("bulk_args") or request.get("args") or []
        asked = arguments[0] if arguments and isinstance(arguments[0], list) else []
        writes = request["stmt"].startswith(("INSERT", "UPDATE"))
        many = len(request["bulk_args"]) if "bulk_args" in request else 1 if writes else len(asked)
        if self.server.starting and "posts" in request["stmt"]:
            self.server.starting -= 1
            if "bulk_args" in request:
                failed = {"rowcount": -2, "error": {"code": 5000, "message": STARTING}}
                self._send({"cols": [], "duration": 1, "results": [failed] * many})
            else:
                self._send({"error": {"code": 5000, "message": STARTING}}, 500)
        elif self.server.memory_rows is not None and many > self.server.memory_rows:
            self._send({"error": {"code": 5000, "message": TOO_MUCH}}, 500)
        elif writes and "args" in request:
            taken = self._taken(arguments)
            self._send({"cols": [], "rows": [], "duration": 1} | taken, 400 if "error" in taken else 200)
        elif "bulk_args" in request:
            results = [self._taken(row) for row in request["bulk_args"]]
            self._send({"cols": [], "duration": 1, "results": results})
        else:
            if self.server.makes_tables:
                self._make(request["stmt"])
            known = (rows for begin, rows in self.server.answers.items() if request["stmt"].startswith(begin))
            rows = next(known, None) or self._rows(request["stmt"], arguments)
            self._send(
                {
                    "cols": [f"c{i}" for i in range(len(rows[0]) if rows else 1)],
                    "rows": rows,
                    "rowcount": len(rows),
                    "duration": 1,
                }
            )

    def _taken(self, row: list[Any]) -> dict[str, Any]:
        reasons = [
            self.server.refused[value]
            for value in row
            if isinstance(value, str) and value in self.server.refused
        ]
        return (
            {"rowcount": -2, "error": {"code": 4000, "message": reasons[0]}} if reasons else {"rowcount": 1}
        )

    def _rows(self, statement: str, arguments: list[Any]) -> list[list[Any]]:
        lowered = statement.lower()
        if "information_schema.columns" in lowered:
            types = next(
                (self.server.tables[name] for name in arguments if name in self.server.tables), TYPES
            )
            return [[name, kind, None] for name, kind in types.items()]
        if "key_column_usage" in lowered:
            return [["id"]]
        if "information_schema.tables" in lowered:
            return [[name] for name in self.server.tables]
        if "sys.shards" in lowered:
            return [[self.server.unstarted]]
        if "version['number']" in lowered:
            return [["6.4.3"]]
        if "count(" in lowered:
            return [[2]]
        if lowered.startswith("select posts.id \nfrom"):
            first = (
                next(key for key in arguments if isinstance(key, str)) if "posts.id >= " in lowered else ""
            )
            return [[key] for key in ROWS if key >= first]
        if lowered.startswith("select posts.id") and arguments and isinstance(arguments[0], list):
            places = [
                list(TYPES).index(word.strip().removeprefix("posts.").partition(" as ")[0])
                for word in lowered[7 : lowered.index("\nfrom")].split(",")
            ]
            return [[self._row(key)[i] for i in places] for key in arguments[0] if self._row(key)]
        return []

    def _make(self, statement: str) -> None:
        """Take a statement that makes or changes a table as done."""
        words = statement.replace('"', "").split(maxsplit=5)
        if words[:2] == ["CREATE", "TABLE"]:
            lines = [line.strip().rstrip(",") for line in statement.strip().splitlines()[1:-1]]
            made = [line.split(maxsplit=1) for line in lines if line and not line.startswith("PRIMARY KEY")]
            self.server.tables[words[2]] = {column: _type(kind) for column, kind in made}
        elif words[:2] == ["ALTER", "TABLE"] and words[3] == "ADD":
            column, kind = words[5].split(maxsplit=1)
            self.server.tables[words[2]][column] = _type(kind)

    def _row(self, key: str) -> list[Any]:
        """A row of the table, which also has as many as are asked for of the ids p0, p1 …."""
        return ROWS.get(key) or (
            [key, key, None, [1.0] * 8, None, int(key[1:]), 0.0] if key[1:].isdigit() else []
        )

    def _send(self, answer: dict[str, Any], status: int = 200) -> None:
        body = json.dumps(answer, separators=(",", ":")).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _type(made: str) -> str:
    """What the catalogue calls a type of a statement that makes a column."""
    return next(kind for begin, kind in MADE.items() if made.startswith(begin))


@contextmanager
def recording() -> Iterator[Recorder]:
    """Such a server, for as long as the block; whatever it was sent, CrateDB's own parser takes it."""
    from cratedb_sqlparse import sqlparse  # takes long to load, and every test's process loads this module

    server = Recorder()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    for statement in server.statements:
        sqlparse(statement, raise_exception=True)


def refresh_after_raw_writes(engine: sa.Engine) -> None:
    """Let what a test itself writes in SQL be seen at once, as in other databases.

    What the product writes is refreshed by the product.
    """

    @sa.event.listens_for(engine, "after_cursor_execute")
    def refresh(
        connection: sa.Connection, _cursor: Any, statement: str, _given: Any, context: Any, _many: Any
    ) -> None:
        written = re.match(r"(?:INSERT INTO|UPDATE|DELETE FROM) (\"[^\"]+\"|\w+)", statement)
        if written and context.compiled is None:
            connection.exec_driver_sql(f"REFRESH TABLE {written[1]}")
