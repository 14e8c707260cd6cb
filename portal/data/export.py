"""What is shown of a table, as a file."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse, StreamingResponse
from starlette.background import BackgroundTask

from adaptml.browsing.export import export_csv, export_parquet
from adaptml.errors import FrameError
from portal.data.asked import Asked
from portal.data.found import searched
from portal.paths import folder
from portal.showing import ask_of, project_of

router = APIRouter()


@router.get("/data/{table}/export.csv")
def as_csv(request: Request, table: str) -> Response:
    """The rows that are shown, all pages, as CSV."""
    project, asked = project_of(request), Asked.of(request, table)
    found = searched(project, ask_of(request), asked, whole=True)
    _check(found.needs_a_job)
    lines = export_csv(project, found.query, asked.task or None)
    first = next(lines)  # what is wrong is said before the download begins
    return StreamingResponse(
        _after(first, lines), headers=_headers(table, "csv"), media_type="text/csv; charset=utf-8"
    )


@router.get("/data/{table}/export.parquet")
def as_parquet(request: Request, table: str) -> Response:
    """The same as Parquet, which every step takes as its data."""
    project, asked = project_of(request), Asked.of(request, table)
    found = searched(project, ask_of(request), asked, whole=True)
    _check(found.needs_a_job)
    own = folder(project.settings.home)
    own.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=own, prefix="export-", suffix=".parquet", delete=False) as made:
        path = Path(made.name)
    try:
        export_parquet(project, found.query, path, asked.task or None)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    remove = BackgroundTask(path.unlink, missing_ok=True)
    kind = "application/vnd.apache.parquet"
    return FileResponse(path, headers=_headers(table, "parquet"), media_type=kind, background=remove)


def _after(first: str, lines: Iterator[str]) -> Iterator[str]:
    yield first
    yield from lines


def _check(needs_a_job: bool) -> None:
    if needs_a_job:
        raise FrameError("the table has to be searched as a job first; start it on the page, then export")


def _headers(table: str, suffix: str) -> dict[str, str]:
    return {"content-disposition": f"attachment; filename*=UTF-8''{quote(f'{table}.{suffix}', safe='')}"}
