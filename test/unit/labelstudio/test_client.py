"""The client against a small HTTP server that misbehaves on demand: a real Label Studio cannot be asked to."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from adaptml.errors import LabelStudioError, LabelStudioUnavailableError
from adaptml.settings import load_settings
from labelstudio.client import LabelStudio, connect

Answer = tuple[int, str]


class Server:
    """Gives the answers in `answers` one after the other, then the last one again; keeps what it was asked."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.asked: list[tuple[str, str, str]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                outer.asked.append(
                    (self.command, self.path.split("?")[0], self.headers.get("Authorization", ""))
                )
                status, text = outer.answers.pop(0) if len(outer.answers) > 1 else outer.answers[0]
                self.send_response(status)
                self.send_header("Content-Length", str(len(text.encode())))
                self.end_headers()
                self.wfile.write(text.encode())

            do_GET = do_POST = do_DELETE = do_PATCH = answer  # noqa: N815 - the names that it calls

            def log_message(self, *arguments: Any) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    thread = threading.Thread(target=made.http.serve_forever)
    thread.start()
    yield made
    made.http.shutdown()
    thread.join()
    made.http.server_close()


@pytest.fixture
def studio(server: Server) -> Iterator[LabelStudio]:
    with LabelStudio(server.url, "0123", patience_s=5) as made:
        yield made


def test_a_server_that_is_restarting_is_asked_again(server: Server, studio: LabelStudio) -> None:
    server.answers = [(502, ""), (503, "busy"), (200, '{"id": 7}')]
    assert studio.project(7) == {"id": 7}
    assert server.asked == [("GET", "/api/projects/7/", "Token 0123")] * 3


def test_what_may_have_been_received_is_not_sent_again(server: Server, studio: LabelStudio) -> None:
    server.answers = [(503, "")]
    with pytest.raises(LabelStudioUnavailableError, match=r"is away \(status 503\); try again in a while$"):
        studio.import_tasks(7, [{"data": {}}])
    assert len(server.asked) == 1


def test_given_up_at_last(server: Server) -> None:
    server.answers = [(503, "")]
    with (
        LabelStudio(server.url, "0123", patience_s=0.6) as studio,
        pytest.raises(LabelStudioUnavailableError),
    ):
        studio.project(7)
    assert 2 <= len(server.asked) <= 4


def test_a_personal_token_is_renewed_when_it_runs_out(server: Server) -> None:
    expired = (401, '{"detail": "token has run out"}')
    server.answers = [
        expired,
        (200, '{"access": "A1"}'),
        (200, "{}"),
        expired,
        (200, '{"access": "A2"}'),
        (200, "{}"),
    ]
    with LabelStudio(server.url, "e.y.j") as studio:
        studio.project(7)
        studio.project(7)
    assert [authorization for _, path, authorization in server.asked if path == "/api/projects/7/"] == [
        "", "Bearer A1", "Bearer A1", "Bearer A2",
    ]  # fmt: skip


def test_fewer_tasks_than_were_sent(server: Server, studio: LabelStudio) -> None:
    server.answers = [(201, '{"task_ids": [1]}')]
    with pytest.raises(LabelStudioError) as error:
        studio.import_tasks(7, [{"data": {}}, {"data": {}}])
    assert str(error.value) == (
        "Label Studio was sent 2 tasks and says that it took 1; expected all of them: push again, which sends the missing ones"
    )


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ((200, "<html>"), "{url} does not answer as Label Studio does (no JSON at /api/projects/7/); see that "
                          "label_studio_url is its address"),
        ((401, '{"detail": "Invalid token."}'), "Label Studio at {url} refuses the token: Invalid token.; copy a token "
         "from Account & Settings in Label Studio into the file that label_studio_token_file names"),
        ((404, ""), "Label Studio at {url} has no projects/7: was the project deleted? run `adaptml annotate setup`"),
        ((500, '{"detail": "two\\nlines"}'), "Label Studio at {url} refuses GET /api/projects/7/ (status 500): two lines"),
        ((403, "no"), "Label Studio at {url} refuses GET /api/projects/7/ (status 403): Forbidden"),
        ((400, '["bad"]'), 'Label Studio at {url} refuses GET /api/projects/7/ (status 400): ["bad"]'),
    ],
)  # fmt: skip
def test_one_line_for_each_failure(server: Server, studio: LabelStudio, answer: Answer, message: str) -> None:
    server.answers = [answer]
    with pytest.raises(LabelStudioError) as error:
        studio.project(7)
    assert error.value.status == (None if answer[0] == 200 else answer[0])
    assert str(error.value) == message.replace("{url}", server.url)


def test_no_token_and_no_address(clean_room: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(LabelStudioError) as error:
        connect(load_settings(clean_room))
    assert str(error.value) == (
        "no token for Label Studio at http://127.0.0.1:8080; put it into the file that label_studio_token_file "
        "names, or set ADAPTML_LABEL_STUDIO_TOKEN"
    )
    for url in ("127.0.0.1:8080", "ftp://x"):
        with pytest.raises(
            LabelStudioError, match=f"^label_studio_url is '{url}'; expected an address such as"
        ):
            LabelStudio(url, "0123")


def test_the_token_comes_from_the_file_or_the_environment(
    clean_room: Path, monkeypatch: pytest.MonkeyPatch, server: Server
) -> None:
    server.answers = [(200, json.dumps({"id": 1}))]
    (clean_room / "token").write_text("fromfile\n")
    monkeypatch.setenv("ADAPTML_LABEL_STUDIO_URL", server.url + "/")
    monkeypatch.setenv("ADAPTML_LABEL_STUDIO_TOKEN_FILE", "token")
    ask: Callable[[], Any] = lambda: connect(load_settings(clean_room))  # noqa: E731
    with ask() as studio:
        studio.project(1)
    monkeypatch.setenv("ADAPTML_LABEL_STUDIO_TOKEN", "fromenvironment")
    with ask() as studio:
        studio.project(1)
    assert [authorization for *_, authorization in server.asked] == [
        "Token fromfile",
        "Token fromenvironment",
    ]
    assert "fromenvironment" not in repr(load_settings(clean_room))
