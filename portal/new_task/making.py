"""A new task: a form that is checked while it is filled in."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form, Request, Response

from adaptml.browsing.paging import Listed, page
from adaptml.database import Database
from adaptml.database.facts import kind
from adaptml.errors import FeatureError, UnknownTableError
from adaptml.features.encoders import check_encoder, encoder_takes, list_encoders
from adaptml.standing.data import data_tables
from adaptml.tasks.draft import DEFAULT_ENCODER, DraftClass, TaskDraft
from adaptml.tasks.problems import PROBLEM_TYPES
from adaptml.tasks.schema import Column
from portal.showing import go, project_of, show

router = APIRouter()
TYPES = ("text", "image", "audio", "video", "number")
SHOWN_ROWS = 3
FEWEST_CLASSES = 2


@dataclass(frozen=True)
class TableColumns:
    """A table as the form shows it.

    Attributes:
        name: its name.
        kinds: column → what it holds.
        rows: its first rows.
        problem: why it cannot be shown.
    """

    name: str = ""
    kinds: dict[str, str] = field(default_factory=dict)
    rows: Listed | None = None
    problem: str = ""


def draft_of(
    name: Annotated[str, Form()] = "",
    title: Annotated[str, Form()] = "",
    description: Annotated[str, Form()] = "",
    setting: Annotated[str, Form()] = "multiclass",
    language: Annotated[str, Form()] = "en",
    encoder: Annotated[str, Form()] = DEFAULT_ENCODER,
    class_name: Annotated[list[str] | None, Form()] = None,
    class_description: Annotated[list[str] | None, Form()] = None,
    class_examples: Annotated[list[str] | None, Form()] = None,
    column_name: Annotated[list[str] | None, Form()] = None,
    column_type: Annotated[list[str] | None, Form()] = None,
) -> TaskDraft:
    """What was typed; classes without a name and columns without a type are left out."""
    texts = zip(class_name or [], class_description or [], class_examples or [], strict=False)
    columns = zip(column_name or [], column_type or [], strict=False)
    return TaskDraft(
        name=name.strip(),
        title=title.strip(),
        description=description.strip(),
        setting=setting,
        classes=[
            DraftClass(one.strip(), said.strip(), lines_of(lines))
            for one, said, lines in texts
            if one.strip()
        ],
        columns=[Column(name=one, type=kind) for one, kind in columns if kind in TYPES],  # type: ignore[arg-type]
        language=language.strip(),
        encoder=encoder,
    )


Draft = Annotated[TaskDraft, Depends(draft_of)]


@router.get("/tasks/new")
def form(request: Request, table: str = "") -> Response:
    """The empty form, with the columns of a table."""
    database = project_of(request).database
    tables = data_tables(project_of(request))
    chosen = table or (tables[0] if len(tables) == 1 else "")
    found = columns_of(database, chosen)
    draft = TaskDraft(name="", columns=_usual(found))
    return _form(request, draft, found, tables, {})


@router.get("/tasks/new/columns")
def columns(request: Request, table: str = "") -> Response:
    """The columns of a table that was chosen."""
    found = columns_of(project_of(request).database, table)
    return show(
        request, "new_task/columns.html", table=found, types=TYPES, chosen=_types(_usual(found)), problems={}
    )


@router.get("/tasks/new/class")
def another_class(request: Request) -> Response:
    """The fields of one more class."""
    return show(request, "new_task/class_fields.html", one=DraftClass(""), problem="", place=None)


@router.post("/tasks/new/check")
def check(request: Request, draft: Draft) -> Response:
    """What is wrong so far, each at its field; fields that nobody has filled in yet are let alone."""
    problems = problems_of(draft, project_of(request).settings.tasks_dir)
    filled = {name for name in ("name", "title") if getattr(draft, name)}
    filled |= {"classes"} if len(draft.classes) >= FEWEST_CLASSES else set()
    told = {
        name: text
        for name, text in problems.items()
        if name not in ("name", "title", "classes") or name in filled
    }
    return show(request, "new_task/problems.html", problems=told)


@router.post("/tasks/new")
def make(request: Request, draft: Draft, table: Annotated[str, Form()] = "") -> Response:
    """Make the task, or show what is wrong with what was typed."""
    project = project_of(request)
    problems = problems_of(draft, project.settings.tasks_dir)
    if problems:
        found = columns_of(project.database, table)
        return _form(request, draft, found, data_tables(project), problems, status=422)
    draft.make(project.settings.tasks_dir)
    return go(request, f"/tasks/{quote(draft.name, safe='')}?check={quote(table, safe='')}")


def _form(
    request: Request,
    draft: TaskDraft,
    table: TableColumns,
    tables: Sequence[str],
    problems: dict[str, str],
    status: int = 200,
) -> Response:
    classes = [*draft.classes, *[DraftClass("")] * (FEWEST_CLASSES - len(draft.classes))]
    return show(
        request,
        "new_task/new.html",
        status=status,
        draft=draft,
        classes=classes,
        table=table,
        tables=tables,
        types=TYPES,
        chosen=_types(draft.columns),
        settings=list(PROBLEM_TYPES),
        encoders=text_encoders(),
        problems=problems,
    )


def problems_of(draft: TaskDraft, tasks_dir: Path) -> dict[str, str]:
    """What is wrong with what was typed; a task of the name `new` would have this form's address."""
    found = draft.problems(tasks_dir)
    return (
        found | {"name": "this form has that address; choose another name"} if draft.name == "new" else found
    )


@cache
def text_encoders() -> list[str]:
    """Names of the encoders that read text and need no folder to be named with them."""
    return [name for name in list_encoders() if _reads_text(name)]


def _reads_text(encoder: str) -> bool:
    try:
        check_encoder(encoder)
        return encoder_takes(encoder) == "text"
    except FeatureError:
        return False


def lines_of(text: str) -> list[str]:
    """The lines of a field that are not empty."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def columns_of(database: Database, table: str) -> TableColumns:
    """A table with its first rows, for the choice of columns."""
    if not table:
        return TableColumns()
    try:
        kinds = {name: kind(type_) for name, type_ in database.columns(table).items() if name != "id"}
        return TableColumns(table, kinds, page(database, table, n=SHOWN_ROWS))
    except UnknownTableError as error:
        return TableColumns(table, problem=str(error))


def _usual(table: TableColumns) -> list[Column]:
    """The column with the longest texts, which is mostly what people are asked about."""
    if table.rows is None:
        return []
    lengths = {
        name: sum(len(str(row[place] or "")) for row in table.rows.cells)
        for place, name in enumerate(table.rows.columns)
        if table.kinds.get(name) == "text"
    }
    longest = max(lengths, key=lambda name: lengths[name], default=None)
    return [] if longest is None else [Column(name=longest)]


def _types(columns: Sequence[Column]) -> dict[str, str]:
    return {column.name: column.type for column in columns}
