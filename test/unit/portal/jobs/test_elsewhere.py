"""Workers of the stack's containers: they come in with a token of their room, and the page may go away meanwhile."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from portal_server import Portal, page_of, served_page

from adaptml.errors import FeatureError, SettingsError
from adaptml.project import Project
from adaptml.stack.compose import StackError
from portal.asks import Ask, AskError, Kind
from portal.asks.remote import SERVICES, RemoteAsk
from portal.jobs import JobStore
from portal.jobs.as_jobs import StepsAsJobs
from portal.jobs.elsewhere import work_elsewhere
from portal.jobs.http import Page, RemoteBoard, answer_questions, read_token
from portal.jobs.worker import Worker

TOKENS = {room: f"token-of-{room}" for room in SERVICES}
KINDS = {"double": Kind("nobody:calls", "labelling"), "train": Kind("nobody:calls", "modelling")}


@pytest.fixture
def jobs(project: Project) -> JobStore:
    return JobStore(project.settings.home)


@contextmanager
def working(project: Project, url: str) -> Iterator[None]:
    """A worker of dp-mlflow, in a thread."""
    stop = threading.Event()
    page = Page(url, TOKENS["labelling"])
    scratch = project.settings.home / "scratch"
    worker = Worker(RemoteBoard(page), ["labelling"], project.settings.root, scratch, stop)
    thread = threading.Thread(target=worker.work)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(60)
        assert not thread.is_alive()


def until(said: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not said():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture
def unserved(project: Project) -> Iterator[TestClient]:
    """Requests of a program, without a cookie."""
    portal = page_of(project, ask=RemoteAsk(KINDS), worker_tokens=TOKENS)
    with TestClient(portal.app, base_url="http://portal:8050") as made:
        yield made


def post(client: TestClient, path: str, room: str, told: Any = None) -> tuple[int, Any]:
    headers = {"authorization": f"Bearer {TOKENS.get(room, room)}"}
    done = client.post(f"/worker/{path}", content=json.dumps(told or {}), headers=headers)
    return done.status_code, done.json() if done.status_code == 200 else done.text


def test_nobody_comes_in_without_the_token_of_a_room(unserved: TestClient, project: Project) -> None:
    for path in ("claim", "jobs/1/beat", "jobs/1/finish", "asks", "asks/1"):
        assert post(unserved, path, "wrong")[0] == 401
        assert unserved.post(f"/worker/{path}", json={}).status_code == 401
        assert (
            unserved.post(f"/worker/{path}", json={}, headers={"authorization": "Bearer "}).status_code == 401
        )


def test_a_browser_s_session_is_none_of_a_worker_s_and_the_reverse(
    client: TestClient, portal: Portal, unserved: TestClient
) -> None:
    assert client.post("/worker/claim", json={}).status_code == 401  # logged in, and no token of this page's
    token = {"authorization": f"Bearer {TOKENS['labelling']}"}
    done = unserved.get("http://127.0.0.1/jobs", headers=token)
    assert (done.status_code, "nobody is logged in" in done.text) == (401, True)


def test_a_token_opens_its_own_room_alone(unserved: TestClient, jobs: JobStore) -> None:
    jobs.start(["label", "spam"], "Ana")
    jobs.start(["train", "other"], "Ana")
    assert post(unserved, "claim", "annotation", {"worker": "w"}) == (200, {})
    assert post(unserved, "claim", "labelling", {"worker": "w"}) == (
        200,
        {"id": 1, "argv": ["label", "spam"]},
    )
    assert post(unserved, "jobs/1/beat", "modelling", {"worker": "w"})[0] == 403
    assert post(unserved, "jobs/1/beat", "labelling", {"worker": "w", "text": "x"}) == (
        200,
        {"goes_on": True},
    )
    assert post(unserved, "jobs/1/finish", "modelling", {"worker": "w", "state": "done"})[0] == 403
    assert post(unserved, "jobs/1/finish", "labelling", {"worker": "w", "state": "running"})[0] == 422
    assert post(unserved, "jobs/1/finish", "labelling", {"worker": "w", "state": "done"}) == (200, {})
    assert jobs.get(1).state == "done"
    assert jobs.log(1)[0] == "x"


@pytest.mark.parametrize("sent", ["{", "[]", '{"worker": 3}'])
def test_a_message_of_another_form_is_refused(unserved: TestClient, sent: str) -> None:
    headers = {"authorization": f"Bearer {TOKENS['labelling']}"}
    assert unserved.post("/worker/claim", content=sent, headers=headers).status_code == 422


def test_a_step_runs_in_another_container_and_answers(project: Project, jobs: JobStore) -> None:
    steps = StepsAsJobs(jobs, "Ana", None)
    with served_page(project, worker_tokens=TOKENS, jobs=jobs) as page, working(project, page.url):
        assert "ok       task file" in steps("dp-mlflow", "task", "check", "spam", show=False)
        with pytest.raises(
            StackError, match=r"^missing option '--data'; see `adaptml label --help` \(said in dp-mlflow\)$"
        ):
            steps("dp-mlflow", "label", "no", show=False)
    assert [(job.room, job.by, job.state) for job in jobs.recent()] == [
        ("labelling", "Ana", "failed"),
        ("labelling", "Ana", "done"),
    ]


def test_a_job_goes_on_while_the_page_is_away(project: Project, jobs: JobStore) -> None:
    folder = project.settings.tasks_dir / "spam"
    (folder / "lfs.py").write_text(
        "import pathlib, time\nn = 0\n"
        "while not (pathlib.Path(__file__).parent / 'go').exists():\n"
        "    n += 1; print('line', n, flush=True); time.sleep(0.05)\n"
    )
    job = jobs.start(["task", "check", "spam"], "Ana").id
    with ExitStack() as whole:
        with served_page(project, worker_tokens=TOKENS, jobs=jobs) as page:
            port = int(page.url.rpartition(":")[2])
            whole.enter_context(working(project, page.url))
            until(lambda: "line 3" in jobs.log(job)[0])
        seen = jobs.log(job)[0].count("line")
        (folder / "go").touch()
        with served_page(project, port, worker_tokens=TOKENS, jobs=jobs):
            until(lambda: not jobs.get(job).unfinished)
    lines = [line for line in jobs.log(job)[0].splitlines() if line.startswith("line")]
    assert lines == [f"line {n + 1}" for n in range(len(lines))]
    assert len(lines) >= seen
    assert "has no function get_lfs" in jobs.get(job).error


def double(kind: str, /, **payload: Any) -> dict[str, Any]:
    if payload["n"] < 0:
        error = FeatureError(f"{payload['n']} is negative")
        error.__dict__ |= {"line": 7, "printed": ({"text": "hm"},)}
        raise error
    return {"kind": kind, "n": 2 * payload["n"]}


@contextmanager
def answered(project: Project, remote: RemoteAsk, local: Ask) -> Iterator[None]:
    stop = threading.Event()
    with served_page(project, ask=remote, worker_tokens=TOKENS) as page:
        threads = answer_questions(Page(page.url, TOKENS["labelling"]), local, stop)
        yield
        stop.set()
        for thread in threads:
            thread.join(60)
            assert not thread.is_alive()


def test_a_question_is_answered_by_the_worker_of_its_room(project: Project) -> None:
    ask = RemoteAsk(KINDS, fetched_s=1)
    with answered(project, ask, double):
        assert ask("double", n=21) == {"kind": "double", "n": 42}
        with pytest.raises(FeatureError, match="-1 is negative") as raised:
            ask("double", n=-1)
        assert (raised.value.line, raised.value.printed) == (7, ({"text": "hm"},))  # type: ignore[attr-defined]
        with pytest.raises(
            AskError, match=r"double cannot be answered here: KeyError: 'n'; build the images"
        ):
            ask("double", m=1)
        with pytest.raises(
            AskError, match="the container modelling-mlflow did not fetch the question within 1"
        ):
            ask("train", n=1)


def test_an_answer_of_another_room_counts_for_nothing() -> None:
    ask = RemoteAsk(KINDS, answer_s=0.5)
    found: list[str] = []

    def worker() -> None:
        question = ask.fetch("labelling", 10)
        found.append(question["id"])
        ask.answer("modelling", question["id"], {"answer": {"n": "forged"}})
        ask.answer("labelling", "guessed", {"answer": {"n": "forged"}})

    thread = threading.Thread(target=worker)
    thread.start()
    with pytest.raises(AskError, match=r"dp-mlflow gave no answer within 0.5 seconds"):
        ask("double", n=1)
    thread.join(60)
    assert found
    assert ask.fetch("labelling", 0) == {}


def test_what_a_worker_needs_to_begin(project: Project, tmp_path: Path) -> None:
    with pytest.raises(
        SettingsError, match=r"worker_labelling_token cannot be read: No such file.*adaptml up"
    ):
        read_token(tmp_path, "labelling")
    (tmp_path / "worker_labelling_token").write_text("\n")
    with pytest.raises(SettingsError, match="is empty"):
        read_token(tmp_path, "labelling")
    with pytest.raises(SettingsError, match="the container 'crate-db' is nobody's worker; expected one of"):
        work_elsewhere(project, "crate-db", threading.Event())
