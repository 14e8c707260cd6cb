"""The pages of jobs: the list, and one job with its progress and its log as they come."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse
from markupsafe import escape
from starlette.concurrency import run_in_threadpool

from portal.jobs.job import Job, State
from portal.jobs.onward import onward
from portal.jobs.store import JobStore
from portal.showing import go, jobs_of, person_of, project_of, show

PER_PAGE = 50
LOG_BYTES = 200_000  # of a log's end, on its page
STREAM_S = 60.0  # then the browser asks again: a proxy may end what lasts longer
LOOK_S = 0.4
STATES: tuple[State, ...] = ("waiting", "running", "done", "failed", "cancelled", "lost")
PARTS = ("panel", "actions")  # of a job's page, which change
router = APIRouter()


@router.get("/jobs")
def list_jobs(
    request: Request, task: str = "", state: str = "", before: int | None = None, part: bool = False
) -> Response:
    """All jobs, or those of a task or in a state; `part`: the table alone, asked again while a job runs."""
    found = jobs_of(request).recent(PER_PAGE + 1, task, state, before)
    shown = found[:PER_PAGE]
    asked: dict[str, Any] = {"of_task": task, "of_state": state, "before": before}
    return show(
        request, "jobs/list.html", "table" if part else None, **asked,
        jobs=shown, more=shown[-1].id if len(found) > PER_PAGE else None, states=STATES,
        tasks=project_of(request).task_names(), unfinished=any(job.unfinished for job in shown),
    )  # fmt: skip


@router.get("/jobs/{number}")
def one_job(request: Request, number: int) -> Response:
    """One job: what it is, how far it is, what it prints."""
    store = jobs_of(request)
    found = store.get(number)
    text, place, cut = store.end_of_log(number, LOG_BYTES)
    return show(request, "jobs/job.html", **_facts(store, found), log=text, place=place, cut=cut)


@router.get("/jobs/{number}/stream")
async def stream(request: Request, number: int, after: int = 0) -> Response:
    """What changes of a job, as server-sent events: parts of its page, and its log from a place on."""
    last = request.headers.get("last-event-id", "")
    place = int(last) if last.isascii() and last.isdigit() else after
    return StreamingResponse(_changes(request, number, place), media_type="text/event-stream")


@router.get("/jobs/{number}/log")
def whole_log(request: Request, number: int) -> Response:
    """The whole log as text."""
    store, parts = jobs_of(request), []
    store.get(number)
    text, place = store.log(number)
    while text:
        parts.append(text)
        text, place = store.log(number, place)
    return Response("".join(parts), media_type="text/plain; charset=utf-8")


@router.post("/jobs/{number}/cancel")
def cancel(request: Request, number: int) -> Response:
    """End a job."""
    jobs_of(request).cancel(number)
    return go(request, f"/jobs/{number}")


@router.post("/jobs/{number}/again")
def again(request: Request, number: int) -> Response:
    """Start the same once more, as a new job."""
    before = jobs_of(request).get(number)
    made = jobs_of(request).start(before.argv, person_of(request), before.task)
    return go(request, f"/jobs/{made.id}")


def _facts(store: JobStore, job: Job) -> dict[str, Any]:
    """What the page of a job shows, but its log."""
    events = store.events(job.id)
    runs = {event["run_id"]: event for event in events if event["kind"] == "run"}
    steps = {event["step"]: event for event in events if event["kind"] == "step"}
    return {
        "job": job,
        "runs": [*runs.values()],
        "step_events": [*steps.values()],
        "steps": store.steps(job.id),
        "onward": onward(job),
    }


async def _changes(request: Request, number: int, place: int) -> AsyncIterator[str]:
    """Messages until the job has ended, or a minute is over; the id of each is the place in the log."""
    until = time.monotonic() + STREAM_S
    shown: dict[str, str] = {}
    while time.monotonic() < until and not request.app.state.stopping.is_set():
        job, parts, text, place = await run_in_threadpool(_look, request, number, place)
        changed = {name: html for name, html in parts.items() if shown.get(name) != html}
        if text or changed:
            yield _message(changed, text, place)
            shown |= changed
        elif not job.unfinished:
            yield f"event: ended\nid: {place}\ndata: {job.state}\n\n"
            return
        if await request.is_disconnected():
            return
        await asyncio.sleep(LOOK_S)


def _look(request: Request, number: int, place: int) -> tuple[Job, dict[str, str], str, int]:
    store = jobs_of(request)
    job = store.get(number)  # before its log: what it printed last is there when it has ended
    facts = _facts(store, job)
    parts = {name: bytes(show(request, "jobs/job.html", name, **facts).body).decode() for name in PARTS}
    return job, parts, *store.log(number, place)


def _message(changed: dict[str, str], text: str, place: int) -> str:
    html = [
        f'<hx-partial hx-target="#{name}" hx-swap="innerMorph">{part}</hx-partial>'
        for name, part in changed.items()
    ]
    if text:
        html.append(f'<hx-partial hx-target="#log" hx-swap="beforeend">{escape(text)}</hx-partial>')
    lines = "".join(f"data: {line}\n" for line in "".join(html).split("\n"))
    return f"id: {place}\n{lines}\n"
