"""A real tracking server: what steps print and record over it, and what they do while it is away."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from adaptml.runs import patience
from adaptml.runs.tracking import RunStore

START_S = 120.0
STEP = """
from adaptml.cli.support import output, run_command
from adaptml.project import Project
def command() -> None:
    with Project().runs.run("eg", "caf\\u00e9 step", {}) as run:
        (run.folder / "result.txt").write_text("42")
    output().print(f"run {run.run_id} \\u2713")
run_command(command)
"""


@pytest.fixture(scope="module")
def port(mlflow_environment: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Where a server listens that keeps artifacts too."""
    folder = tmp_path_factory.mktemp("server")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    words = [
        str(mlflow_environment / "bin" / "mlflow"), "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1",
        "--backend-store-uri", f"sqlite:///{folder / 'mlflow.db'}", "--artifacts-destination", str(folder / "files"),
    ]  # fmt: skip
    off = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(
            words, env=os.environ | off, stdout=log, stderr=log, start_new_session=True, cwd=folder
        )
    deadline, alive = time.monotonic() + START_S, False
    while not alive and time.monotonic() < deadline and server.poll() is None:
        with suppress(httpx.TransportError):
            alive = httpx.get(f"http://127.0.0.1:{port}/health", timeout=20).text == "OK"
        time.sleep(0.2)
    if not alive:
        pytest.fail((folder / "log").read_text()[-2000:])
    yield port
    os.killpg(server.pid, signal.SIGTERM)
    server.wait(60)


def test_a_step_over_a_server_answers_in_any_encoding_and_mlflow_says_nothing(port: int) -> None:
    uri = f"http://127.0.0.1:{port}"
    environment = os.environ | {"MLFLOW_TRACKING_URI": uri, "PYTHONIOENCODING": "latin-1"}
    done = subprocess.run(
        [sys.executable, "-c", STEP], env=environment, capture_output=True, text=True, check=False
    )
    said, run_id, tick = done.stdout.split()
    assert (done.returncode, said, tick, done.stderr) == (0, "run", "\\u2713", "")
    runs = RunStore(uri)
    assert runs.get(run_id).info.run_name == "café step"
    assert runs.artifacts(run_id) == {"log.txt", "result.txt"}


class Relay:
    """Leads connections on to a server, as long as it is open."""

    def __init__(self, to: int) -> None:
        self._to = to
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = int(free.getsockname()[1])
        self.open()

    def open(self) -> None:
        """Listen."""
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._serve, args=(self._listener,), daemon=True).start()

    def close(self) -> None:
        """Refuse connections from now on, and end those that are there."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for one in self._open:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _serve(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                server = socket.create_connection(("127.0.0.1", self._to))
                self._open += [client, server]
                for pair in ((client, server), (server, client)):
                    threading.Thread(target=self._lead, args=pair, daemon=True).start()

    def _lead(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError), one:
            while data := one.recv(2**16):
                other.sendall(data)
            other.shutdown(socket.SHUT_WR)


def test_results_wait_for_a_server_that_goes_away_and_comes_back(
    port: int,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    monkeypatch.setattr(patience, "PAUSES_S", (0.2,))
    relay = Relay(port)
    uri = f"http://127.0.0.1:{relay.port}"
    with RunStore(uri).run("eg", "step", {}) as run:
        (run.folder / "result.txt").write_text("42")
        run.metrics["accuracy"] = 0.5
        relay.close()
        back = threading.Timer(1.0, relay.open)
        back.start()
    back.join()
    relay.close()
    found = RunStore(f"http://127.0.0.1:{port}").get(run.run_id)
    assert (found.info.status, found.data.metrics) == ("FINISHED", {"accuracy": 0.5})
    assert f"MLflow at {uri} is away; waiting for it, up to 300 s" in caplog.messages
    assert capsys.readouterr().out == ""
