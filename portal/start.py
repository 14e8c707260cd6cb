"""Starting the page, and inviting people to it."""

import getpass
import os
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from functools import partial
from threading import Event, Thread
from urllib.parse import urlsplit

from adaptml.errors import AdaptmlError, SettingsError
from adaptml.listening import address_of, is_loopback, listen, run_server
from adaptml.masking import without_user
from adaptml.project import Project
from adaptml.stack.host import PORTAL, SERVICE_VARIABLE
from modelling.app.key import MIN_KEY_CHARS, read_key
from portal.access import Access
from portal.app import make_app
from portal.asks import Ask
from portal.asks.children import Children
from portal.asks.remote import SERVICES, RemoteAsk
from portal.guard import refused
from portal.jobs import JobStore
from portal.jobs.embedded import ensure_worker, present
from portal.jobs.http import read_token
from portal.paths import database_path
from portal.showing import load_templates


def ui(project: Project, host: str, port: int | None, on_ready: Callable[[str], None]) -> None:
    """Serve a project's page until SIGINT or SIGTERM.

    Args:
        project: what it shows.
        host: address to listen on.
        port: port; 0 takes a free one; None: the settings' (8050).
        on_ready: called with a link for the person who started it, when the page answers.

    Raises:
        SettingsError: the address cannot be listened on, or others could reach the page and there is no key.
    """
    settings = project.settings
    key = _key(project, host)
    listener = listen(host, settings.portal_port if port is None else port)
    address = settings.portal_url or address_of(listener)
    access = Access(database_path(settings.home))
    stopping = Event()
    jobs = JobStore(settings.home, partial(ensure_worker, project))
    in_stack = os.environ.get(SERVICE_VARIABLE) == PORTAL
    tokens = {room: read_token(settings.worker_tokens, room) for room in SERVICES} if in_stack else {}
    asking: AbstractContextManager[Ask] = nullcontext(RemoteAsk()) if in_stack else Children(settings).warm()
    with asking as ask, present(project):
        ensure_worker(project)
        Thread(target=_warm, args=(project,), daemon=True).start()
        app = make_app(
            project, access, ask=ask, jobs=jobs, stopping=stopping, worker_tokens=tokens,
            hosts=[_host(address)], key=key,
        )  # fmt: skip
        run_server(
            app,
            listener,
            settings,
            lambda status, _, message: refused(status, message),
            lambda: on_ready(_way_in(access, address, in_stack)),
            stopping.set,
        )


def _warm(project: Project) -> None:
    """Load what the first page would have to wait for; what is away is told by the page that needs it."""
    load_templates()
    with suppress(AdaptmlError):
        project.database.tables()


def invitation(project: Project, name: str, port: int | None = None) -> str:
    """A link that lets a person into a project's page, once, within 7 days.

    Args:
        project: whose page it is.
        name: under which what the person does is recorded.
        port: where the page listens, if not where the settings say.

    Raises:
        SettingsError: a name that cannot be one.
    """
    settings = project.settings
    address = settings.portal_url or f"http://127.0.0.1:{settings.portal_port if port is None else port}"
    return _link(Access(database_path(settings.home)), name, address)


def _way_in(access: Access, address: str, in_stack: bool) -> str:
    """A link for who started the page; in the stack, whose log others read, how to get one."""
    if in_stack:
        return f"{address}, with a link that `docker exec {PORTAL} adaptml ui --invite NAME` prints"
    return _link(access, getpass.getuser(), address)


def _link(access: Access, name: str, address: str) -> str:
    # After # it is sent to no server by itself, so that it stays out of logs and of the next page's referrer.
    return f"{without_user(address).rstrip('/')}/enter#{access.invite(name)}"


def _host(address: str) -> str:
    host = urlsplit(address).hostname or ""
    return f"[{host}]" if ":" in host else host


def _key(project: Project, host: str) -> str:
    """The key that people give beside their link; empty where only this machine's programs reach the page.

    A container listens on all its addresses, and is reached under the one that its port is published on.
    """
    url = project.settings.portal_url
    if is_loopback(_host(url) if url else host):
        return ""
    path = project.settings.api_key_file
    key = read_key(path)
    if not url or not key:
        raise SettingsError(
            f"other machines could reach the page on {host}: write a key of {MIN_KEY_CHARS} characters or "
            f"more into {path}, and set ADAPTML_PORTAL_URL to the address that people open it by"
        )
    return key
