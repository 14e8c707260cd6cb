"""What every endpoint uses: pages from templates, and what belongs to a request."""

from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from fastapi import Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from adaptml.project import Project
from adaptml.reports.html import Html

if TYPE_CHECKING:
    from portal.asks import Ask
    from portal.jobs import JobStore


def show(
    request: Request, template: str, block: str | None = None, status: int = 200, **context: Any
) -> HTMLResponse:
    """A page, or one block of its template for htmx to put in place.

    Args:
        request: the request that is answered.
        template: its path below `portal/templates`.
        block: name of the block; None for the whole page.
        status: the answer's HTTP status.
        **context: what the template shows.
    """
    found = environment().get_template(template)
    said = {
        "request": request,
        "person": person_of(request),
        "nonce": request.state.nonce,
        "task": None,
        **context,
    }
    if block is None:
        return HTMLResponse(found.render(said), status)
    return HTMLResponse("".join(found.blocks[block](found.new_context(said))), status)


def go(request: Request, path: str) -> Response:
    """After a write: on to another page of this one's address, for a form as for htmx."""
    if "hx-request" in request.headers:
        return Response(headers={"HX-Redirect": path})
    return RedirectResponse(path, 303)


def project_of(request: Request) -> Project:
    """The project that the page shows."""
    project: Project = request.app.state.project
    return project


def person_of(request: Request) -> str:
    """The name of who asks; empty where nobody is logged in, as on the page that lets people in."""
    return request.state.person or ""


def jobs_of(request: Request) -> "JobStore":
    """The jobs of the project."""
    jobs: JobStore = request.app.state.jobs
    return jobs


def ask_of(request: Request) -> "Ask":
    """What answers questions for which a room is needed, outside this process."""
    ask: Ask = request.app.state.ask
    return ask


@cache
def environment() -> Environment:
    """The templates: everything in them is escaped but what `adaptml.reports.html` made."""
    made = Environment(
        loader=PackageLoader("portal"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"html": _html, "quoted": _quoted, "day": _day}
    return made


def load_templates() -> None:
    """Compile every template now, so that nobody waits for it later."""
    for name in environment().list_templates(extensions=["html"]):
        environment().get_template(name)


def _html(made: object) -> Markup:
    """Markup that our own functions made; anything else is escaped."""
    return Markup(made) if isinstance(made, Html) else Markup.escape("" if made is None else made)  # noqa: S704


def _quoted(text: object) -> str:
    """A text as one part of an address's path or query."""
    return quote(str(text), safe="")


def _day(when: datetime | str) -> str:
    """A time for people, to the minute."""
    found = datetime.fromisoformat(when) if isinstance(when, str) else when
    return found.astimezone().strftime("%Y-%m-%d %H:%M")
