"""The data page's addresses."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from fastapi import APIRouter, Request, Response

from adaptml.browsing.conditions import OPERATORS, Condition, operators
from adaptml.browsing.counts import EXACT_ROWS, SEARCHED_ROWS, Count, count_found, count_rows
from adaptml.browsing.distribution import distribution
from adaptml.browsing.find import found_before
from adaptml.browsing.known import known_of
from adaptml.browsing.paging import PAGE_ROWS, page
from adaptml.browsing.search import Hits, search
from adaptml.database.catalogue import OWN
from adaptml.errors import FrameError, UnknownColumnError, one_line
from adaptml.frames import KEYS
from adaptml.project import Project
from adaptml.tasks import Task
from portal.data import export, maps, media, points
from portal.data.asked import Asked, point_address, said
from portal.data.cells import media_address, media_kinds
from portal.data.found import Search, searched
from portal.jobs.steps import order
from portal.showing import ask_of, go, jobs_of, person_of, project_of, show

router = APIRouter()
for part in (export, maps, media, points):
    router.include_router(part.router)
NUMBER_OF_TABLES = 200


@router.get("/data")
def tables(request: Request, task: str = "") -> Response:
    """The data tables."""
    project = project_of(request)
    found = [(name, count_rows(project.database, name)) for name in data_tables(project)[:NUMBER_OF_TABLES]]
    return show(request, "data/tables.html", tables=found, task=task or None)


@router.get("/tasks/{task}/data")
def of_task(request: Request, task: str) -> Response:
    """The table that has a task's columns; all tables where that is not one."""
    project = project_of(request)
    wanted = {column.name for column in project.task(task).columns}
    fitting = [name for name in data_tables(project) if wanted <= set(project.database.columns(name))]
    if len(fitting) == 1:
        return Response(status_code=303, headers={"location": Asked(fitting[0], task).address()})
    return tables(request, task)


@router.get("/data/{table}")
def browse(request: Request, table: str) -> Response:
    """A table, page by page, with conditions."""
    project, asked = project_of(request), Asked.of(request, table)
    task, columns = _task(project, asked.task), project.database.columns(table)
    wrong, found, hits = "", None, None
    try:
        found = searched(project, ask_of(request), asked)
        if found.query.is_quick:  # else the rows are loaded after the page
            hits = _hits(project, found, asked)
    except (FrameError, UnknownColumnError) as error:
        wrong = one_line(error)
    context = _context(request, asked, task, columns) | {
        "wrong": wrong,
        "found": found,
        "later": hits is None,
    }
    rows = {} if hits is None else _rows(project, asked, task, hits)
    return show(request, "data/table.html", **context, **rows, status=400 if wrong else 200)


@router.get("/data/{table}/rows")
def rows(request: Request, table: str) -> Response:
    """The rows alone."""
    project, asked = project_of(request), Asked.of(request, table)
    task = _task(project, asked.task)
    found = searched(project, ask_of(request), asked)
    if found.needs_a_job:
        return show(request, "data/table.html", "long", asked=asked, rows_at_most=SEARCHED_ROWS)
    return show(
        request, "data/table.html", "rows", asked=asked, found=found, wrong="", later=False, said=said,
        **_rows(project, asked, task, _hits(project, found, asked)),
    )  # fmt: skip


@router.get("/data/{table}/count")
def count(request: Request, table: str) -> Response:
    """How many rows there are, as far as that is known soon."""
    project, asked = project_of(request), Asked.of(request, table)
    found = searched(project, ask_of(request), asked)
    database, query = project.database, found.query
    before = found.found or found_before(project, table, query.conditions)
    of_all, of_found = count_rows(database, table), None
    if before is not None and (found.found is not None or not asked.all_conditions) and not of_all.exact:
        of_found = Count(before.rows, True)
    elif query.facts:
        of_found = _counted_facts(found)
    elif query.conditions and not found.needs_a_job:
        of_found = Count(count_found(database, table, query.conditions), True)
    return show(
        request, "data/table.html", "count", asked=asked, of_all=of_all, of_found=of_found,
        before=before, filtered=bool(asked.all_conditions or asked.region), exact_rows=EXACT_ROWS,
    )  # fmt: skip


@router.post("/data/{table}/find")
def start_search(request: Request, table: str) -> Response:
    """Search the whole of a long table, or count it, as a job."""
    asked = Asked.of(request, table)
    own = [str(condition) for condition in asked.all_conditions if not condition.is_fact]
    job = jobs_of(request).start(order("find", table, condition=own), by=person_of(request))
    return go(request, f"/jobs/{job.id}")


@router.get("/data/{table}/condition")
def condition_fields(request: Request, table: str, c: str = "") -> Response:
    """The fields that go with a column that was chosen: operators, and values where these are few."""
    project, asked = project_of(request), Asked.of(request, table)
    fields = _fields(_task(project, asked.task), project.database.columns(table), c)
    return show(request, "data/table.html", "fields", asked=asked, **fields)


@router.get("/data/{table}/rules")
def rules(request: Request, table: str) -> Response:
    """What the newest label run offers to filter by."""
    asked = Asked.of(request, table)
    known = ask_of(request)("run_rules", task=asked.task, table=table)
    return show(request, "data/table.html", "rules", asked=asked, known=known, Condition=Condition)


@router.get("/data/{table}/distribution")
def spread(request: Request, table: str, column: str) -> Response:
    """How a column's values are spread on a sample."""
    project, asked = project_of(request), Asked.of(request, table)
    found = distribution(project, table, column, task=asked.task or None)
    block = "chart" if "hx-request" in request.headers else None
    return show(
        request, "data/distribution.html", block, asked=asked, spread=found, task=asked.task or None,
        name=said(Condition(column, "")).strip(),
    )  # fmt: skip


def data_tables(project: Project) -> list[str]:
    """The tables and views that hold data points."""
    found = []
    for name in project.database.tables():
        if name.startswith(OWN):
            continue
        columns = project.database.columns(name)
        if "id" in columns and not set(KEYS) <= set(columns):
            found.append(name)
    return found


def _hits(project: Project, found: Search, asked: Asked) -> Hits:
    if asked.before and not found.query.facts:
        query = found.query
        listed = page(project.database, asked.table, query.conditions, before=asked.before)
        return Hits(listed, listed.ids[-1] if listed.ids else None, True)
    return search(found.query, after=asked.after or None)


def _rows(project: Project, asked: Asked, task: Task | None, hits: Hits) -> dict[str, Any]:
    """What the list of rows shows."""
    known = {} if task is None else known_of(project, task.name, asked.table, hits.rows.ids)
    of_task = [
        name
        for name, there in (
            ("Gold", any(k.gold is not None for k in known.values())),
            ("Label", any(k.label is not None for k in known.values())),
            ("Prediction", any(k.prediction is not None for k in known.values())),
        )
        if there
    ]
    first = hits.rows.ids[0] if hits.rows.ids else ""
    goes_back = bool(asked.after or (asked.before and hits.rows.more)) and not asked.region and bool(first)
    only_keys = not any(c.is_fact for c in asked.conditions)
    return {
        "hits": hits,
        "known": known,
        "of_task": of_task,
        "media": media_kinds(task, hits.rows),
        "media_address": partial(media_address, folder=project.settings.media),
        "link": lambda key: point_address(asked.table, key, asked.task),
        "previous": asked.address(after="", before=first) if goes_back and only_keys else "",
        "following": asked.address(after=hits.after, before="") if hits.after else "",
        "page_rows": PAGE_ROWS,
    }


def _counted_facts(found: Search) -> Count:
    """Rows that a search finds within its time, and whether these are all."""
    hits = search(replace(found.query, columns=[]), n=EXACT_ROWS)
    return Count(len(hits.rows.ids), hits.after is None)


def _task(project: Project, name: str) -> Task | None:
    return project.task(name) if name else None


def _context(request: Request, asked: Asked, task: Task | None, columns: dict[str, Any]) -> dict[str, Any]:
    """What the page shows around the rows."""
    project = project_of(request)
    return {
        "asked": asked,
        "task": asked.task or None,
        "tasks": project.task_names(),
        "columns": list(columns),
        "facts": _facts(task),
        "said": said,
        "Condition": Condition,
        **_fields(task, columns, request.query_params.get("column", "")),
    }


def _facts(task: Task | None) -> list[tuple[str, str]]:
    """What a task knows that can be asked for: name in an address, and for people."""
    if task is None:
        return []
    names = ["@gold", "@label", "@prediction"]
    names += [f"{begin}{name}" for begin in ("@prob:", "@predicted:") for name in task.class_names]
    return [(name, said(Condition(name, "")).strip()) for name in names]


def _fields(task: Task | None, columns: dict[str, Any], column: str) -> dict[str, Any]:
    """Operators and values that go with a column; all operators where none is chosen yet."""
    values: Sequence[str] = ()
    if column in columns:
        allowed = operators(column, columns[column])
    elif column.startswith("@"):
        allowed = operators(column, None)
        values = task.class_names if task is not None and ":" not in column else ()
    else:
        allowed = OPERATORS
    return {"column": column, "allowed": allowed, "values": values}
