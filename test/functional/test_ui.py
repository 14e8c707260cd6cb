"""`adaptml ui` as people start it."""

import json
import os
import re
import select
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

from edge_server import all_of, client

from adaptml import example_project

READY_S = 120


def test_the_page_starts_prints_its_link_and_ends_when_it_is_asked_to(tmp_path: Path) -> None:
    example_project(tmp_path / "spam").close()
    command = [sys.executable, "-m", "adaptml.cli", "ui", "--port", "0", "--no-browser"]
    with subprocess.Popen(
        command,
        cwd=tmp_path / "spam",
        env={**os.environ, "ADAPTML_REQUEST_SECONDS": "0.5"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            assert select.select([process.stdout], [], [], READY_S)[0], "it said nothing"
            said = process.stdout.readline()
            found = re.fullmatch(r"open (http://127\.0\.0\.1:\d+)/enter#(\S{40,})\n", said)
            assert found, said
            with urllib.request.urlopen(f"{found[1]}/health", timeout=60) as answer:
                assert json.load(answer) == {"status": "ok"}
            port = int(found[1].rpartition(":")[2])
            late = all_of(client(port, b"GET /health HT"))
            assert late.startswith(b"HTTP/1.1 408 ")
            assert late.endswith(b"the request's head did not come in within 0.5 s; send it again\n")
            assert all_of(client(port, b"no http\r\n\r\n")).startswith(b"HTTP/1.1 400 ")
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=60) == 0
            assert process.stdout.read() == "stop with Ctrl-C\nWARNING:  Invalid HTTP request received.\n"
        finally:
            process.kill()


def test_an_invitation_is_printed(tmp_path: Path) -> None:
    (tmp_path / "tasks").mkdir()
    command = [sys.executable, "-m", "adaptml.cli", "ui", "--invite", "Ana"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=120)
    assert re.fullmatch(r"http://127\.0\.0\.1:8050/enter#\S{40,}\n", done.stdout)
