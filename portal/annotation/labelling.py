"""Labelling on the page: one point after the other, as gold of whoever looks at it."""

from typing import Annotated
from zlib import crc32

from fastapi import APIRouter, Form, Query, Request, Response

from adaptml.errors import AnnotationError
from adaptml.frames import KEYS
from adaptml.gold_labels.core import Origin, Point
from adaptml.gold_labels.decisions import decide, decisions, undo
from adaptml.gold_labels.home import GoldHome
from adaptml.gold_labels.reading import changed_points
from adaptml.project import Project
from adaptml.tasks import Task
from portal.annotation.common import address, page, task_of
from portal.annotation.points import data_tables, shown
from portal.showing import ask_of, go, person_of, project_of

router = APIRouter()
CHANGED = "changed"
OWN_SEEDS = 10_000


@router.get("/label")
def label_here(
    request: Request,
    task: str,
    table: str = "",
    seed: Annotated[int | None, Query(ge=0)] = None,
    of: str = "",
    after: str = "",
) -> Response:
    """The page; the point to label comes after, for drawing reads the table's ids.

    Args:
        request: the request.
        task: whose.
        table: where random points without gold are drawn from.
        seed: another one draws others; None for the person's own, so that two people are not asked the same.
        of: `changed` for the gold points that changed since they were labelled.
        after: id of the last point that was labelled or skipped.
    """
    spec = task_of(request, task)
    tables = data_tables(project_of(request), spec)
    chosen = table or (tables[0] if tables else "")
    seed = crc32(person_of(request).encode()) % OWN_SEEDS if seed is None else seed
    return page(request, spec, "label", tables=tables, table=chosen, seed=seed, of=of, after=after)


@router.get("/label/next")
def next_point(
    request: Request,
    task: str,
    table: str,
    seed: Annotated[int, Query(ge=0)] = 0,
    of: str = "",
    after: str = "",
) -> Response:
    """The next point, as a block."""
    spec, project = task_of(request, task), project_of(request)
    points = _waiting(request, spec, table, seed, of, after)
    point = points[0] if points else None
    parts = shown(project, spec, [point]) if point else {}
    mine = [one for one in decisions(project, spec)[:1] if one.who == person_of(request)]
    last = mine[0] if mine and mine[0].undone_by is None and mine[0].origin is Origin.PAGE else None
    return page(
        request, spec, "label", "next", point=point, parts=parts.get(point) if point else None,
        left=len(points), last=last, table=table, seed=seed, of=of, after=after,
    )  # fmt: skip


@router.post("/label")
def label_one(
    request: Request,
    task: str,
    table: Annotated[str, Form()],
    key: Annotated[str, Form()],
    label: Annotated[list[str] | None, Form()] = None,
    seed: Annotated[int, Form(ge=0)] = 0,
    of: Annotated[str, Form()] = "",
) -> Response:
    """Label a point, and go on to the next."""
    spec = task_of(request, task)
    chosen = [name for name in label or [] if name]
    if label is None:
        raise AnnotationError("no class was chosen; choose one, or none of the classes")
    decide(project_of(request), spec, (table, key), chosen, who=person_of(request))
    return _on(request, task, table, seed, of, key)


@router.post("/label/undo")
def take_back(
    request: Request,
    task: str,
    number: Annotated[str, Form()],
    table: Annotated[str, Form()],
    seed: Annotated[int, Form(ge=0)] = 0,
    of: Annotated[str, Form()] = "",
) -> Response:
    """Take the last label back; its point comes again."""
    spec = task_of(request, task)
    undo(project_of(request), spec, number, who=person_of(request))
    return _on(request, task, table, seed, of, "")


def _on(request: Request, task: str, table: str, seed: int, of: str, after: str) -> Response:
    """The next point: in place of the one before, or on a page of its own."""
    if "hx-request" in request.headers:
        return next_point(request, task, table, seed, of, after)
    return go(request, address(task, "/label", table=table, seed=seed or None, of=of, after=after))


def _waiting(request: Request, spec: Task, table: str, seed: int, of: str, after: str) -> list[Point]:
    """The points that wait for a label, the ones behind `after` first."""
    project = project_of(request)
    if of == CHANGED:
        try:
            found = changed_points(project, spec)
        except AnnotationError:  # none has changed
            return []
        ids = sorted(found.loc[found["table_name"] == table, "id"])
        return [(table, key) for key in sorted(ids, key=lambda key: (key <= after, key))]
    there = _with_gold(project, spec)
    ids = ask_of(request)("annotation_queue", task=spec.name, table=table, seed=seed)["ids"]
    start = ids.index(after) + 1 if after in ids else 0
    return [(table, key) for key in ids[start:] + ids[:start] if (table, key) not in there]


def _with_gold(project: Project, spec: Task) -> set[Point]:
    home = GoldHome(project, spec.name)
    return {*home.rows()[KEYS].itertuples(index=False, name=None)} if home.exists else set()
