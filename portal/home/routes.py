"""The first page and its parts, which are read after it is there."""

from dataclasses import dataclass

from fastapi import APIRouter, Request, Response

from adaptml.browsing.counts import Count, count_rows
from adaptml.errors import TaskError, one_line
from adaptml.example import TABLE, TASK, add_example, has_example
from adaptml.importing.record import Record, read_records
from adaptml.project import Project
from adaptml.standing.data import data_tables
from adaptml.tasks import Task
from portal.home.services import database_health, healths, services_of
from portal.home.standing import address_of, standing_of
from portal.showing import ask_of, go, jobs_of, project_of, show

router = APIRouter()
RECENT_JOBS = 8


@dataclass(frozen=True)
class ListedTask:
    """A task as the first page lists it.

    Attributes:
        name: its name.
        task: what its file says; None where it cannot be read.
        problem: why it cannot be.
    """

    name: str
    task: Task | None
    problem: str = ""


@dataclass(frozen=True)
class ListedTable:
    """A data table as the first page lists it.

    Attributes:
        name: its name.
        rows: how many it has.
        columns: names of its columns, without the id.
        record: how it was imported last; None where no import made it.
    """

    name: str
    rows: Count
    columns: list[str]
    record: Record | None


@router.get("/")
def home(request: Request) -> Response:
    """The first page."""
    project = project_of(request)
    jobs = jobs_of(request).recent(RECENT_JOBS)
    tasks = [_listed(project, name) for name in project.task_names()]
    return show(
        request,
        "home/home.html",
        tasks=tasks,
        has_example=has_example(project),
        folder=project.settings.root,
        jobs=jobs,
    )


@router.get("/home/jobs")
def jobs(request: Request) -> Response:
    """The latest jobs."""
    return show(request, "home/home.html", "jobs", jobs=jobs_of(request).recent(RECENT_JOBS))


@router.get("/home/services")
def services(request: Request) -> Response:
    """The services, each asked whether it answers."""
    project = project_of(request)
    found = [database_health(project), *healths(services_of(project.settings), ask_of(request))]
    return show(request, "home/services.html", services=found)


@router.get("/home/tables")
def tables(request: Request) -> Response:
    """The data tables with their rows."""
    project = project_of(request)
    records = read_records(project.database)
    found = [_table(project, name, records.get(name)) for name in data_tables(project)]
    return show(request, "home/tables.html", tables=found)


@router.get("/tasks/{task}/standing")
def standing(request: Request, task: str, whole: bool = False) -> Response:
    """Where a task stands; the whole of it for the task's own page."""
    found = standing_of(project_of(request), ask_of(request), project_of(request).task(task))
    address = address_of(found.next_step, task)
    return show(
        request, "home/standing.html", standing=found, next=found.next_step, address=address, whole=whole
    )


@router.post("/example")
def example(request: Request) -> Response:
    """Put the example into the project, with its features and its gold, and begin the tour."""
    add_example(project_of(request))
    for kind in ("example_features", "example_gold"):
        ask_of(request)(kind)
    return go(request, f"/data/{TABLE}?task={TASK}&tour=1")


def _listed(project: Project, name: str) -> ListedTask:
    try:
        return ListedTask(name, project.task(name))
    except TaskError as error:
        return ListedTask(name, None, one_line(error))


def _table(project: Project, name: str, record: Record | None) -> ListedTable:
    columns = [column for column in project.database.columns(name) if column != "id"]
    return ListedTable(name, count_rows(project.database, name), columns, record)
