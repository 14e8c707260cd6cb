"""The addresses of page 3."""

from contextlib import suppress
from threading import Lock
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response

from adaptml.errors import AdaptmlError, one_line
from adaptml.project import Project
from adaptml.tasks import Task
from adaptml.tasks.rule_file import (
    ChangedElsewhereError,
    difference,
    digest_of,
    read_rules,
    rules_path,
    save_rules,
    saves,
    text_of_save,
)
from portal.asks import AskError
from portal.assist.labels import row_context
from portal.rules.asked import Asked, AskedFor, tables_for
from portal.rules.drawn import charts
from portal.rules.looks import Kept, key_of
from portal.rules.table import lines
from portal.showing import ask_of, go, jobs_of, person_of, project_of, show

router = APIRouter()
ALL_ROWS = 2**31 - 1
NEAR = 20
_looks, _runs = Kept(), Kept()
_saving = Lock()  # between reading what the file holds and replacing it
Text = Annotated[str, Form()]


@router.get("/tasks/{task}/rules")
def page(request: Request, asked: AskedFor) -> Response:
    """The page: the editor at once, what the rules do once it is known."""
    project = project_of(request)
    task = project.task(asked.task)
    text = read_rules(task)
    tables, problem = tables_for(project, task)
    return show(
        request,
        "rules/page.html",
        task=task.name,
        asked=asked,
        tables=tables,
        problem=problem,
        text=text,
        base=digest_of(text),
        path=rules_path(task),
        words=_words(project, task, tables),
        last=next(iter(saves(project, task)), None),
        classes=task.class_names,
    )


@router.get("/tasks/{task}/rules/bench")
def bench(request: Request, asked: AskedFor) -> Response:
    """What the saved rules do."""
    return _bench(request, asked, read_rules(project_of(request).task(asked.task)), saved=True)


@router.post("/tasks/{task}/rules/bench")
def tried(request: Request, asked: AskedFor, text: Text) -> Response:
    """What rules that are not saved do."""
    return _bench(request, asked, _lines(text), saved=False)


@router.get("/tasks/{task}/rules/table")
def table(request: Request, asked: AskedFor) -> Response:
    """The table of the saved rules, sorted and filtered."""
    return _part(request, asked, "table", read_rules(project_of(request).task(asked.task)), saved=True)


@router.post("/tasks/{task}/rules/table")
def tried_table(request: Request, asked: AskedFor, text: Text) -> Response:
    """The same of rules that are not saved."""
    return _part(request, asked, "table", _lines(text), saved=False)


@router.get("/tasks/{task}/rules/rows")
def rows(request: Request, asked: AskedFor) -> Response:
    """Rows of a bucket by the saved rules."""
    return _rows(request, asked, read_rules(project_of(request).task(asked.task)))


@router.post("/tasks/{task}/rules/rows")
def tried_rows(request: Request, asked: AskedFor, text: Text) -> Response:
    """The same of rules that are not saved."""
    return _rows(request, asked, _lines(text))


@router.get("/tasks/{task}/rules/charts")
def drawn(request: Request, asked: AskedFor) -> Response:
    """The charts of the saved rules."""
    look = _look(request, asked, read_rules(project_of(request).task(asked.task)), saved=True)
    return show(
        request, "rules/charts.html", asked=asked, charts=charts(look, asked) if "rules" in look else []
    )


@router.get("/tasks/{task}/rules/run")
def since_run(request: Request, asked: AskedFor) -> Response:
    """The table with what changed since the last label run, which takes a while to be read."""
    with suppress(AdaptmlError):  # the table is as good as it can be without
        _runs.get(asked.task, lambda: ask_of(request)("last_label_run", task=asked.task) or {"coverage": {}})
    return table(request, asked)


@router.post("/tasks/{task}/rules/save")
def save(request: Request, asked: AskedFor, text: Text, base: Annotated[str, Form()]) -> Response:
    """Write the file and show what the rules do now; where it was changed elsewhere, show the difference."""
    project = project_of(request)
    task = project.task(asked.task)
    mine = _lines(text)
    try:
        with _saving:
            save_rules(project, task, mine, base=base, who=person_of(request))
    except ChangedElsewhereError as error:
        return _conflict(request, asked, task, mine, error.now)
    if "hx-request" not in request.headers:
        return go(request, asked.url())
    answer = _bench(request, asked, mine, saved=True)
    answer.headers["x-saved"] = digest_of(mine)
    return answer


@router.get("/tasks/{task}/rules/saves")
def history(request: Request, asked: AskedFor, number: int = 0) -> Response:
    """Every version of the file, and how one differs from the one before it."""
    project = project_of(request)
    task = project.task(asked.task)
    kept = saves(project, task)
    chosen = next((one for one in kept if one.number == number), next(iter(kept), None))
    diff: list[str] = []
    if chosen is not None:
        older = next((one for one in kept if one.number < chosen.number), None)
        before = "" if older is None else text_of_save(project, task, older.number)
        names = ("nothing" if older is None else f"save {older.number}", f"save {chosen.number}")
        diff = difference(before, text_of_save(project, task, chosen.number), names)
    now = digest_of(read_rules(task))
    return show(
        request, "rules/saves.html", task=task.name, asked=asked, kept=kept, chosen=chosen, diff=diff, now=now
    )


@router.post("/tasks/{task}/rules/back")
def back(
    request: Request, asked: AskedFor, number: Annotated[int, Form()], base: Annotated[str, Form()]
) -> Response:
    """Put a version back, as a new save."""
    project = project_of(request)
    task = project.task(asked.task)
    text = text_of_save(project, task, number)
    try:
        with _saving:
            save_rules(project, task, text, base=base, who=person_of(request))
    except ChangedElsewhereError as error:
        return _conflict(request, asked, task, text, error.now)
    return go(request, asked.url())


@router.post("/tasks/{task}/rules/draw")
def draw(request: Request, asked: AskedFor, seed: Annotated[int, Form()] = 0) -> Response:
    """Draw another sample."""
    ask_of(request)("draw", task=asked.task, table=asked.table, seed=seed)
    _looks.forget()
    return go(request, asked.url())


@router.post("/tasks/{task}/rules/all")
def all_rows(request: Request, asked: AskedFor) -> Response:
    """Start a job that tries the saved rules on every row."""
    argv = ["lfs", asked.task, f"--data={asked.table}", f"--n={ALL_ROWS}", "--fault-tolerant"]
    job = jobs_of(request).start(argv, by=person_of(request), task=asked.task)
    return go(request, f"/jobs/{job.id}")


def _bench(request: Request, asked: Asked, text: str, *, saved: bool) -> Response:
    if not asked.table:
        project = project_of(request)
        _, problem = tables_for(project, project.task(asked.task))
        return show(
            request, "rules/bench.html", problem=problem, no_table=True, **_context(request, {}, asked, saved)
        )
    look = _look(request, asked, text, saved=saved, rows=True)
    return show(
        request, "rules/bench.html", problem=None, no_table=False, **_context(request, look, asked, saved)
    )


def _part(request: Request, asked: Asked, part: str, text: str, *, saved: bool) -> Response:
    look = _look(request, asked, text, saved=saved)
    return show(request, f"rules/{part}.html", **_context(request, look, asked, saved))


def _context(request: Request, look: dict[str, Any], asked: Asked, saved: bool) -> dict[str, Any]:
    run = _runs.known(asked.task)
    task = project_of(request).task(asked.task)
    return {
        "look": look,
        "asked": asked,
        "saved": saved,
        "run": run,
        "lines": lines(look, asked, run) if "rules" in look else [],
        "rows": look.get("rows"),
        **row_context(project_of(request), task),
    }


def _rows(request: Request, asked: Asked, text: str) -> Response:
    look = _asked_rows(request, asked, text)
    return show(request, "rules/rows.html", **_context(request, look, asked, saved=False))


def _asked_rows(request: Request, asked: Asked, text: str) -> dict[str, Any]:
    return _ask(request, asked, text, saved=False, rows=_which(request, asked), only_rows=True)


def _which(request: Request, asked: Asked) -> dict[str, Any]:
    """Which rows are shown; those near to a row are found by their vectors."""
    if not asked.near:
        return asked.rows
    table, _, key = asked.near.partition("/")
    near = ask_of(request)("near", task=asked.task, table=table, to=[key], n=NEAR)
    return asked.rows | {"keys": [[table, found] for found, _ in near["rows"]]}


def _look(request: Request, asked: Asked, text: str, *, saved: bool, rows: bool = False) -> dict[str, Any]:
    """What rules do, from memory where it was just asked for."""
    project = project_of(request)
    key = key_of(project, project.task(asked.task), asked.table, text)
    known = _looks.known(key)
    if known is None:
        wanted = _which(request, asked) if rows else None
        look = _ask(request, asked, text, saved=saved, rows=wanted)
        if "rules" in look:
            _looks.get(key, lambda: {name: value for name, value in look.items() if name != "rows"})
        return look
    return known | ({"rows": _asked_rows(request, asked, text).get("rows")} if rows else {})


def _ask(request: Request, asked: Asked, text: str, **more: Any) -> dict[str, Any]:
    """Ask what rules do; the first time, draw the sample before."""
    ask = ask_of(request)
    question = {"task": asked.task, "table": asked.table, "text": text, "who": person_of(request), **more}
    try:
        look = ask("look", **question)
        if look.get("sample", True) is None:
            ask("draw", task=asked.task, table=asked.table, seed=0)
            look = ask("look", **question)
    except AskError as error:
        told = {"message": one_line(error), "line": error.line, "rule": error.rule}
        return {"sample": None, "problem": told, "printed": list(error.printed)}
    return look


def _conflict(request: Request, asked: Asked, task: Task, mine: str, now: str) -> Response:
    project = project_of(request)
    last = next(iter(saves(project, task)), None)
    who = last.who if last is not None and last.digest == digest_of(now) else ""
    part = "conflict" if "hx-request" in request.headers else None
    diff = difference(now, mine, ("in the file", "yours"))
    context = {"asked": asked, "mine": mine, "diff": diff, "who": who, "last": last, "base": digest_of(now)}
    return show(request, "rules/conflict.html", part, 409, task=task.name, **context)


def _words(project: Project, task: Task, tables: list[str]) -> list[dict[str, str]]:
    """What the editor completes: classes, columns, and what rules are made with."""
    columns = task.lf_features or (list(project.points.columns(tables[0])) if tables else [])
    made = [
        {"label": name, "type": "constant", "detail": "class", "apply": f'"{name}"'}
        for name in task.class_names
    ]
    made += [{"label": f"x.{name}", "type": "property", "detail": "column"} for name in columns]
    return made + [{"label": name, "type": "function", "detail": what} for name, what in _MADE_WITH.items()]


_MADE_WITH = {
    "keyword_lf": "name, keywords, class, column",
    "regex_lf": "name, pattern, class, column",
    "number_lf": "name, class, column, above=, below=",
    "labeling_function": "decorator",
    "lookup": "a file of words",
    "params.labels": "the classes",
}


def _lines(text: str) -> str:
    """A form's text with the ends of lines that files have."""
    return text.replace("\r\n", "\n")
