"""Limits for those who connect and say nothing, half of it, too much of it, or nonsense; and the log of it."""

import json
import logging
import resource
import socket
import time
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from edge_server import all_of, answer, client, edge_server, head, next_answer, refuse

from adaptml.edge.limits import limits_of
from adaptml.edge.logs import JsonFormatter, OnceASecond
from adaptml.errors import SettingsError
from adaptml.settings import Settings

SOON_S = 0.2


def ended(connection: socket.socket) -> bool:
    with connection:
        try:
            return connection.recv(1) == b""
        except ConnectionResetError:
            return True


def test_half_a_head_is_told_that_it_is_late_and_silence_is_closed(settings: Settings) -> None:
    with edge_server(settings, request_seconds=SOON_S) as (port, _):
        half, silent = client(port, b"GET /health HT"), client(port)
        assert answer(all_of(half)) == (
            408,
            {
                "error": {
                    "code": "request_timeout",
                    "message": "the request's head did not come in within 0.2 s; send it again",
                }
            },
        )
        assert all_of(silent) == b""


def test_a_head_of_a_second_request_has_no_more_time_than_the_first(settings: Settings) -> None:
    with edge_server(settings, request_seconds=SOON_S) as (port, _):
        raw = all_of(client(port, head("GET", "/health") + b"GET /health HT"))
        first, second = raw.split(b"HTTP/1.1 ")[1:]
        assert (first[:3], second[:3]) == (b"200", b"408")


@pytest.mark.parametrize("coming", [b"", b"x"])
def test_a_body_that_does_not_come_is_answered_and_closed(settings: Settings, coming: bytes) -> None:
    with edge_server(settings, request_seconds=SOON_S) as (port, _):
        late = client(port, head("POST", "/echo", Content_Length=100) + coming)
        status, said = answer(all_of(late))
        assert status == 408
        assert said == "the request's body did not come in within 0.2 s; send it again, faster or in parts"
        assert httpx.post(f"http://127.0.0.1:{port}/echo", content=b"x" * 100_000).json() == 100_000


def test_the_rest_of_a_body_that_was_answered_before_is_not_waited_for_long(settings: Settings) -> None:
    with edge_server(settings, request_seconds=SOON_S) as (port, _):
        early = client(port, head("POST", "/early", Content_Length=100) + b"x")
        assert next_answer(early) == (200, "early")
        assert ended(early)


def test_what_is_no_http_is_refused_in_the_shape_of_all_errors(settings: Settings) -> None:
    with edge_server(settings) as (port, _):
        status, said = answer(all_of(client(port, b"\x16\x03\x01 this is TLS\r\n\r\n")))
    assert (status, said["error"]["code"]) == (400, "invalid_http")


def test_beyond_the_limit_requests_are_refused_and_health_is_answered(settings: Settings) -> None:
    with edge_server(settings, max_connections=2) as (port, _), ExitStack() as open_:
        for _ in range(2):
            open_.enter_context(client(port, head("POST", "/echo", Content_Length=2) + b"x"))
        busy = all_of(client(port, head("POST", "/echo", Content_Length=1) + b"x"))
        assert answer(busy)[0] == 503
        assert answer(busy)[1]["error"]["message"].startswith("2 requests are under way")
        assert httpx.get(f"http://127.0.0.1:{port}/health").json() == "well"


def test_the_connection_that_is_idle_for_longest_makes_room(settings: Settings) -> None:
    # 2 and 1 to spare: of 6 idle ones the last three stay.
    with edge_server(settings, max_connections=2) as (port, server), ExitStack() as open_:
        idle = []
        for _ in range(6):
            idle.append(open_.enter_context(client(port)))
            assert httpx.get(f"http://127.0.0.1:{port}/health").json() == "well"
        for gone in idle[:3]:
            assert ended(gone)
        idle[5].sendall(head("GET", "/health"))
        assert next_answer(idle[5]) == (200, "well")
        assert len(server.server_state.connections) <= 3


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="Linux's own option")
def test_a_client_that_does_not_read_its_answer_is_left(settings: Settings) -> None:
    with edge_server(settings, request_seconds=SOON_S) as (port, server):
        deaf = client(port, head("GET", "/much"))
        deaf.recv(1)
        while server.server_state.connections:  # else the test's own limit of time ends it
            time.sleep(0.05)
        deaf.close()


def test_a_proxy_s_word_is_taken_only_where_it_is_named(settings: Settings) -> None:
    forwarded = {"X-Forwarded-For": "192.0.2.7", "X-Forwarded-Proto": "https"}
    for proxies, who in [
        ("", ["127.0.0.1", "http"]),
        ("10.0.0.0/8", ["127.0.0.1", "http"]),
        ("10.0.0.0/8, 127.0.0.1", ["192.0.2.7", "https"]),
    ]:
        with edge_server(settings, proxies=proxies) as (port, _):
            assert httpx.get(f"http://127.0.0.1:{port}/who", headers=forwarded).json() == who


def test_a_proxy_that_is_no_address_is_told(settings: Settings) -> None:
    wrong = r"^ADAPTML_PROXIES holds 'a net'; expected addresses or networks such as 10\.0\.0\.0/8"
    with pytest.raises(SettingsError, match=wrong), edge_server(settings, proxies="127.0.0.1, a net"):
        pass


def test_no_more_connections_than_half_of_the_files_that_may_be_open(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for files, connections, spare in [(1024, 512, 32), (100, 50, 7), (resource.RLIM_INFINITY, 512, 32)]:
        monkeypatch.setattr(resource, "getrlimit", lambda _, files=files: (files, files))
        limits = limits_of(settings, refuse)
        assert (limits.connections, limits.spare) == (connections, spare)


def record(name: str, message: str, *arguments: object, **more: object) -> logging.LogRecord:
    made = logging.LogRecord(name, logging.ERROR, "file", 1, message, arguments, None)
    made.__dict__.update(more)
    return made


def test_what_clients_cause_is_logged_once_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("adaptml.edge.logs.time.monotonic", lambda: now[0])
    once = OnceASecond()
    accept = "socket.accept() out of system resource\nsocket: <socket.socket fd=7>"
    trouble = (OSError, OSError("too many"), None)
    lines = [record("asyncio", accept, exc_info=trouble) for _ in range(3)]
    assert [once.filter(line) for line in lines] == [True, False, False]
    assert lines[0].getMessage().endswith("this process may open no more files (ulimit -n)")
    assert lines[0].exc_info is None
    assert [once.filter(record("uvicorn.error", text)) for text in ("a", "b", "a")] == [True, True, False]
    now[0] += 1
    assert once.filter(record("asyncio", accept))
    # Of what broke, nothing is left out.
    assert all(once.filter(record("uvicorn.error", "c", exc_info=trouble)) for _ in range(2))
    assert all(once.filter(record("modelling.app.main", "d")) for _ in range(2))


def test_a_line_of_json_has_what_programs_ask_for() -> None:
    fields = {"method": "GET", "path": "/health", "status": 200, "duration_s": 0.25, "created": 0.0}
    assert json.loads(JsonFormatter().format(record("a.b", "asked %s", "twice\nü", **fields))) == {
        "time": "1970-01-01T00:00:00.000+00:00",
        "level": "ERROR",
        "logger": "a.b",
        "message": "asked twice\nü",
        "method": "GET",
        "path": "/health",
        "status": 200,
        "duration_s": 0.25,
    }
    with pytest.raises(ZeroDivisionError) as caught:
        1 / 0  # noqa: B018
    line = JsonFormatter().format(record("a", "b", exc_info=(caught.type, caught.value, caught.tb)))
    assert "\n" not in line
    assert json.loads(line)["traceback"].endswith("ZeroDivisionError: division by zero")
    assert str(Path(__file__)) in json.loads(line)["traceback"]
