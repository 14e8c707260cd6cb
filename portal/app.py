"""The page as a FastAPI app: its guard, its rooms and its errors."""

from collections.abc import Mapping, Sequence
from importlib import import_module
from threading import Event

from fastapi import FastAPI
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from adaptml.listening import LOOPBACK_NAMES
from adaptml.project import Project
from portal import entering
from portal.access import Access
from portal.asks import Ask
from portal.errors import add_error_handlers
from portal.guard import Guard
from portal.jobs import JobStore, workers
from portal.paths import STATIC

ROOMS = (
    "home", "new_task", "help", "rules", "assist", "data", "annotation", "runs", "fixing", "models", "jobs",
)  # fmt: skip


def make_app(
    project: Project,
    access: Access,
    *,
    ask: Ask,
    jobs: JobStore,
    stopping: Event | None = None,
    worker_tokens: Mapping[str, str] | None = None,
    hosts: Sequence[str] = (),
    key: str = "",
) -> ASGIApp:
    """Make the page.

    Args:
        project: what it shows.
        access: who may come in.
        ask: answers the questions for which a room is needed; see `portal.asks`.
        jobs: the project's jobs; see `portal.jobs`.
        stopping: is set when the server ends, so that long answers end.
        worker_tokens: room → token of its worker in the stack; see `portal.jobs.workers`.
        hosts: names under which it may be asked for, beside this machine's own.
        key: what a person must give when coming in, beside the link; empty where only this machine can ask.
    """
    app = FastAPI(title="ADaPT-ML", openapi_url=None, docs_url=None, redoc_url=None)
    app.state.project, app.state.access, app.state.key = project, access, key
    app.state.ask, app.state.jobs, app.state.stopping = ask, jobs, stopping or Event()
    app.state.worker_tokens = worker_tokens or {}
    add_error_handlers(app)
    app.include_router(entering.router)
    app.include_router(workers.router)
    for room in ROOMS:
        app.include_router(import_module(f"portal.{room}.routes").router)
    app.mount("/static", StaticFiles(directory=STATIC))
    return Guard(app, access, LOOPBACK_NAMES | {host.lower() for host in hosts})
