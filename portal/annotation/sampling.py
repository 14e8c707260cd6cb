"""Sampling as a form that shows what it would draw; then it is sent to Label Studio, or written as a file."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from fastapi.responses import FileResponse

from adaptml.errors import AdaptmlError, one_line
from adaptml.project import Project
from adaptml.sampling.ways import WAYS
from adaptml.tasks import Task
from portal.annotation.common import page, start, task_of
from portal.annotation.points import data_tables
from portal.showing import ask_of, project_of

router = APIRouter()
MIXTURE = "mixture"
RUNS_SHOWN = 50
MOST = 100_000  # points that a form asks for; more than people annotate
_BY_NAME = {way.name: way for way in WAYS}
MIXED = [way.name for way in WAYS if way.mixes]


@dataclass(frozen=True)
class Asked:
    """The form as it was filled in; what cannot be is in `wrong`, by field."""

    table: str
    n: int
    way: str
    shares: dict[str, int]
    run: str
    by: str
    vector: str
    seed: int
    predictions: str
    wrong: dict[str, str]

    @property
    def sampling(self) -> str:
        """As `--sampling` takes it."""
        if self.way != MIXTURE:
            return self.way
        parts = [f"{name}:{share / 100:g}" for name, share in self.shares.items() if share]
        return ",".join(parts) if len(parts) > 1 else parts[0].partition(":")[0] if parts else ""

    @property
    def needs(self) -> set[str]:
        """What the ways that were chosen need."""
        chosen = [name for name, share in self.shares.items() if share] if self.way == MIXTURE else [self.way]
        return {_BY_NAME[name].needs for name in chosen if name in _BY_NAME}

    def options(self) -> dict[str, Any]:
        """What goes with the sampling; what no chosen way needs is left out."""
        return {
            "sampling": self.sampling,
            "run": self.run if "run" in self.needs and self.run else None,
            "by": self.by if "by" in self.needs and self.by else None,
            "vector": self.vector if "vector" in self.needs and self.vector else None,
            "seed": self.seed,
        }


def _read(given: dict[str, str]) -> Asked:
    """The form's values, checked."""
    wrong: dict[str, str] = {}

    def number(name: str, usual: int, low: int, high: int) -> int:
        text = given.get(name, "").strip()
        if text and not (text.isdecimal() and low <= int(text) <= high):
            wrong[name] = f"{text[:30]!r} was given; expected a number from {low:,} to {high:,}"
            return usual
        return int(text or usual)

    way = given.get("way", "random")
    shares = {name: number(f"share_{name}", 0, 0, 100) for name in MIXED} if way == MIXTURE else {}
    if way != MIXTURE and way not in _BY_NAME:
        wrong["way"], way = f"{way[:30]!r} is no way to choose points", "random"
    if shares and sum(shares.values()) != 100:
        wrong["shares"] = f"the shares add up to {sum(shares.values())} %; expected 100 %"
    asked = Asked(
        given.get("table", ""), number("n", 60, 1, MOST), way, shares, given.get("run", "").strip(),
        given.get("by", "").strip(), given.get("vector", "").strip(), number("seed", 0, 0, 2**32 - 1),
        given.get("predictions", "").strip(), wrong,
    )  # fmt: skip
    for name in ("run", "by"):
        if name in asked.needs and not getattr(asked, name):
            wrong[name] = "this way of choosing needs it"
    return asked


@router.get("/sample")
def sample(request: Request, task: str) -> Response:
    """The form, and below it what it would draw as soon as it was filled in."""
    spec = task_of(request, task)
    return _form(request, spec, _read(dict(request.query_params)), show="n" in request.query_params)


@router.get("/sample/preview")
def preview(request: Request, task: str) -> Response:
    """What the form would draw, as a block."""
    spec, asked = task_of(request, task), _read(dict(request.query_params))
    found, why = None, "; ".join(asked.wrong.values())
    if not why:
        try:
            found = ask_of(request)(
                "annotation_preview", task=task, table=asked.table, n=asked.n, **asked.options()
            )
        except AdaptmlError as error:  # a form that asks for what cannot be done: said below it
            why = one_line(error)
    return page(request, spec, "sample", "preview", asked=asked, found=found, why=why, mixed=MIXED)


@router.get("/sample/runs")
def runs(request: Request, task: str, run: str = "", predictions: str = "") -> Response:
    """The label runs that can be looked at, as a block."""
    spec = task_of(request, task)
    found = ask_of(request)("runs_of_labelling", task=task)["runs"]
    done = [one for one in found if one["status"] == "FINISHED"][:RUNS_SHOWN]
    return page(request, spec, "sample", "runs", runs=done, run=run, predictions=predictions)


@router.get("/files/{name}")
def file(request: Request, task: str, name: str) -> Response:
    """One of the files that were written for Label Studio."""
    found = _files(project_of(request), task_of(request, task)).get(name)
    if found is None:
        raise HTTPException(404, f"no file {name[:80]!r} was written for Label Studio")
    return FileResponse(found, filename=name, media_type="application/octet-stream")


def _files(project: Project, spec: Task) -> dict[str, Path]:
    """Name → file, of what `sample-tasks` wrote: the labelling page, the guide, the last task files first."""
    folder = project.settings.annotations(spec.name)
    tasks = sorted(folder.glob("tasks_*.json"), key=lambda path: path.stat().st_mtime, reverse=True)
    beside = [folder / f"{spec.name}_config.xml", folder / f"{spec.name}_guide.md"] if tasks else []
    return {path.name: path for path in [*tasks, *beside] if path.is_file()}


async def _typed(request: Request) -> dict[str, str]:
    return {name: value for name, value in (await request.form()).items() if isinstance(value, str)}


@router.post("/sample")
def draw(request: Request, task: str, given: Annotated[dict[str, str], Depends(_typed)]) -> Response:
    """Send what the form draws to Label Studio, or write it as a file for it."""
    spec, asked = task_of(request, task), _read(given)
    if asked.wrong:
        return _form(request, spec, asked, show=False, status=422)
    drawn = {"data": asked.table, "n": asked.n, **asked.options()}
    if given.get("to") == "file":
        return start(request, task, "sample-tasks", **drawn)
    return start(request, task, "annotate push", predictions=asked.predictions or None, **drawn)


def _form(request: Request, spec: Task, asked: Asked, show: bool, status: int = 200) -> Response:
    project = project_of(request)
    tables = data_tables(project, spec)
    table = asked.table or (tables[0] if tables else "")
    columns = project.database.columns(table) if table in tables else {}
    names = [name for name in columns if name != "id"]
    return page(
        request, spec, "sample", None, status, asked=asked, show=show and not asked.wrong, tables=tables,
        table=table, columns=names, vectors=list(spec.features),
        files=list(_files(project, spec)), ways=WAYS, mixture=MIXTURE, mixed=MIXED,
    )  # fmt: skip
