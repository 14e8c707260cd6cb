"""The pages of jobs, without a browser."""

import re

import pytest
from fastapi.testclient import TestClient
from portal_server import Portal

from adaptml.project import Project
from portal.jobs import JobStore
from portal.jobs.steps import ROOMS


@pytest.fixture
def jobs(project: Project) -> JobStore:
    return JobStore(project.settings.home)


def test_the_list_says_what_waits_and_what_failed(client: TestClient, jobs: JobStore) -> None:
    assert "Nothing was started yet" in client.get("/jobs").text
    jobs.start(["label", "--data=<b>", "--", "spam"], "Ana <i>")
    jobs.start(["train", "--", "spam"], "Ben")
    page = client.get("/jobs").text
    assert "adaptml label &#39;--data=&lt;b&gt;&#39; -- spam" in page
    assert "Ana &lt;i&gt;" in page
    assert re.search(r'waits for <a href="/jobs/1">job 1</a>', page)
    assert 'hx-trigger="every 2s"' in page
    jobs.claim("w", ROOMS)
    jobs.finish(1, "w", "failed", "no <table>")
    assert "no &lt;table&gt;" in client.get("/jobs", params={"state": "failed"}).text
    assert "No job is like that" in client.get("/jobs", params={"task": "spam", "state": "lost"}).text
    part = client.get("/jobs", params={"part": True}).text
    assert part.lstrip().startswith('<div id="jobs"')
    assert "<h1>" not in part


def test_a_job_s_page_shows_its_log_as_text_and_its_runs(client: TestClient, jobs: JobStore) -> None:
    jobs.start(["run", "--", "spam"], "Ana")
    jobs.claim("w", ROOMS)
    events = [
        {"kind": "step", "step": "label", "state": "started", "text": "", "run_id": ""},
        {"kind": "run", "run_id": "abc", "experiment_id": "3", "name": "label multiclass", "state": "done"},
        {"kind": "step", "step": "label", "state": "done", "text": "24 points", "run_id": "abc"},
    ]
    jobs.beat(1, "w", events=events, text="\n<script>alert(1)</script>\n")
    page = client.get("/jobs/1").text
    assert "\n\n&lt;script&gt;alert(1)&lt;/script&gt;\n</pre>" in page
    assert 'EXP_ID 3, RUN_ID <a href="/tasks/spam/runs/abc">abc</a>' in page
    assert "24 points" in page
    assert "/jobs/1/stream?after=27" in page
    assert client.get("/jobs/1/log").text == "\n<script>alert(1)</script>\n"
    jobs.finish(1, "w", "done")
    page = client.get("/jobs/1").text
    assert "/stream" not in page
    assert "Show the result" in page


def test_a_job_s_changes_come_as_events_from_where_the_browser_is(client: TestClient, jobs: JobStore) -> None:
    jobs.start(["label", "--", "spam"], "Ana")
    jobs.claim("w", ROOMS)
    jobs.beat(1, "w", text="one\n<two>\n")
    jobs.finish(1, "w", "failed", "no")
    said = client.get("/jobs/1/stream", headers={"last-event-id": "4"})
    assert said.headers["content-type"].startswith("text/event-stream")
    first, ended, rest = said.text.split("\n\n")
    assert first.startswith('id: 10\ndata: <hx-partial hx-target="#panel"')
    assert '<hx-partial hx-target="#log" hx-swap="beforeend">&lt;two&gt;\ndata: </hx-partial>' in first
    assert "one" not in first
    assert (ended, rest) == ("event: ended\nid: 10\ndata: failed", "")


def test_a_stream_ends_with_the_server(client: TestClient, portal: Portal, jobs: JobStore) -> None:
    jobs.start(["label", "--", "spam"], "Ana")
    portal.app.app.state.stopping.set()  # type: ignore[attr-defined]
    assert client.get("/jobs/1/stream").text == ""


def test_cancel_and_run_again(client: TestClient, jobs: JobStore) -> None:
    jobs.start(["label", "--data=comments", "--", "spam"], "Ben")
    done = client.post("/jobs/1/cancel")
    assert (done.status_code, done.headers["location"]) == (303, "/jobs/1")
    assert jobs.get(1).state == "cancelled"
    done = client.post("/jobs/1/again")
    assert done.headers["location"] == "/jobs/2"
    made = jobs.get(2)
    assert (made.argv, made.by, made.task) == (jobs.get(1).argv, "Ana", "spam")


def test_a_job_that_is_not_there(client: TestClient) -> None:
    for path in ("/jobs/9", "/jobs/9/log"):
        answer = client.get(path)
        assert answer.status_code == 404
        assert "no job 9" in answer.text
