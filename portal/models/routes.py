"""Page 7: champions and versions, promote and roll back, try a model, and why it answers as it does."""

import json
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request, Response

from adaptml.errors import AdaptmlError, ModelError, one_line
from adaptml.settings import Settings
from portal.jobs.steps import order
from portal.models import drawing
from portal.runs.drawing import glyph
from portal.runs.forms import data_tables
from portal.runs.seen import seen_of
from portal.showing import ask_of, go, jobs_of, person_of, project_of, show

TEXT = "text_"  # before the name of a column, in the address
MOST_CHARS = 8_000  # of a text to try, which stands in the address
router = APIRouter()


@router.get("/tasks/{task}/models")
def models(request: Request, task: str) -> Response:
    """The versions, and a place to try one; both are read after."""
    known = project_of(request).task(task).name
    query = request.url.query
    return show(request, "models/models.html", task=known, query=query, tries=bool(_asked(request)[0]))


@router.get("/tasks/{task}/models/list")
def listed(request: Request, task: str) -> Response:
    """The versions of a task's end models."""
    found = ask_of(request)("model_versions", task=task)
    return show(request, "models/_list.html", task=task, models=found["models"])


@router.get("/tasks/{task}/models/form")
def form(request: Request, task: str) -> Response:
    """The form to try a version."""
    project, ask = project_of(request), ask_of(request)
    found = ask("model_versions", task=task)["models"]
    if not found:
        return show(request, "models/_form.html", task=task, model=None)
    asked, values = request.query_params, _asked(request)[1]
    model = next((one for one in found if one["name"] == asked.get("model")), found[0])
    version = asked.get("version") or model["champion"] or model["versions"][0]["version"]
    columns = ask("model_columns", task=task, model=model["name"], version=version)
    return show(
        request,
        "models/_form.html",
        task=task,
        model=model,
        version=version,
        values=values,
        asked=asked,
        tables=data_tables(project),
        most_chars=MOST_CHARS,
        **columns,
    )


@router.get("/tasks/{task}/models/answer")
def answer(request: Request, task: str) -> Response:
    """What a version says, and why."""
    asked, _ = _asked(request)
    version = request.query_params.get("version", "")
    found = ask_of(request)("explained", task=task, version=version, **asked)
    settings = project_of(request).settings
    point = asked.get("point")
    return show(
        request,
        "models/_answer.html",
        task=task,
        draw=drawing,
        seen=seen_of(project_of(request), task),
        point=point,
        query=request.url.query,
        curl=_curl(settings, found["model"], point) if point else "",
        **found,
    )


@router.get("/tasks/{task}/models/votes")
def votes(request: Request, task: str) -> Response:
    """What the rules say of the same."""
    asked, _ = _asked(request)
    try:
        found = ask_of(request)("row_votes", task=task, **asked)["votes"]
    except AdaptmlError as error:
        return show(request, "models/_votes.html", votes=[], problem=one_line(error))
    return show(request, "models/_votes.html", votes=found, problem="")


@router.get("/tasks/{task}/models/{model}/{version}/deploy")
def before_deploying(request: Request, task: str, model: str, version: str) -> Response:
    """What would change."""
    known = project_of(request).task(task).name
    return show(request, "models/deploy.html", task=known, model=model, version=version)


@router.get("/tasks/{task}/models/{model}/{version}/change")
def change(request: Request, task: str, model: str, version: str) -> Response:
    """The figures of a version beside the champion's."""
    found = ask_of(request)("model_gain", task=task, model=model, version=version)
    if found["version"] is None:
        raise ModelError(
            f"task {task!r} has no model {model!r} of version {version!r}; choose one of its list"
        )
    return show(request, "models/_change.html", task=task, model=model, glyph=glyph, **found)


@router.post("/tasks/{task}/models/{model}/{version}/deploy")
def deploy(request: Request, task: str, model: str, version: str) -> Response:
    """Make a version the champion, as a job."""
    known = project_of(request).task(task).name
    words = order("deploy", model, version=version, by=person_of(request))
    job = jobs_of(request).start(words, person_of(request), known)
    return go(request, f"/jobs/{job.id}")


def _asked(request: Request) -> tuple[dict[str, Any], Mapping[str, str]]:
    """What a version is asked about, as its address says, and the texts by column; empty for nothing."""
    query = request.query_params
    texts = {name.removeprefix(TEXT): value for name, value in query.items() if name.startswith(TEXT)}
    if query.get("id", "").strip():
        return {"point": [query.get("table", ""), query["id"].strip()], "texts": None}, texts
    if any(text.strip() for text in texts.values()):
        return {"point": None, "texts": {name: text[:MOST_CHARS] for name, text in texts.items()}}, texts
    return {}, texts


def _curl(settings: Settings, model: str, point: list[str]) -> str:
    """The same question to the prediction service, for a shell."""
    body = json.dumps({"table_name": [point[0]], "id": [point[1]]}).replace("'", "'\\''")
    address = f"http://{settings.host}:{settings.port}/predict_{model}"
    return f"curl -s {address} -H 'Content-Type: application/json' -d '{body}'"
