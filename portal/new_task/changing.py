"""Changing a task's classes: what it would do is shown first, then it runs as a job."""

import csv
from collections.abc import Sequence
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Form, Query, Request, Response

from adaptml.errors import AdaptmlError, TaskError, one_line
from adaptml.stack.change_classes import words_of
from portal.showing import ask_of, go, jobs_of, person_of, project_of, show

router = APIRouter()
KEEP, RENAME, MERGE, SPLIT, DROP = WHATS = ("keep", "rename", "merge", "split", "drop")


@router.get("/tasks/{task}/classes")
def form(
    request: Request,
    task: str,
    name: Annotated[list[str] | None, Query()] = None,
    what: Annotated[list[str] | None, Query()] = None,
    into: Annotated[list[str] | None, Query()] = None,
    add: str = "",
    undo: bool = False,
) -> Response:
    """The form; where a change was chosen, with what it would do."""
    of_task = project_of(request).task(task)
    lines, problem, edits = [], "", {}
    try:
        edits = edits_of(name or [], what or [], into or [], add)
        if edits or undo:
            lines = ask_of(request)("preview_classes", task=task, edits=edits, undo=undo)["lines"]
    except AdaptmlError as error:
        problem = one_line(error)
    chosen = {one: (w, i) for one, w, i in zip(name or [], what or [], into or [], strict=False)}
    return show(
        request,
        "new_task/classes.html",
        task=task,
        of_task=of_task,
        whats=WHATS,
        chosen=chosen,
        add=add,
        undo=undo,
        lines=lines,
        problem=problem,
    )


@router.post("/tasks/{task}/classes")
def change(
    request: Request,
    task: str,
    name: Annotated[list[str] | None, Form()] = None,
    what: Annotated[list[str] | None, Form()] = None,
    into: Annotated[list[str] | None, Form()] = None,
    add: Annotated[str, Form()] = "",
    undo: Annotated[bool, Form()] = False,
) -> Response:
    """Change them, as a job."""
    project_of(request).task(task)
    edits = edits_of(name or [], what or [], into or [], add)
    if not edits and not undo:
        raise TaskError("no change of the classes was chosen; choose one, and look at what it would do")
    words = ["task", "classes", *words_of(edits, undo), "--yes", "--", task]
    job = jobs_of(request).start(words, by=person_of(request), task=task)
    return go(request, f"/jobs/{quote(str(job.id))}")


def edits_of(names: Sequence[str], whats: Sequence[str], intos: Sequence[str], add: str) -> dict[str, Any]:
    """The arguments of `change_classes`.

    Args:
        names: the classes that are there.
        whats: what is to be done with each, of `WHATS`.
        intos: what each becomes: a name, or for a split several with commas between.
        add: new classes, with commas between.

    Raises:
        TaskError: a class that is to become something, and nothing says what.
    """
    rename: dict[str, str] = {}
    merge: dict[str, list[str]] = {}
    split: dict[str, list[str]] = {}
    drop: list[str] = []
    for name, what, into in zip(names, whats, intos, strict=False):
        if what in (RENAME, MERGE, SPLIT) and not into.strip():
            raise TaskError(f"{name!r} is to become something; write beside it what")
        if what == RENAME:
            rename[name] = into.strip()
        elif what == MERGE:
            merge.setdefault(into.strip(), []).append(name)
        elif what == SPLIT:
            split[name] = _names(into)
        elif what == DROP:
            drop.append(name)
    found = {"rename": rename, "merge": merge, "split": split, "add": _names(add), "drop": drop}
    return {kind: value for kind, value in found.items() if value}


def _names(text: str) -> list[str]:
    """Names with commas between; one that holds a comma is in quotes."""
    row = next(csv.reader([text], skipinitialspace=True), [])
    return [name.strip() for name in row if name.strip()]
