"""What clients under load were told is counted as it was."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path

import httpx
import pytest

from benchmarks.asking import Asked, Told, asking, is_json_of, watching

ANSWERS = [
    (200, b'{"id": []}'),
    (503, b'{"error": {"code": "database_unavailable", "message": "x"}}'),
    (500, b"Internal Server Error"),
    None,
]


class Handler(BaseHTTPRequestHandler):
    """Answers in turn: as promised, as promised, in another shape, not at all."""

    numbers = count()

    def do_GET(self) -> None:
        answer = ANSWERS[next(self.numbers) % len(ANSWERS)]
        if answer is not None:
            self.send_response(answer[0])
            self.end_headers()
            self.wfile.write(answer[1])

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def address() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_answers_of_another_shape_and_none_at_all_are_counted(address: str) -> None:
    seen = threading.Event()

    def request(client: httpx.Client) -> httpx.Response:
        if next(asked_for) == 5:
            seen.set()
        return client.get("/")

    asked_for = count()
    with asking(address, request, lambda answer: is_json_of(answer, "id")) as asked:
        assert seen.wait(60)
    statuses = [told.status for told in asked.answers]
    assert statuses[:5] == ["200", "503", "500", "none", "200"]
    assert [told.as_promised for told in asked.answers[:5]] == [True, True, False, False, True]


def test_sums() -> None:
    asked = Asked([Told("200", 0.1, True), Told("200", 3.0, True), Told("none", 2.0, False)])
    assert asked.by_status == "200: 2, none: 1"
    assert (asked.slowest_s, asked.later_than(2.0), asked.broken) == (3.0, 1, 1)
    assert Asked().slowest_s == 0.0


def test_a_log_that_grows(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"x" * 500)
    with watching(0, log) as watched:
        log.write_bytes(b"x" * 3_500)
    assert (watched.log_kb, watched.peak_mb) == (3.0, 0.0)
