"""`make mlflow-ui`: MLflow's own server, from its own environment, shows what the steps left."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from base64 import b64encode
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from adaptml.project import Project
from adaptml.settings import Settings

REPOSITORY = Path(__file__).resolve().parents[2]
MAKE = (
    "make",
    "--no-print-directory",
    "--old-file=.venv/.demo",
    "--old-file=.mlflow/.installed",
    "mlflow-ui",
)
START_S = 120.0


@pytest.fixture
def address(mlflow_environment: Path, tracking: Settings) -> Iterator[str]:
    """Where its pages are."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {"ADAPTML_HOME": str(tracking.home)}
    log = tracking.home / "server.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [*MAKE, f"PORT={port}"], cwd=REPOSITORY, env=environment, stdout=output, stderr=output,
            start_new_session=True,
        )  # fmt: skip
    try:
        _wait(process, f"http://127.0.0.1:{port}/health", log)
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(60)


def _wait(process: subprocess.Popen[bytes], health: str, log: Path) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(health, timeout=20).text == "OK":
                return
        except httpx.TransportError:
            time.sleep(0.3)
    pytest.fail(f"no answer: {log.read_text()[-2000:]}")


def test_it_shows_the_runs_and_the_files_of_the_project(address: str, project: Project) -> None:
    with project.runs.run("test", "pets", {"seed": "8"}) as recorder:
        (recorder.folder / "note.txt").write_text("seen")
    run = project.runs.get(recorder.run_id)
    body = {"experiment_ids": [run.info.experiment_id]}
    found = httpx.post(f"{address}/api/2.0/mlflow/runs/search", json=body, timeout=60).json()["runs"]
    assert [one["info"]["run_id"] for one in found] == [run.info.run_id]
    assert {"key": "seed", "value": "8"} in found[0]["data"]["params"]
    where = {"run_uuid": run.info.run_id, "path": "note.txt"}
    assert httpx.get(f"{address}/get-artifact", params=where, timeout=60).text == "seen"
    assert re.search("<html", httpx.get(address, timeout=60).text)


def test_where_a_server_keeps_the_runs_it_says_so(mlflow_environment: Path, clean_room: Path) -> None:
    done = subprocess.run(
        MAKE, cwd=REPOSITORY, env=os.environ | {"MLFLOW_TRACKING_URI": "http://mlflow.example.org:5000"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "a server keeps the runs; its pages are on http://mlflow.example.org:5000\n"


WANTED = "Basic " + b64encode(b"ada:correct horse").decode()


class Proxy(BaseHTTPRequestHandler):
    """Lets those in who say who they are, and asks MLflow for them."""

    to = ""

    def do_GET(self) -> None:
        if self.headers.get("Authorization") == WANTED:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            answer = httpx.request(self.command, f"{self.to}{self.path}", content=body, timeout=60,
                                   headers={"Content-Type": "application/json"})  # fmt: skip
            status, said = answer.status_code, answer.content
        else:
            status, said = 401, b"<html>401 Authorization Required</html>"
        self.send_response(status)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    do_POST = do_GET  # noqa: N815 - the library's name

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def behind_a_login(address: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(Proxy, "to", address)
    with ThreadingHTTPServer(("127.0.0.1", 0), Proxy) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_the_account_of_the_files_counts_and_a_wrong_one_is_told(
    behind_a_login: str, clean_room: Path
) -> None:
    def runs() -> "subprocess.CompletedProcess[str]":
        environment = os.environ | {"MLFLOW_TRACKING_URI": behind_a_login}
        return subprocess.run(
            [sys.executable, "-m", "adaptml.cli", "runs"],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    refused = runs()
    assert refused.returncode == 1
    facts = ("401", "MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD", ".env.dev", behind_a_login)
    assert [fact for fact in facts if fact not in refused.stderr] == []
    (clean_room / ".env").write_text("MLFLOW_TRACKING_USERNAME=ada\nMLFLOW_TRACKING_PASSWORD=correct horse\n")
    done = runs()
    assert (done.returncode, done.stderr) == (0, "")
