"""Results that are being recorded wait for a tracking server that is away; what it refuses is told at once."""

import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from adaptml.runs import patience
from adaptml.runs.patience import patiently


class Answers(BaseHTTPRequestHandler):
    """Every question is answered as it was well."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> int:
    """Of a server that is away: nobody listens."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    monkeypatch.setattr(patience, "PAUSES_S", (0.1,))
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def test_a_server_that_comes_back_gets_what_it_is_told(port: int, caplog: pytest.LogCaptureFixture) -> None:
    uri, server = f"http://127.0.0.1:{port}", list[HTTPServer]()
    client = MlflowClient(uri)

    def come_back() -> None:
        server.append(HTTPServer(("127.0.0.1", port), Answers))
        server[0].handle_request()

    timer = threading.Timer(0.5, come_back)
    timer.start()
    patiently(lambda: client.set_tag("1f", "done", "yes"), uri)
    timer.join()
    server[0].server_close()
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("adaptml")]
    assert ours == [f"MLflow at {uri} is away; waiting for it, up to 300 s"]


def test_patience_ends(port: int) -> None:
    client = MlflowClient(f"http://127.0.0.1:{port}")
    with pytest.raises(MlflowException, match="Connection refused"):
        patiently(lambda: client.set_tag("1f", "done", "yes"), "MLflow", 0.3)


@pytest.mark.parametrize("error", [MlflowException("no such run"), OSError("No space left on device")])
def test_what_is_refused_is_asked_once(error: Exception) -> None:
    asked: list[int] = []

    def refused() -> None:
        asked.append(1)
        raise error

    with pytest.raises(type(error)):
        patiently(refused, "MLflow")
    assert asked == [1]
