"""Page 6: run everything, the steps as forms, the runs, and what each found."""

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from adaptml.errors import AdaptmlError, TaskError, one_line
from adaptml.gold_labels.home import GoldHome
from adaptml.project import Project
from portal.asks import Ask
from portal.jobs.steps import order
from portal.runs import drawing
from portal.runs.everything import last_everything
from portal.runs.forms import Form, Values, compare_form, everything_form, label_form, train_form
from portal.runs.links import mlflow_page
from portal.runs.seen import seen_of
from portal.showing import ask_of, go, jobs_of, person_of, project_of, show

TITLES = {"label": "Label", "train": "Train an end model", "compare": "Is weak supervision worth it here?"}
router = APIRouter()


async def _typed(request: Request) -> dict[str, str]:
    """The fields of a form, whatever they are."""
    return {name: str(value) for name, value in (await request.form()).items()}


Typed = Annotated[dict[str, str], Depends(_typed)]


@router.get("/tasks/{task}/runs")
def runs(request: Request, task: str) -> Response:
    """The first button, the other steps, and the runs."""
    project = project_of(request)
    known = project.task(task).name
    return show(
        request,
        "runs/runs.html",
        task=known,
        form=everything_form(project, {}),
        everything=last_everything(jobs_of(request), known),
        at_work=[job for job in jobs_of(request).recent(20, known) if job.unfinished],
        page_of=partial(mlflow_page, project.settings),
    )


@router.get("/tasks/{task}/runs/everything")
def everything(request: Request, task: str) -> Response:
    """The last run of everything, as far as it is."""
    settings = project_of(request).settings
    return show(
        request,
        "runs/_everything.html",
        task=task,
        everything=last_everything(jobs_of(request), task),
        page_of=partial(mlflow_page, settings),
    )


@router.get("/tasks/{task}/runs/list")
def listed(request: Request, task: str) -> Response:
    """The runs of all steps, the newest first; each room says its own."""
    ask = ask_of(request)
    found, problems = [], []
    for kind in ("runs_of_labelling", "runs_of_modelling"):
        try:
            found += ask(kind, task=task)["runs"]
        except AdaptmlError as error:
            problems.append(one_line(error))
    found.sort(key=lambda run: str(run["started"]), reverse=True)
    return show(request, "runs/_list.html", task=task, runs=found, problems=[*dict.fromkeys(problems)])


@router.post("/tasks/{task}/runs/start/{step}")
def start(request: Request, task: str, step: str, typed: Typed) -> Response:
    """Start a step as a job."""
    task = project_of(request).task(task).name
    form = _form(request, task, step, typed)
    wrong = form.wrong(typed)
    if wrong:
        return _shown(request, task, form, wrong, 422)
    words = order(form.step, task, **form.options(typed))
    job = jobs_of(request).start(words, person_of(request), task)
    return go(request, f"/jobs/{job.id}")


@router.get("/tasks/{task}/runs/new")
def new(request: Request, task: str, step: str) -> Response:
    """A step as a form; its fields are read after."""
    known = project_of(request).task(task).name
    if step not in TITLES:
        raise TaskError(f"no step {step!r} to start here; expected one of {', '.join(TITLES)}")
    query = request.url.query
    return show(request, "runs/step.html", task=known, step=step, title=TITLES[step], query=query)


@router.get("/tasks/{task}/runs/fields")
def fields(request: Request, task: str, step: str) -> Response:
    """The fields of a step's form."""
    typed = {name: value for name, value in request.query_params.items() if name != "step"}
    return _shown(request, task, _form(request, task, step, typed), {})


@router.get("/tasks/{task}/runs/beside")
def beside(request: Request, task: str, run: Annotated[list[str], Query()] = []) -> Response:  # noqa: B006
    """Two runs beside each other."""
    if len(set(run)) != 2:
        raise TaskError(f"{len(set(run))} runs were chosen; expected two: tick two of the list")
    return show(request, "runs/beside.html", task=project_of(request).task(task).name, runs=run)


@router.get("/tasks/{task}/runs/difference")
def difference(request: Request, task: str, run: Annotated[list[str], Query()]) -> Response:
    """What is different between two runs."""
    found = _of_either(ask_of(request), "beside", task=task, run_ids=run)
    return show(
        request,
        "runs/_beside.html",
        task=task,
        seen=seen_of(project_of(request), task),
        draw=drawing,
        **found,
    )


@router.get("/tasks/{task}/runs/{run_id}")
def run(request: Request, task: str, run_id: str) -> Response:
    """One run; what it found is read after."""
    known = project_of(request).task(task).name
    return show(request, "runs/run.html", task=known, run_id=run_id, query=request.url.query)


@router.get("/tasks/{task}/runs/{run_id}/result")
def result(request: Request, task: str, run_id: str) -> Response:
    """What a run found."""
    project = project_of(request)
    found = _of_either(ask_of(request), "run", task=task, run_id=run_id)
    details = found["run"]
    return show(
        request,
        "runs/_result.html",
        task=task,
        draw=drawing,
        query=request.url.query,
        pages=[
            mlflow_page(project.settings, details["step"], details["experiment_id"], of)
            for of in ("", run_id)
        ],
        **found,
    )


@router.get("/tasks/{task}/runs/{run_id}/rows")
def rows(
    request: Request,
    task: str,
    run_id: str,
    rows: str = "wrong",
    gold: str = "",
    label: str = "",
    start: int = 0,
) -> Response:
    """The rows behind a number."""
    asked: Mapping[str, Any] = {"kind": rows, "gold": gold, "label": label, "start": max(start, 0)}
    found = _of_either(ask_of(request), "run_rows", task=task, run_id=run_id, **asked)
    seen = seen_of(project_of(request), task)
    return show(request, "runs/_rows.html", task=task, seen=seen, run_id=run_id, **{**asked, **found})


@router.get("/tasks/{task}/runs/{run_id}/log")
def log(request: Request, task: str, run_id: str) -> Response:
    """The end of a run's log."""
    found = _of_either(ask_of(request), "run_log", task=task, run_id=run_id)
    return show(request, "runs/_log.html", **found)


def _of_either(ask: Ask, question: str, /, **payload: Any) -> dict[str, Any]:
    """The answer of the room that knows a run: label runs are known to one, all others to the other."""
    try:
        return ask(f"{question}_of_labelling", **payload)
    except AdaptmlError as first:
        try:
            return ask(f"{question}_of_modelling", **payload)
        except AdaptmlError:
            raise first from None


def _form(request: Request, task: str, step: str, typed: Values) -> Form:
    project, ask = project_of(request), ask_of(request)
    if step == "run":
        return everything_form(project, typed)
    if step not in TITLES:
        raise TaskError(f"no step {step!r} to start here; expected one of {', '.join(TITLES)}")
    if step == "label":
        return label_form(project, typed, ask("label_choices", task=task), _has_gold(project, task))
    runs = [one for one in ask("runs_of_labelling", task=task)["runs"] if one["status"] == "FINISHED"]
    named = [(one["run_id"], _in_words(one)) for one in runs]
    choices = ask("train_choices", task=task)
    if step == "train":
        return train_form(typed, choices, named, _has_gold(project, task))
    return compare_form(typed, choices, named)


def _in_words(run: Mapping[str, Any]) -> str:
    points = "" if run["points"] is None else f", {run['points']:,.0f} points"
    return f"{run['started'][:16].replace('T', ' ')}, {run['model']}{points} ({run['run_id'][:8]})"


def _has_gold(project: Project, task: str) -> bool:
    home = GoldHome(project, task)
    return bool(home.exists and len(home.rows()))


def _shown(request: Request, task: str, form: Form, wrong: Mapping[str, str], status: int = 200) -> Response:
    """The fields alone, or the whole page where a browser without scripts sent them."""
    context: dict[str, Any] = {"task": task, "form": form, "wrong": wrong, "step": form.step}
    if "hx-request" in request.headers:
        return show(request, "runs/_fields.html", status=status, **context)
    return show(request, "runs/filled.html", status=status, title=form.title, **context)
