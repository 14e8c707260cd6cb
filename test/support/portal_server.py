"""A project's page for tests: the app as it is served, and a way in."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from threading import Thread
from typing import Any

from starlette.types import ASGIApp

from adaptml.listening import address_of, listen, make_server
from adaptml.project import Project
from portal.access import Access
from portal.app import make_app
from portal.asks import Ask
from portal.asks.children import Children
from portal.asks.kinds import KINDS
from portal.asks.wire import result_of
from portal.asks.worker import answer_to
from portal.guard import refused
from portal.jobs import JobStore
from portal.jobs.embedded import ensure_worker
from portal.paths import database_path

PERSON = "Ana"


@dataclass(frozen=True)
class Portal:
    """A page that is served, or could be.

    Attributes:
        project: what it shows.
        access: who may come in.
        app: the whole app, guard and all.
        url: where it is served; a made-up one where it is not.
    """

    project: Project
    access: Access
    app: ASGIApp
    url: str

    def cookie(self, person: str = PERSON) -> tuple[str, str]:
        """Name and value of the cookie of a person who has come in."""
        value = self.access.enter(self.access.invite(person))
        assert value is not None
        return self.access.cookie_name, value


def page_of(
    project: Project,
    url: str = "http://127.0.0.1",
    *,
    ask: Ask | None = None,
    jobs: JobStore | None = None,
    **settings: Any,
) -> Portal:
    """A project's page, not served.

    Questions are answered in this process where `ask` is not given, and jobs wait for ever where `jobs` is not.
    """
    access = Access(database_path(project.settings.home))
    ask = ask or partial(_answer, project)
    jobs = jobs or JobStore(project.settings.home)
    return Portal(project, access, make_app(project, access, ask=ask, jobs=jobs, **settings), url)


def _answer(project: Project, kind: str, /, **payload: Any) -> dict[str, Any]:
    question = {"function": KINDS[kind].function, "payload": payload}
    return result_of(answer_to(project, question))


@contextmanager
def served_page(project: Project, port: int = 0, **settings: Any) -> Iterator[Portal]:
    """A project's page on loopback, in a thread; `settings` are those of `page_of`."""
    listener = listen("127.0.0.1", port)
    ask = Children(project.settings)
    jobs = JobStore(
        project.settings.home, partial(ensure_worker, project)
    )  # its worker ends with the last job
    made = page_of(project, address_of(listener), **{"ask": ask, "jobs": jobs} | settings)
    server = make_server(made.app, project.settings, lambda status, _, why: refused(status, why))
    thread = Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield made
    finally:
        server.should_exit = True
        thread.join(timeout=60)
        listener.close()
        ask.close()
        assert not thread.is_alive(), "the page did not stop"
