"""The server in front of the service and the page, as a process: signals, open files, its log."""

import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from edge_server import PATIENCE_S, all_of, answer, client, head, next_answer

SUPPORT = Path(__file__).resolve().parents[1] / "support"
FILES = 256  # 128 connections, and 17 to spare
Start = Callable[..., "Process"]


@dataclass
class Process:
    """The small app's process, where it listens, and what it logs."""

    process: subprocess.Popen[str]
    port: int
    log: Path

    def ask(self, path: str) -> httpx.Response:
        return httpx.get(f"http://127.0.0.1:{self.port}{path}", timeout=PATIENCE_S)

    def stop(self, by: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(by)
        return self.process.wait(timeout=PATIENCE_S)


@pytest.fixture
def start(clean_room: Path) -> Iterator[Start]:
    """Starts the app with these settings; `before` is done in the new process."""
    with ExitStack() as running:

        def started(before: Callable[[], None] | None = None, **settings: object) -> Process:
            log = clean_room / "log"
            values = {f"ADAPTML_{name.upper()}": str(value) for name, value in settings.items()}
            path = os.pathsep.join([*sys.path, str(SUPPORT)])
            process = running.enter_context(
                subprocess.Popen(
                    [sys.executable, SUPPORT / "edge_process.py"],
                    env={**os.environ, **values, "PYTHONPATH": path},
                    stdout=subprocess.PIPE,
                    stderr=running.enter_context(log.open("w")),
                    text=True,
                    preexec_fn=before,
                )
            )
            running.callback(process.kill)
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line, log.read_text()
            return Process(process, int(line), log)

        yield started


def test_what_is_not_answered_in_time_is_503_and_the_process_is_gone(start: Start) -> None:
    """The thread of /wait goes on for a minute: nothing waits for it."""
    server = start(grace_seconds=1)
    waiting = client(server.port, head("GET", "/wait"))
    reading = client(server.port, head("POST", "/echo", Content_Length=9))
    assert server.ask("/health").json() == "well"  # asked after both
    assert server.stop() == 0
    for late in (waiting, reading):
        status, said = answer(all_of(late))
        assert (status, said["error"]["code"]) == (503, "stopping")
    assert "Traceback" not in server.log.read_text()


def test_a_terminal_that_is_closed_ends_it_alike(start: Start) -> None:
    # Tests under nohup inherit that it is ignored.
    server = start(lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL), grace_seconds=1)
    reading = client(server.port, head("POST", "/echo", Content_Length=9))
    assert server.ask("/health").json() == "well"
    assert server.stop(signal.SIGHUP) == 0
    assert answer(all_of(reading))[0] == 503


def test_what_is_under_way_is_answered_before_the_end(start: Start) -> None:
    server = start()
    half = client(server.port, head("POST", "/echo", Content_Length=2) + b"x")
    assert server.ask("/health").json() == "well"
    server.process.send_signal(signal.SIGTERM)
    with pytest.raises(httpx.TransportError):  # until it takes no more
        while True:
            server.ask("/health")
    half.sendall(b"x")
    assert answer(all_of(half)) == (200, 2)
    assert server.process.wait(timeout=PATIENCE_S) == 0


def test_nohup_is_respected(start: Start) -> None:
    server = start(lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    server.process.send_signal(signal.SIGHUP)
    assert server.ask("/health").json() == "well"
    assert server.stop() == 0


def test_more_clients_than_files_may_be_open_fill_neither_the_log_nor_the_way_to_health(start: Start) -> None:
    """Every client begins a request and waits; beyond the limit they are told so."""
    server = start(lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, FILES)))
    begun = head("POST", "/echo", Content_Length=100) + b"{"
    with ExitStack() as open_:
        clients = [open_.enter_context(client(server.port, begun)) for _ in range(FILES * 2)]
        assert server.ask("/health").json() == "well"
        assert server.ask("/who").status_code == 503
        for one in clients[FILES // 2 :]:
            assert next_answer(one)[0] == 503
    assert server.ask("/who").status_code == 200
    lines = server.log.read_text().splitlines()
    assert len(lines) < 10, lines


def test_silent_clients_beyond_the_open_files_make_way_for_health(start: Start) -> None:
    server = start(lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, FILES)))
    with ExitStack() as open_:
        for _ in range(FILES * 2):
            open_.enter_context(client(server.port))
        assert server.ask("/health").json() == "well"
    assert len(server.log.read_text().splitlines()) < 10


def test_clients_that_hang_up_leave_no_more_than_a_line_each(start: Start) -> None:
    server = start()
    for _ in range(3):
        client(server.port, head("POST", "/echo", Content_Length=100) + b"x").close()
    assert server.ask("/health").json() == "well"
    assert server.stop() == 0
    assert len(server.log.read_text().splitlines()) <= 3


def test_every_line_of_the_log_is_json_where_that_is_asked_for(start: Start) -> None:
    server = start(log_format="json")
    assert server.ask("/who?secret=1").status_code == 200
    assert server.ask("/nope").status_code == 404
    client(server.port, b"no http\r\n\r\n").close()
    client(server.port, head("POST", "/echo", Content_Length=9) + b"x").close()
    assert server.ask("/health").status_code == 200
    assert server.stop() == 0
    lines = [json.loads(line) for line in server.log.read_text().splitlines()]
    requests = [line for line in lines if "status" in line]
    assert {(line["method"], line["path"], line["status"]) for line in requests} == {
        ("GET", "/who", 200),
        ("GET", "/nope", 404),
        ("POST", "/echo", 0),
        ("GET", "/health", 200),
    }
    assert all({"time", "level", "logger", "message", "duration_s"} <= set(line) for line in requests)
    assert "Invalid HTTP request received." in [line["message"] for line in lines]
