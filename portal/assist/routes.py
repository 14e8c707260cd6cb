"""The pages that help to write the next rule."""

from typing import Annotated, Any
from urllib.parse import quote, urlencode

import pandas as pd
from fastapi import APIRouter, Form, Query, Request, Response

from adaptml.errors import AdaptmlError, FrameError, one_line
from adaptml.gold_labels.decisions import undo
from adaptml.project import Project
from adaptml.rules.adding import add_rule, needs_feature
from adaptml.tasks import Task
from portal.assist.forms import KINDS, RuleForm, columns_for, rule_of, usual_likeness
from portal.assist.labels import RowLabel, label_row, my_last, row_context, row_label
from portal.showing import ask_of, go, person_of, project_of, show

router = APIRouter(prefix="/tasks/{task}/assist")

AMONG = {
    "uncovered": "uncovered rows",
    "wrong": "rows of the class that rules get wrong",
    "all": "all rows",
}
AGAINST = {
    "classes": "rows of other classes",
    "rest": "all other rows",
    "voted": "rows that have votes",
}
NOTHING = {"label": "", "column": "", "among": "", "against": ""}
NEAR = 20
MOST_SEEDS = 200  # rows of a rule whose neighbours are looked for
MOST_CHARS = 600


@router.get("")
def start(request: Request, task: str, table: str = "") -> Response:
    """What can be done for the next rule."""
    return _panel(request, task, "assist/start.html", table, last=_last(request, task))


@router.get("/words")
def words(
    request: Request,
    task: str,
    table: str,
    label: str = "",
    column: str = "",
    among: str = "uncovered",
    against: str = "classes",
) -> Response:
    """The form for words that mark a class; they come when it is there."""
    asked = {"label": label, "column": column, "among": among, "against": against}
    return _panel(request, task, "assist/start.html", table, last=_last(request, task), asked=asked)


@router.get("/words/list")
def words_list(
    request: Request, task: str, table: str, label: str, column: str, among: str, against: str
) -> Response:
    """The words."""
    asked: dict[str, Any] = {"label": label, "column": column, "among": among, "against": against}
    found = ask_of(request)("words", task=task, table=table, **asked)
    address = f"/tasks/{quote(task)}/assist/form?"
    common = {"table": table, "label": label, "column": column}
    phrases = [
        phrase
        | {"form": address + urlencode(common | {"kind": _kind(phrase["phrase"]), "words": phrase["phrase"]})}
        for phrase in found["phrases"]
    ]
    shown = found | asked | {"phrases": phrases, "among_text": AMONG[among], "against_text": AGAINST[against]}
    return show(request, "assist/words.html", "panel", task=task, **shown)


@router.get("/form")
def form(request: Request, task: str, asked: Annotated[RuleForm, Query()]) -> Response:
    """A form for a rule."""
    return _form(request, task, asked)


@router.get("/draft")
def draft(request: Request, task: str, asked: Annotated[RuleForm, Query()]) -> Response:
    """The code of a rule that is no rule yet, and what it would do."""
    project = project_of(request)
    found = project.task(task)
    shown: dict[str, Any] = {"task": task, "form": asked}
    try:
        source = rule_of(asked, project, found)
        rule = source.rule.model_dump_json(exclude={"language"}, exclude_none=True)
        effect = ask_of(request)("draft", task=task, table=asked.table, rule=rule)
    except AdaptmlError as error:
        return show(request, "assist/draft.html", "panel", problem=one_line(error), **shown)
    rows = {
        kind: _rows(project, found, [key for _, key in keys], asked.table)
        for kind, keys in effect.pop("rows").items()
    }
    return show(
        request,
        "assist/draft.html",
        "panel",
        problem="",
        source=source,
        adds_feature=needs_feature(found, source),
        effect=effect,
        rows=rows,
        **shown,
    )


@router.post("/form")
def save(request: Request, task: str, asked: Annotated[RuleForm, Form()]) -> Response:
    """Write the rule into the task's folder."""
    project = project_of(request)
    found = project.task(task)
    try:
        source = rule_of(asked, project, found)
        add_rule(project, found, source, who=person_of(request))
    except AdaptmlError as error:
        return _form(request, task, asked, one_line(error))
    query = urlencode({"table": asked.table, "rule": source.rule.name})
    return go(request, f"/tasks/{quote(task)}/rules?{query}")


@router.get("/near")
def near(
    request: Request,
    task: str,
    table: str,
    id: Annotated[list[str], Query()] = [],  # noqa: A002, B006 - the address says id
    rule: str = "",
    column: str = "",
) -> Response:
    """Rows like some rows, or uncovered rows like those of a rule; they come when the page is there."""
    project = project_of(request)
    found = project.task(task)
    columns = columns_for("like", project, found, table)
    query = urlencode({"table": table, "id": id, "rule": rule, "column": column}, doseq=True)
    given = _rows(project, found, id, table)
    context = {"ids": id, "rule": rule, "column": column or next(iter(columns), ""), "given": given}
    return _panel(request, task, "assist/near.html", table, columns=columns, query=query, **context)


@router.get("/near/rows")
def near_rows(
    request: Request,
    task: str,
    table: str,
    id: Annotated[list[str], Query()] = [],  # noqa: A002, B006 - the address says id
    rule: str = "",
    column: str = "",
) -> Response:
    """These rows."""
    project = project_of(request)
    found = project.task(task)
    to, only = id, None
    if rule:
        reached = ask_of(request)("reach", task=task, table=table, rule=rule)
        to, only = reached["hits"][:MOST_SEEDS], reached["uncovered"]
    if not to:
        raise FrameError("no row is there to compare with; choose a row, or a rule that votes on some")
    said = ask_of(request)("near", task=task, table=table, column=column, to=to, n=NEAR, only=only)
    cosines = dict(said["rows"])
    rows = _rows(project, found, list(cosines), table)
    context = {
        "table": table,
        "column": said["column"],
        "to": to,
        "rule": rule,
        "said": said,
        "cosines": cosines,
    }
    return show(request, "assist/near_rows.html", "panel", task=task, rows=rows, **context)


@router.get("/label")
def row(request: Request, task: str, table: str, id: str) -> Response:  # noqa: A002 - the address says id
    """What can be done with a row."""
    project = project_of(request)
    return _row_actions(request, project.task(task), row_label(project, project.task(task), table, id))


@router.post("/label")
def label(
    request: Request,
    task: str,
    table: Annotated[str, Form()],
    id: Annotated[str, Form()],  # noqa: A002 - the form says id
    name: Annotated[str, Form()] = "",
) -> Response:
    """Give a row a gold label; an empty name is none of the classes."""
    project = project_of(request)
    found = project.task(task)
    made = label_row(project, found, table, id, name, person_of(request))
    return _row_actions(request, found, made, written=True)


@router.post("/undo")
def take_back(request: Request, task: str, number: Annotated[str, Form()], row: str = "") -> Response:
    """Take a label back; with `row`, what can be done with the row follows, else the start."""
    project = project_of(request)
    found = project.task(task)
    gone = undo(project, found, number, who=person_of(request))
    if row:
        return _row_actions(request, found, row_label(project, found, *gone.point), written=True)
    query = urlencode({"table": gone.point[0]})
    return go(request, f"/tasks/{quote(task)}/rules?{query}")


def _panel(request: Request, task: str, template: str, table: str, **context: Any) -> Response:
    """A page, or what stands in the page of rules."""
    project = project_of(request)
    found = project.task(task)
    common = {
        "task": task, "table": table, "class_names": found.class_names, "kinds": KINDS,
        "among": AMONG, "against": AGAINST, "asked": NOTHING,
        "text_columns": columns_for("keywords", project, found, table) if table else [],
    }  # fmt: skip
    block = "panel" if "hx-request" in request.headers else None
    return show(request, template, block, **common | context)


def _form(request: Request, task: str, asked: RuleForm, problem: str = "") -> Response:
    project = project_of(request)
    found = project.task(task)
    columns = columns_for(asked.kind, project, found, asked.table)
    if asked.kind == "like" and not asked.above:
        column = asked.column or next(iter(columns), "")
        asked = asked.model_copy(update={"above": usual_likeness(project, asked, column)})
    examples = {
        "like": _rows(project, found, asked.like, asked.table),
        "unlike": _rows(project, found, asked.unlike, asked.table),
    }
    block = "panel" if "hx-request" in request.headers else None
    return show(
        request,
        "assist/form.html",
        block,
        400 if problem else 200,
        task=task,
        table=asked.table,
        class_names=found.class_names,
        takes_sets=found.problem.exclusive and len(found.class_names) > 2,
        kinds=KINDS,
        form=asked,
        columns=columns,
        examples=examples,
        problem=problem,
    )


def _row_actions(request: Request, task: Task, row: RowLabel, *, written: bool = False) -> Response:
    """What can be done with a row; after a write without htmx by way of its own address."""
    fragment = "hx-request" in request.headers
    if written and not fragment:
        query = urlencode({"table": row.table, "id": row.id})
        return go(request, f"/tasks/{quote(task.name)}/assist/label?{query}")
    return show(
        request,
        "assist/row.html",
        "panel" if fragment else None,
        row=row,
        **row_context(project_of(request), task),
    )


def _last(request: Request, task: str) -> Any:
    project = project_of(request)
    return my_last(project, project.task(task), person_of(request))


def _rows(project: Project, task: Task, ids: list[str], table: str) -> list[dict[str, Any]]:
    """What annotators see of some rows, in the order of the ids; rows that are gone are left out."""
    if not ids:
        return []
    there = project.database.columns(table)
    columns = [column.name for column in task.columns if column.name in there]
    keys = pd.DataFrame({"table_name": table, "id": ids}, dtype=str)
    frame = project.database.read(keys, columns, skip_missing=True)
    return [
        {
            "table": table,
            "id": row["id"],
            "cells": {
                name: "" if row[name] is None else str(row[name])[: MOST_CHARS + 1] for name in columns
            },
        }
        for row in frame.to_dict("records")
    ]


def _kind(phrase: str) -> str:
    return "phrase" if " " in phrase else "keywords"
