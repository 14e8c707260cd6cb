"""What the pages on annotation share: their addresses, their frame, starting a job."""

from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import Request, Response
from fastapi.responses import HTMLResponse

from adaptml.tasks import Task
from portal.jobs.steps import order
from portal.showing import go, jobs_of, person_of, project_of, show

# address below the task's annotation → name of the tab
TABS = {
    "": "Progress",
    "/sample": "Sample",
    "/agreement": "Agreement",
    "/disputed": "Disputed points",
    "/gold": "Gold",
    "/label": "Label here",
}
_HERE = {path[1:]: path for path in TABS if path} | {
    "history": "/gold",
    "edit": "/gold",
}  # template → its tab
LONG_AGO = 1970
FEW_CLASSES = 12  # above, a list to choose from takes the place of buttons


def address(task: str, path: str = "", **query: Any) -> str:
    """An address of the task's annotation; what is empty or None is left out of the query."""
    given = {name: value for name, value in query.items() if value not in (None, "", [])}
    asked = f"?{urlencode(given, doseq=True)}" if given else ""
    return f"/tasks/{quote(task, safe='')}/annotation{path}{asked}"


def page(
    request: Request, task: Task, template: str, block: str | None = None, status: int = 200, **context: Any
) -> HTMLResponse:
    """A page on a task's annotation, or a block of it."""
    return show(
        request, f"annotation/{template}.html", block, status,
        task=task.name, spec=task, tabs=TABS, here=_HERE.get(template, ""), base=address(task.name),
        few=FEW_CLASSES, **context,
    )  # fmt: skip


def task_of(request: Request, name: str) -> Task:
    """The task of an address."""
    return project_of(request).task(name)


def start(request: Request, task: str, step: str, *names: str, **options: Any) -> Response:
    """Start a step on the task, and go to its job's page."""
    job = jobs_of(request).start(order(step, task, *names, **options), by=person_of(request), task=task)
    return go(request, f"/jobs/{job.id}")


def when(made_at: Any) -> datetime | None:
    """When a label was made; None where that is not on record, which is kept as long ago or as nothing."""
    return made_at if isinstance(made_at, datetime) and made_at.year > LONG_AGO else None
