"""How far annotation has got, and Label Studio: set up, fetch, take in an export."""

from collections import Counter
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response, UploadFile

from adaptml.errors import AnnotationError
from adaptml.files import replacing
from adaptml.gold_labels.core import RANK
from adaptml.gold_labels.home import GoldHome, counting
from portal.annotation.common import page, start, task_of
from portal.showing import ask_of, project_of

router = APIRouter()
CHOICES = {
    "majority": "majority: what most said; ties are dropped",
    "drop": "drop: only points on which all agree",
    "dawid-skene": "dawid-skene: people count by their estimated reliability",
    "random": "random: as majority, ties settled by the seed",
    "ground-truth": "ground-truth: what is marked as such in Label Studio",
}


@router.get("")
def overview(request: Request, task: str, live: bool = False) -> Response:
    """The first page of a task's annotation."""
    spec = task_of(request, task)
    home = GoldHome(project_of(request), task)
    rows = counting(found) if home.exists and len(found := home.rows()) else None
    origins = Counter() if rows is None else Counter(rows["origin"])
    counted = {name: origins[name] for name in RANK if origins[name]}
    return page(request, spec, "progress", live=live, origins=counted, choices=CHOICES)


@router.get("/server")
def server(request: Request, task: str) -> Response:
    """What Label Studio has, as a block."""
    spec = task_of(request, task)
    found = ask_of(request)("annotation_server", task=task)
    return page(request, spec, "progress", "server", found=found, choices=CHOICES)


@router.get("/standing")
def standing(request: Request, task: str, live: bool = False) -> Response:
    """How far each annotator has got, as a block."""
    spec = task_of(request, task)
    found = ask_of(request)("annotation_standing", task=task, live=live)["found"]
    return page(request, spec, "progress", "standing", found=found, live=live)


@router.post("/setup")
def setup(
    request: Request,
    task: str,
    people: Annotated[str, Form()] = "",
    per_point: Annotated[int | None, Form(ge=1, le=100)] = None,
    overlap: Annotated[int | None, Form(ge=0, le=100)] = None,
) -> Response:
    """Make or update the projects: one that all share, or one for each address."""
    task_of(request, task)
    emails = ",".join(people.replace(";", ",").replace(",", " ").split())
    if emails:
        share = None if overlap is None else f"{overlap / 100:g}"
        return start(request, task, "annotate setup", annotators=emails, overlap=share)
    return start(request, task, "annotate setup", annotators=per_point)


@router.post("/pull")
def pull(
    request: Request,
    task: str,
    choice: Annotated[str, Form()] = "majority",
    per_class: Annotated[bool, Form()] = False,
    accept_claims: Annotated[bool, Form()] = False,
) -> Response:
    """Fetch what people annotated."""
    task_of(request, task)
    return start(
        request, task, "annotate pull", choice=choice, per_class=per_class, accept_claims=accept_claims
    )


@router.post("/export")
def take_export(
    request: Request,
    task: str,
    file: UploadFile,
    choice: Annotated[str, Form()] = "majority",
    per_class: Annotated[bool, Form()] = False,
    accept_claims: Annotated[bool, Form()] = False,
) -> Response:
    """Take in an export of Label Studio's that was saved as a file."""
    spec = task_of(request, task)
    if not (file.filename or "").endswith(".json"):
        raise AnnotationError(
            f"the file is named {file.filename!r}; expected Label Studio's export as JSON, such as "
            "export.json"
        )
    path = project_of(request).settings.annotations(spec.name) / "uploaded_export.json"
    with replacing(path) as temporary:
        temporary.write_bytes(file.file.read())
    options = {"choice": choice, "per_class": per_class, "accept_claims": accept_claims}
    return start(request, spec.name, "process-annotations", path.name, **options)


@router.post("/measure")
def measure(request: Request, task: str) -> Response:
    """Measure agreement on what was fetched last."""
    task_of(request, task)
    return start(request, task, "annotator-agreement")
