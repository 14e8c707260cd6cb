"""What to fix next: what a run found, and sending points of it to people."""

import json
from collections import defaultdict
from collections.abc import Mapping
from functools import partial
from hashlib import sha256
from typing import Annotated, Any

import pandas as pd
from fastapi import APIRouter, Form, Query, Request, Response

from adaptml.browsing.conditions import Condition
from adaptml.errors import AdaptmlError, AnnotationError, one_line
from adaptml.fixing.result import GOLD
from adaptml.frames import KEYS, write_frame
from adaptml.project import Project
from portal.asks import Ask
from portal.data.asked import Asked
from portal.jobs.steps import order
from portal.runs.drawing import glyph
from portal.runs.seen import seen_of
from portal.showing import ask_of, go, jobs_of, person_of, project_of, show

ROWS = 25
RUNS_SHOWN = 30
SUSPECTS = "suspects"
router = APIRouter()


@router.get("/tasks/{task}/fix")
def fix(request: Request, task: str, run: str = "") -> Response:
    """The page; runs and what they found are read after."""
    known = project_of(request).task(task).name
    return show(request, "fixing/fix.html", task=known, run=run, query=request.url.query)


@router.get("/tasks/{task}/fix/found")
def found(
    request: Request,
    task: str,
    run: str = "",
    list_: Annotated[str, Query(alias="show")] = SUSPECTS,
    source: str = GOLD,
    place: Annotated[int, Query(ge=0)] = 0,
    start: Annotated[int, Query(ge=0)] = 0,
) -> Response:
    """What the chosen run, else the newest one that was compared with gold, says that should be fixed."""
    ask, project = ask_of(request), project_of(request)
    spec = project.task(task)
    runs, problems = _runs(ask, spec.name)
    chosen = run or (runs[0]["run_id"] if runs else "")
    asked = {"show": list_, "source": source, "place": place, "start": start}
    answer = _read(ask, runs, task=spec.name, run_id=chosen, **asked) if chosen else None
    return show(
        request, "fixing/found.html", task=spec.name, runs=runs, run=chosen, problems=problems, found=answer,
        seen=seen_of(project, spec.name), glyph=glyph, rows_of_page=ROWS, key=_key_text,
        list_=list_, source=source, place=place, start=start,
        in_data=partial(_in_data, spec.name),
    )  # fmt: skip


@router.post("/tasks/{task}/fix/send")
def send(request: Request, task: str, point: Annotated[list[str] | None, Form()] = None) -> Response:
    """Send the ticked points to Label Studio: somebody else settles gold, other points are annotated."""
    project, jobs = project_of(request), jobs_of(request)
    spec = project.task(task)
    by_table: dict[str, list[str]] = defaultdict(list)
    for text in point or []:
        table, key = _read_key(text)
        by_table[table].append(key)
    if not by_table:
        raise AnnotationError("no point was ticked; tick those that people should look at")
    made = []
    for table, ids in by_table.items():
        data = _kept(project, spec.name, table, ids)
        words = order("annotate push", spec.name, data=data, n=len(ids), sampling="suspicious")
        made.append(jobs.start(words, by=person_of(request), task=spec.name))
    return go(request, f"/jobs/{made[0].id}" if len(made) == 1 else "/jobs")


def _runs(ask: Ask, task: str) -> tuple[list[dict[str, Any]], list[str]]:
    """The complete runs that were compared with gold, those of `train` first, the newest first."""
    runs, problems = [], []
    for kind in ("runs_of_modelling", "runs_of_labelling"):
        try:
            runs += ask(kind, task=task)["runs"]
        except AdaptmlError as error:
            problems.append(one_line(error))
    wanted = [
        run for run in runs
        if run["status"] == "FINISHED" and run["on_gold"] is not None and run["step"] in ("train", "label")
    ]  # fmt: skip
    wanted.sort(key=lambda run: (run["step"] == "train", str(run["started"])), reverse=True)
    return wanted[:RUNS_SHOWN], [*dict.fromkeys(problems)]


def _read(ask: Ask, runs: list[dict[str, Any]], **asked: Any) -> dict[str, Any]:
    """The answer of the room that knows the run."""
    steps = {run["run_id"]: run["step"] for run in runs}
    room = "labelling" if steps.get(asked["run_id"]) == "label" else "modelling"
    return ask(f"to_fix_of_{room}", **asked)


def _key_text(row: Mapping[str, Any]) -> str:
    """A point as a field of a form holds it."""
    return json.dumps([row["table_name"], row["id"]])


def _read_key(text: str) -> tuple[str, str]:
    try:
        table, key = json.loads(text)
    except (ValueError, TypeError) as error:
        raise AnnotationError(f"{text[:80]!r} is no point; load the page again") from error
    return str(table), str(key)


def _kept(project: Project, task: str, table: str, ids: list[str]) -> str:
    """A file of points that the job reads, wherever it is done; the same points are the same file."""
    name = sha256("\0".join([table, *sorted(ids)]).encode("utf-8", "surrogatepass")).hexdigest()[:12]
    frame = pd.DataFrame({KEYS[0]: table, KEYS[1]: ids}, dtype=object)
    return str(write_frame(frame, project.settings.annotations(task) / f"suspicious_{name}.parquet"))


def _in_data(task: str, one: Mapping[str, Any]) -> str:
    """Where the rows of a slice are listed, in the table of its points; empty where nothing finds them."""
    if not one["conditions"] or not one["table"]:
        return ""
    conditions = tuple(Condition(*condition) for condition in one["conditions"])
    return Asked(one["table"], task, conditions=conditions).address()
