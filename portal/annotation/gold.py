"""The gold set: what is in it and from whom, one label changed or removed, spreadsheets out and in."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any
from urllib.parse import urlencode

import pandas as pd
from fastapi import APIRouter, Form, Query, Request, Response, UploadFile

from adaptml.errors import AdaptmlError, FrameError, listed, one_line
from adaptml.frames import KEYS
from adaptml.gold_labels.annotators import annotator_names
from adaptml.gold_labels.core import PARTS, RANK, Origin, Point
from adaptml.gold_labels.decisions import decide, decisions, remove, undo
from adaptml.gold_labels.home import GoldHome
from adaptml.gold_labels.reading import GoldLabels, gold_labels
from adaptml.labelled import GOLD_LABEL, renamed
from adaptml.project import Project
from adaptml.tasks import Task
from portal.annotation.common import address, page, task_of, when
from portal.annotation.points import data_tables, shown
from portal.showing import go, person_of, project_of

router = APIRouter()
PER_PAGE = 50
_SHOWN = [*KEYS, GOLD_LABEL, "origin", "who", "made_at", "part", "changed"]
DECISIONS_PER_PAGE = 50
NONE = "(none)"  # in the address, for points about none of the classes
SPREADSHEETS = (".csv", ".tsv", ".xlsx", ".jsonl", ".parquet")  # nothing that is run when it is read
_MEDIA = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "parquet": "application/vnd.apache.parquet",
}


@dataclass(frozen=True)
class Wanted:
    """Which gold points are shown; an empty value is no condition.

    Attributes:
        origin: how they were made.
        named: a class, or `NONE`.
        part: `tune` or `judge`.
        who: a person.
        only: `changed`: those that read otherwise now.
    """

    origin: str = ""
    named: str = ""
    part: str = ""
    who: str = ""
    only: str = ""

    def of(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Those of some gold points."""
        return frame[pd.Series([self._takes(row) for row in _rows(frame)], index=frame.index, dtype=bool)]

    def _takes(self, row: dict[str, Any]) -> bool:
        label = row[GOLD_LABEL]
        return (
            self.origin in ("", row["origin"])
            and (not self.named or (self.named in label if self.named != NONE else not label))
            and self.part in ("", row["part"])
            and (not self.who or self.who in _people(row["who"]))
            and (not self.only or row["changed"] is True)
        )


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
    return _gold_page(request, spec, wanted, n)


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
    rows = [row for row in _rows(_found(project, spec).frame) if (row["table_name"], row["id"]) == point]
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
            return _gold_page(request, spec, Wanted(), 1, wrong=said, status=422)
    return _gold_page(request, spec, Wanted(), 1, taken=done.filled_lines())


def _gold_page(
    request: Request, spec: Task, wanted: Wanted, n: int, status: int = 200, **more: Any
) -> Response:
    project = project_of(request)
    found = _found(project, spec)
    those = wanted.of(found.frame)
    first = (n - 1) * PER_PAGE
    rows = _rows(those.iloc[first : first + PER_PAGE])
    names = annotator_names(project, spec.name)
    asked = {name: value for name, value in asdict(wanted).items() if value}
    points: list[Point] = [(row["table_name"], row["id"]) for row in rows]
    context = {
        "rows": [_shown_row(row, names) for row in rows],
        "names": names,
        "texts": shown(project, spec, points),
        "counts": _counts(found.frame, spec),
        "tables": data_tables(project, spec),
        "back": urlencode(asked | ({"n": n} if n > 1 else {})),
        "link": f"{urlencode(asked)}&" if asked else "",
        "excel": bool(find_spec("openpyxl")),
        **({"wrong": "", "taken": []} | more),
    }
    return page(
        request, spec, "gold", None, status, wanted=wanted, total=len(those), all=len(found.frame), n=n,
        per_page=PER_PAGE, changed=found.changed, gone=len(found.gone), overruled=found.overruled, **context,
    )  # fmt: skip


def _rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): cell for name, cell in row.items()} for row in frame.to_dict("records")]


def _shown_row(row: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    people = [names.get(name, name) for name in _people(row["who"])]
    return row | {"made_at": when(row["made_at"]), "who": ", ".join(people)}


def _found(project: Project, spec: Task) -> GoldLabels:
    """The task's gold, with its labels by the names of now; empty where there is none."""
    home = GoldHome(project, spec.name)
    if not home.exists or home.rows().empty:
        empty = pd.DataFrame(columns=_SHOWN, dtype=object)
        return GoldLabels(empty, empty[KEYS], 0)
    found = gold_labels(project, spec.name)
    labels = renamed(found.frame[GOLD_LABEL], spec)
    found.frame[GOLD_LABEL] = pd.Series(labels, index=found.frame.index, dtype=object)
    return found


def _counts(frame: pd.DataFrame, spec: Task) -> dict[str, dict[str, int]]:
    """How many points have each value that can be asked for."""
    classes = Counter(name for label in frame[GOLD_LABEL] for name in label)
    none = sum(not len(label) for label in frame[GOLD_LABEL])
    origins, parts = Counter(frame["origin"]), Counter(frame["part"])
    people = Counter(name for who in frame["who"] for name in _people(who))
    known = [*spec.class_names, *sorted(set(classes) - set(spec.class_names))]
    return {
        "origin": {name: origins[name] for name in RANK if origins[name]},
        "named": {name: classes[name] for name in known} | ({NONE: none} if none else {}),
        "part": {name: parts[name] for name in PARTS},
        "who": dict(people.most_common()),
    }


def _plain(name: str) -> str:
    """The end of a file's name that a browser sent, such that it can be one here."""
    return "".join(c for c in Path(name).name if c.isprintable() and c not in "/\\")[-100:]


def _people(who: object) -> list[str]:
    return [name.strip() for name in who.split(",")] if isinstance(who, str) and who else []


def _query(back: str) -> str:
    return f"?{back}" if back and "\n" not in back and "\r" not in back else ""


@contextmanager
def _scratch() -> Iterator[Path]:
    with TemporaryDirectory(prefix="adaptml-") as folder:
        yield Path(folder)


def _file(path: Path) -> Response:
    headers = {"content-disposition": f'attachment; filename="{path.name}"'}
    return Response(path.read_bytes(), media_type=_MEDIA[path.suffix[1:]], headers=headers)
