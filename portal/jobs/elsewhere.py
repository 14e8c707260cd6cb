"""The worker of a container of the stack: its jobs and questions come from the page's container."""

import tempfile
import threading
from pathlib import Path

from adaptml.errors import SettingsError
from adaptml.project import Project
from portal.asks.children import Children
from portal.asks.kinds import KINDS
from portal.asks.remote import SERVICES
from portal.jobs.http import Page, RemoteBoard, answer_questions, read_token
from portal.jobs.worker import Worker


def work_elsewhere(project: Project, service: str, stop: threading.Event) -> None:
    """Be the worker of a container, until it is stopped; it waits quietly where no page runs.

    Args:
        project: of the container; its settings name the page.
        service: name of the container.
        stop: is set when the worker is to end.

    Raises:
        SettingsError: the container has no room, or its token is not there.
    """
    settings = project.settings
    room = next((room for room, name in SERVICES.items() if name == service), "")
    if not room:
        raise SettingsError(
            f"the container {service!r} is nobody's worker; expected one of {', '.join(SERVICES.values())}"
        )
    page = Page(settings.worker_url, read_token(settings.worker_tokens, room))
    mine = {name: kind for name, kind in KINDS.items() if kind.room == room}
    with (
        Children(settings, kinds=mine) as ask,
        tempfile.TemporaryDirectory(prefix="adaptml-jobs-") as scratch,
    ):
        answer_questions(page, ask, stop)
        Worker(RemoteBoard(page), [room], settings.root, Path(scratch), stop).work()
