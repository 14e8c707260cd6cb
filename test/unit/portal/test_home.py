"""The first page without a browser: what stands where, and what is away."""

from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from fastapi.testclient import TestClient
from portal_server import Portal, page_of

from adaptml.project import Project
from adaptml.settings import Settings
from portal.asks import AskError
from portal.asks.kinds import KINDS
from portal.asks.wire import result_of
from portal.asks.worker import answer_to
from portal.home.services import Service, healths, services_of
from portal.home.standing import standing_of


def away(kind: str, /, **payload: object) -> dict[str, object]:
    raise AskError(f"{kind} took too long")


def answer(project: Project, kind: str, /, **payload: Any) -> dict[str, Any]:
    return result_of(answer_to(project, {"function": KINDS[kind].function, "payload": payload}))


def test_tasks_are_listed_and_one_with_a_broken_file_says_so(client: TestClient, project: Project) -> None:
    (project.settings.tasks_dir / "broken").mkdir()
    (project.settings.tasks_dir / "broken" / "task.yaml").write_text("title: <script>alert(1)</script>")
    page = client.get("/").text
    assert "Is it spam?" in page
    assert 'hx-get="/tasks/spam/standing"' in page
    assert "/tasks/broken/standing" not in page
    assert "broken/task.yaml has" in page
    assert "Load the example" not in page


def test_where_a_task_stands_with_a_link_to_what_is_next(client: TestClient) -> None:
    block = client.get("/tasks/spam/standing").text
    assert "24 in comments" in block
    assert "12, of them 6" in block
    assert '<a href="/tasks/spam/rules">Write rules and see what they hit</a>' in block
    assert "adaptml lfs spam --data comments" in client.get("/tasks/spam/standing?whole=true").text
    assert client.get("/tasks/nothing/standing").status_code == 400


def test_a_room_that_does_not_answer_is_said_and_the_rest_is_shown(project: Project) -> None:
    found = standing_of(project, away, project.task("spam"))
    assert found.data.gold.points == 12
    assert found.labelling.problem == "standing_labelling took too long"
    assert found.next_step.text == "The runs cannot be read: standing_labelling took too long"


def test_tables_with_their_rows_and_where_they_came_from(
    client: TestClient, project: Project, tmp_path: Path
) -> None:
    (tmp_path / "posts.csv").write_text("id,txt\na,one\n")
    project.import_table(tmp_path / "posts.csv", "posts")
    block = client.get("/home/tables").text
    assert "posts.csv" in block
    assert 'href="/data/comments"' in block
    assert "spam_gold" not in block, "tables that steps made are left out"


def test_an_empty_project_says_how_to_begin_and_takes_the_example(
    clean_room: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Project(clean_room) as project:
        portal = page_of(project)
        with TestClient(portal.app, base_url=portal.url, follow_redirects=False) as client:
            client.headers |= {"sec-fetch-site": "same-origin"}
            client.cookies.set(*portal.cookie())
            assert "Import a file" in client.get("/").text
            answer = client.post("/example")
            assert (answer.status_code, answer.headers["location"]) == (
                303,
                "/data/comments?task=spam&tour=1",
            )
            assert project.database.count("comments") == 24
            stands = client.get("/tasks/spam/standing").text
            assert "12, of them 6" in stands
            assert "Write rules and see what they hit" in stands, "its features are there"
            again = client.post("/example")
            assert again.status_code == 400
            assert "there is one; expected none" in again.text


def test_the_services_of_this_machine_or_those_that_are_set(settings: Settings) -> None:
    found = services_of(settings)
    assert [one.name for one in found] == ["Label Studio", "MLflow", "Prediction service"]
    assert (found[2].link, found[2].health) == ("http://127.0.0.1:8000/docs", "http://127.0.0.1:8000/health")
    listed = "Label Studio|http://127.0.0.1:8080|http://label-studio-web:8080/health|annotation; Runs | http://127.0.0.1:5000"
    assert services_of(settings.model_copy(update={"services": listed})) == [
        Service(
            "Label Studio", "http://127.0.0.1:8080", "http://label-studio-web:8080/health", room="annotation"
        ),
        Service("Runs", "http://127.0.0.1:5000"),
    ]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """A service that is well at /health, ill at /ill, and sends people elsewhere at /moved."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response({"/health": 200, "/moved": 302}.get(self.path, 503))
            self.send_header("location", "http://127.0.0.1:9/")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    made = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=made.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{made.server_address[1]}"
    made.shutdown()
    thread.join()
    made.server_close()


def test_a_service_answers_is_ill_or_is_away_and_nothing_but_http_is_asked(server: str) -> None:
    addresses = [
        f"{server}/health",
        f"{server}/ill",
        f"{server}/moved",
        "http://127.0.0.1:9/",
        "",
        "file:///etc/passwd",
    ]
    found = healths([Service("one", health=address) for address in addresses], away)
    assert [(one.answers, one.text) for one in found] == [
        (True, "answers"),
        (False, "says 503"),
        (True, "answers"),
        (False, "does not answer"),
        (None, ""),
        (False, "file:///etc/passwd is no address of a service"),
    ]


def test_a_service_that_only_a_room_reaches_is_asked_by_it(project: Project, server: str) -> None:
    asked = [Service("one", health=f"{server}/health", room="annotation")]
    (found,) = healths(asked, partial(answer, project))
    assert (found.answers, found.text) == (True, "answers")
    (found,) = healths(asked, away)
    assert (found.answers, found.text) == (False, "the worker of annotation does not answer")


def test_a_database_that_is_away_is_said_on_the_page(portal: Portal, client: TestClient) -> None:
    portal.project.close()
    object.__setattr__(portal.project, "settings", portal.project.settings.replaced(
        database_url="postgresql+psycopg://ana:secret@127.0.0.1:9/x"
    ))  # fmt: skip
    block = client.get("/home/services").text
    assert "127.0.0.1" in block
    assert "secret" not in block
    assert client.get("/home/tables").status_code == 503
    assert "The data cannot be read" in client.get("/tasks/spam/standing").text
