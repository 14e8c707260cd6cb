"""The page of a task: where it stands, what it asks, and the way to everything else."""

from urllib.parse import quote

from fastapi import APIRouter, Request, Response

from adaptml.standing.data import task_tables
from adaptml.tasks.scaffold import PLACEHOLDERS
from portal.jobs.steps import order
from portal.showing import ask_of, go, jobs_of, person_of, project_of, show

router = APIRouter()


@router.get("/tasks/{task}")
def overview(request: Request, task: str, check: str | None = None) -> Response:
    """The page of a task; with what a check of it on a table finds, where one is named."""
    of_task = project_of(request).task(task)
    return show(
        request, "new_task/overview.html", task=task, of_task=of_task, placeholders=PLACEHOLDERS, check=check
    )


@router.get("/tasks/{task}/tables")
def tables(request: Request, task: str) -> Response:
    """The tables that have the task's columns, each with what can be computed of it."""
    project = project_of(request)
    found = task_tables(project, project.task(task))
    return show(request, "new_task/tables.html", task=task, tables=found)


@router.get("/tasks/{task}/findings")
def findings(request: Request, task: str, table: str = "") -> Response:
    """What a check finds."""
    project_of(request).task(task)
    found = ask_of(request)("check_task", task=task, table=table)["findings"]
    return show(request, "new_task/findings.html", findings=found)


@router.post("/tasks/{task}/featurize/{table}")
def featurize(request: Request, task: str, table: str) -> Response:
    """Compute what rules and models read, of all new and changed rows."""
    project_of(request).task(task)
    job = jobs_of(request).start(order("featurize", task, data=table), by=person_of(request), task=task)
    return go(request, f"/jobs/{job.id}")


def address_of(task: str) -> str:
    """The page of a task."""
    return f"/tasks/{quote(task, safe='')}"
