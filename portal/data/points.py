"""A point's page: everything that is known of it."""

from functools import partial

from fastapi import APIRouter, Request, Response

from adaptml.browsing.facts import Result
from adaptml.browsing.paging import Listed
from adaptml.browsing.point import Point, read_point, vector_text
from adaptml.database.facts import kind
from adaptml.tasks import Task
from portal.data.asked import Asked
from portal.data.cells import media_address, media_kinds
from portal.showing import ask_of, project_of, show

router = APIRouter()
SHOWN_CHARS = 20_000  # of one text; the export has the whole


@router.get("/data/{table}/points/{key:path}")
def point(request: Request, table: str, key: str, task: str = "") -> Response:
    """What databases and files know of a point; what runs know is loaded after."""
    project = project_of(request)
    found = read_point(project, table, key)
    asked = Asked(table, task)
    return show(
        request, "data/point.html", point=found, asked=asked, task=task or None, kinds=_kinds(found),
        media=_media(found, project.task(task) if task else None), tasks=project.task_names(),
        media_address=partial(media_address, folder=project.settings.media), shown_chars=SHOWN_CHARS,
        vector_text=vector_text, highest=_highest,
    )  # fmt: skip


@router.get("/data/{table}/runs-of-point")
def runs(request: Request, table: str, key: str, task: str) -> Response:
    """What each label run found of a point: votes by the rules' names, label, probabilities."""
    found = ask_of(request)("runs_of_point", task=task, table=table, key=key)["runs"]
    return show(request, "data/point.html", "runs", runs=found, of=task)


def _kinds(found: Point) -> dict[str, str]:
    return {name: kind(type_) for name, type_ in found.types.items()}


def _media(found: Point, task: Task | None) -> dict[str, str]:
    return media_kinds(task, Listed(list(found.cells), [found.id], [list(found.cells.values())], False))


def _highest(result: Result) -> list[tuple[str, float]]:
    """The classes by their probabilities, the highest first."""
    return sorted(result.probs.items(), key=lambda found: -found[1])[:5]
