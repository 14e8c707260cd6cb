"""The services beside the page: whether each answers, and where people find it."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from http.client import HTTPException
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

import sqlalchemy as sa

from adaptml.errors import AdaptmlError, one_line
from adaptml.masking import without_user
from adaptml.project import Project
from adaptml.settings import Settings
from portal.asks import Ask
from portal.asks.kinds import ANNOTATION, LABELLING, MODELLING

PATIENCE_S = 1.5
BAD_REQUEST = 400
ROOMS = (LABELLING, MODELLING, ANNOTATION)
_SCHEMES = ("http", "https")


@dataclass(frozen=True)
class Service:
    """A service beside the page.

    Attributes:
        name: what people find there.
        link: its address for people; empty where there is none to open.
        health: address that says whether it answers; empty where nothing has to be asked.
        note: what to know of it.
        room: `labelling`, `modelling` or `annotation`: its worker asks, where only that container reaches the
            service; empty where the page does.
    """

    name: str
    link: str = ""
    health: str = ""
    note: str = ""
    room: str = ""


@dataclass(frozen=True)
class Health:
    """A service, and whether it answers.

    Attributes:
        service: which.
        answers: whether it does; None for one that runs in no process of its own.
        text: what it said, in a few words.
    """

    service: Service
    answers: bool | None
    text: str


def services_of(settings: Settings) -> list[Service]:
    """The services that a project's settings name: `services`, else those of this machine."""
    if settings.services:
        return [_listed(part) for part in settings.services.split(";") if part.strip()]
    tracking, service = without_user(settings.tracking_uri), f"http://{settings.host}:{settings.port}"
    label_studio = without_user(settings.label_studio_url).rstrip("/")
    found = [Service("Label Studio", label_studio, f"{label_studio}/health", "annotation")]
    if urlsplit(tracking).scheme in _SCHEMES:
        found.append(Service("MLflow", tracking, f"{tracking.rstrip('/')}/health", "runs and models"))
    else:
        found.append(Service("MLflow", note=f"runs and models, in files of {settings.home}"))
    docs = Service("Prediction service", f"{service}/docs", f"{service}/health", "started by adaptml serve")
    return [*found, docs]


def _listed(part: str) -> Service:
    """`NAME|LINK|HEALTH|ROOM`, the last ones of which may be missing: without HEALTH, nobody is asked."""
    name, link, health, room = (word.strip() for word in [*part.split("|"), "", "", ""][:4])
    return Service(name, without_user(link), health, room=room if room in ROOMS else "")


def healths(services: Sequence[Service], ask: Ask) -> list[Health]:
    """Ask all services at once.

    Args:
        services: which.
        ask: reaches a service that only the container of a room does.
    """
    with ThreadPoolExecutor(max_workers=8) as pool:
        return list(pool.map(partial(_health, ask), services))


def database_health(project: Project) -> Health:
    """Whether the database of the data tables answers."""
    try:
        database = project.database
        service = Service("Database", note=database.name)
        with database.translated(), database.engine.connect() as connection:
            connection.execute(sa.select(sa.literal(1)))
    except AdaptmlError as error:
        return Health(Service("Database"), False, one_line(error))
    return Health(service, True, "answers")


class _NoRedirect(HTTPRedirectHandler):
    """A health address is what was set; it is followed nowhere else."""

    def redirect_request(self, *_arguments: object) -> None:
        """None: the redirection itself is the answer."""


def _health(ask: Ask, service: Service) -> Health:
    if not service.health:
        return Health(service, None, "")
    if not service.room:
        return Health(service, *answers(service.health))
    try:
        found = ask(f"health_{service.room}", address=service.health)
    except AdaptmlError:
        return Health(service, False, f"the worker of {service.room} does not answer")
    return Health(service, found["answers"], found["text"])


def answers(address: str) -> tuple[bool, str]:
    """Whether a service answers at an address, and what it said, in a few words."""
    if urlsplit(address).scheme not in _SCHEMES:
        return False, f"{address} is no address of a service"
    request = Request(address, headers={"accept": "application/json, text/plain"})  # noqa: S310 - http only
    try:
        with build_opener(_NoRedirect).open(request, timeout=PATIENCE_S) as answer:
            status = answer.status
    except HTTPError as error:
        status = error.code
    except (URLError, OSError, HTTPException, ValueError):
        return False, "does not answer"
    return status < BAD_REQUEST, "answers" if status < BAD_REQUEST else f"says {status}"
