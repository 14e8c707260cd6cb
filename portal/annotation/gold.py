"""The gold set: what is in it and from whom, one label changed or removed, spreadsheets out and in."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request, Response, UploadFile

from adaptml.errors import AdaptmlError, FrameError, listed, one_line
from adaptml.gold_labels.core import Origin
from adaptml.gold_labels.decisions import decide, decisions, remove, undo
from adaptml.labelled import GOLD_LABEL
from portal.annotation.common import address, page, task_of
from portal.annotation.gold_set import Wanted, found_gold, gold_page, rows_of
from portal.annotation.points import shown
from portal.showing import go, person_of, project_of

router = APIRouter()
DECISIONS_PER_PAGE = 50
SPREADSHEETS = (".csv", ".tsv", ".xlsx", ".jsonl", ".parquet")  # nothing that is run when it is read
_MEDIA = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "parquet": "application/vnd.apache.parquet",
}


@router.get("/gold")
def gold(
    request: Request,
    task: str,
    origin: str = "",
    named: str = "",
    part: str = "",
    who: str = "",
    only: str = "",
    n: Annotated[int, Query(ge=1)] = 1,
) -> Response:
    """The gold set."""
    spec, wanted = task_of(request, task), Wanted(origin, named, part, who, only)
    return gold_page(request, spec, wanted, n)


@router.get("/gold/history")
def history(request: Request, task: str, n: Annotated[int, Query(ge=1)] = 1) -> Response:
    """What people decided about single points."""
    spec = task_of(request, task)
    found = decisions(project_of(request), spec)
    first = (n - 1) * DECISIONS_PER_PAGE
    return page(
        request, spec, "history", decided=found[first : first + DECISIONS_PER_PAGE], total=len(found), n=n,
        per_page=DECISIONS_PER_PAGE,
    )  # fmt: skip


@router.get("/gold/edit")
def edit(request: Request, task: str, table: str, key: str, back: str = "") -> Response:
    """The form that changes or removes one label: as a block for htmx, else as a page."""
    spec, project, point = task_of(request, task), project_of(request), (table, key)
    rows = [
        row for row in rows_of(found_gold(project, spec).frame) if (row["table_name"], row["id"]) == point
    ]
    if not rows:
        raise FrameError(f"{table}/{key} has no gold label any more; load the page again")
    block = "form" if "hx-request" in request.headers else None
    return page(
        request, spec, "edit", block, point=point, origin=rows[0]["origin"], label=rows[0][GOLD_LABEL],
        back=back, parts=shown(project, spec, [point]).get(point),
    )  # fmt: skip


@router.post("/gold/change")
def change(
    request: Request,
    task: str,
    table: Annotated[str, Form()],
    key: Annotated[str, Form()],
    origin: Annotated[Origin, Form()],
    label: Annotated[list[str] | None, Form()] = None,
    why: Annotated[str, Form(max_length=2_000)] = "",
    back: Annotated[str, Form()] = "",
) -> Response:
    """Give a gold point another label: by adjudication where it was adjudicated, else by the page."""
    spec, chosen = task_of(request, task), [name for name in label or [] if name]
    kind = Origin.ADJUDICATION if origin is Origin.ADJUDICATION else Origin.PAGE
    decide(project_of(request), spec, (table, key), chosen, who=person_of(request), why=why, origin=kind)
    return go(request, address(task, "/gold") + _query(back))


@router.post("/gold/remove")
def take_out(
    request: Request,
    task: str,
    table: Annotated[str, Form()],
    key: Annotated[str, Form()],
    origin: Annotated[Origin, Form()],
    why: Annotated[str, Form(max_length=2_000)] = "",
    back: Annotated[str, Form()] = "",
) -> Response:
    """Remove a label from gold."""
    spec = task_of(request, task)
    remove(project_of(request), spec, (table, key), origin, who=person_of(request), why=why)
    return go(request, address(task, "/gold") + _query(back))


@router.post("/gold/undo")
def take_back(
    request: Request, task: str, number: Annotated[str, Form()], back: Annotated[str, Form()] = ""
) -> Response:
    """Take a decision back."""
    spec = task_of(request, task)
    undo(project_of(request), spec, number, who=person_of(request))
    return go(request, address(task, "/gold/history") + _query(back))


@router.get("/gold/export")
def export(request: Request, task: str, kind: str = "csv") -> Response:
    """What counts, as a file."""
    if kind not in _MEDIA:
        raise FrameError(f"gold is not written as {kind[:20]!r}; expected {listed([*_MEDIA])}")
    with _scratch() as folder:
        path = folder / f"{task_of(request, task).name}_gold.{kind}"
        project_of(request).gold(task, export=path)
        return _file(path)


@router.get("/gold/template")
def template(
    request: Request,
    task: str,
    table: str = "",
    n: Annotated[int, Query(ge=1, le=10_000)] = 50,
    seed: Annotated[int, Query(ge=0)] = 0,
) -> Response:
    """A spreadsheet to fill in: random points without gold, or with no table those that changed."""
    spec = task_of(request, task)
    kind = "xlsx" if find_spec("openpyxl") else "csv"
    with _scratch() as folder:
        name = f"{spec.name}_to_label_{n}_seed{seed}" if table else f"{spec.name}_changed"
        path = folder / f"{name}.{kind}"
        project_of(request).gold_template(spec, table or None, n if table else None, seed=seed, to=path)
        return _file(path)


@router.post("/gold/sheet")
def sheet(request: Request, task: str, file: UploadFile) -> Response:
    """Take in a spreadsheet that was filled in."""
    spec, name = task_of(request, task), _plain(file.filename or "")
    with _scratch() as folder:
        try:
            if Path(name).suffix.lower() not in SPREADSHEETS:
                kinds = listed(SPREADSHEETS, len(SPREADSHEETS))
                raise FrameError(f"the file is named {name!r}; expected a spreadsheet that ends in {kinds}")
            (folder / name).write_bytes(file.file.read())
            done = project_of(request).gold(spec, folder / name, who=person_of(request))
        except AdaptmlError as error:
            said = one_line(error).replace(f"{folder}/", "")  # what she sent has no folder for her
            return gold_page(request, spec, Wanted(), 1, wrong=said, status=422)
    return gold_page(request, spec, Wanted(), 1, taken=done.filled_lines())


def _plain(name: str) -> str:
    """The end of a file's name that a browser sent, such that it can be one here."""
    return "".join(c for c in Path(name).name if c.isprintable() and c not in "/\\")[-100:]


def _query(back: str) -> str:
    return f"?{back}" if back and "\n" not in back and "\r" not in back else ""


@contextmanager
def _scratch() -> Iterator[Path]:
    with TemporaryDirectory(prefix="adaptml-") as folder:
        yield Path(folder)


def _file(path: Path) -> Response:
    headers = {"content-disposition": f'attachment; filename="{path.name}"'}
    return Response(path.read_bytes(), media_type=_MEDIA[path.suffix[1:]], headers=headers)
