"""Importing a file: uploaded with progress, looked at, then read by a job."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from fastapi.responses import JSONResponse

from adaptml.database.names import safe_name
from adaptml.errors import AdaptmlError, FrameError, one_line
from adaptml.importing.files import READERS
from adaptml.importing.ids import ON_DUPLICATE, REFUSE
from adaptml.importing.kinds import KINDS
from portal.jobs.steps import order
from portal.new_task.uploads import TooLargeError, receive, uploaded
from portal.showing import ask_of, go, jobs_of, person_of, project_of, show

router = APIRouter()
HASHED, NUMBERED = "", "#"  # choices of where ids come from, beside the columns


@dataclass(frozen=True)
class Choices:
    """How a file is to be read.

    Attributes:
        table: name of the table.
        ids: a column, `#` for the rows' numbers, or empty: the column id, else a hash of each row.
        on_duplicate: what becomes of rows that repeat an id.
        types: column → type, where it was chosen.
    """

    table: str
    ids: str
    on_duplicate: str
    types: dict[str, str]

    @property
    def options(self) -> dict[str, Any]:
        """The arguments of `import_table`."""
        named = {} if self.ids in (HASHED, NUMBERED) else {"id": self.ids}
        return named | {
            "number_rows": self.ids == NUMBERED,
            "on_duplicate": self.on_duplicate,
            "types": self.types,
        }


def _choices(
    table: str, ids: str, on_duplicate: str, column: list[str] | None, type_: list[str] | None
) -> Choices:
    types = {name: kind for name, kind in zip(column or [], type_ or [], strict=False) if kind in KINDS}
    duplicate = on_duplicate if on_duplicate in ON_DUPLICATE else REFUSE
    return Choices(table.strip(), ids, duplicate, types)


def asked_for(
    table: str = "",
    ids: str = "",
    on_duplicate: str = REFUSE,
    column: Annotated[list[str] | None, Query()] = None,
    type_: Annotated[list[str] | None, Query(alias="type")] = None,
) -> Choices:
    """The choices in an address."""
    return _choices(table, ids, on_duplicate, column, type_)


def typed(
    table: Annotated[str, Form()] = "",
    ids: Annotated[str, Form()] = "",
    on_duplicate: Annotated[str, Form()] = REFUSE,
    column: Annotated[list[str] | None, Form()] = None,
    type_: Annotated[list[str] | None, Form(alias="type")] = None,
) -> Choices:
    """The choices in a form."""
    return _choices(table, ids, on_duplicate, column, type_)


@router.get("/import")
def form(request: Request, choices: Annotated[Choices, Depends(asked_for)], file: str = "") -> Response:
    """The form for a file; where one was uploaded, with what would be read."""
    if not file:
        limit = project_of(request).settings.upload_limit_mb
        return show(request, "new_task/upload.html", kinds=sorted(READERS), limit_mb=limit)
    path = uploaded(project_of(request).settings.uploads, file)
    table = choices.table or usual_table(path)
    preview, problem = None, ""
    try:
        preview = ask_of(request)("preview_import", file=str(path), table=table, options=choices.options)
    except AdaptmlError as error:
        problem = one_line(error)
    return show(
        request,
        "new_task/import.html",
        file=file,
        name=path.name,
        table=table,
        choices=choices,
        on_duplicates=ON_DUPLICATE,
        kinds=KINDS,
        preview=preview,
        problem=problem or (preview or {}).get("problem", ""),
    )


@router.post("/import/upload")
async def upload(request: Request, name: str) -> Response:
    """Take a file, as the body of the request; JSON, for the script that sends it."""
    settings = project_of(request).settings
    try:
        number = await receive(request.stream(), name, settings.uploads, settings.upload_limit_mb)
    except FrameError as error:
        return JSONResponse({"error": one_line(error)}, 413 if isinstance(error, TooLargeError) else 422)
    return JSONResponse({"address": f"/import?file={number}"})


@router.post("/import")
def start(
    request: Request, choices: Annotated[Choices, Depends(typed)], file: Annotated[str, Form()]
) -> Response:
    """Import it, as a job."""
    path = uploaded(project_of(request).settings.uploads, file)
    named = {"id": choices.ids} if choices.ids not in (HASHED, NUMBERED) else {}
    words = order(
        "import",
        str(path),
        choices.table or usual_table(path),
        **named,
        number_rows=choices.ids == NUMBERED,
        on_duplicate=choices.on_duplicate,
        types=[f"{column}={kind}" for column, kind in choices.types.items()],
    )
    job = jobs_of(request).start(words, by=person_of(request))
    return go(request, f"/jobs/{job.id}")


def usual_table(path: Path) -> str:
    """A table's name that a file's name suggests."""
    stem = path.name.partition(".")[0].lower()
    return safe_name(stem) or "rows"
