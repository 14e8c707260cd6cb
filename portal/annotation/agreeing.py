"""How far annotators agree, the points on which they differ, and settling them."""

import json
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response

from adaptml.errors import FrameError
from adaptml.gold_labels.annotators import annotator_names
from adaptml.gold_labels.core import Origin, Point
from adaptml.gold_labels.decisions import Decision, decide, decisions, undo
from adaptml.gold_labels.home import GoldHome
from adaptml.labelled import renamed
from adaptml.project import Project
from adaptml.tasks import Task
from adaptml.tasks.schema import ClassSpec
from portal.annotation.common import address, page, task_of, when
from portal.annotation.points import Part, shown
from portal.showing import ask_of, go, person_of, project_of

router = APIRouter()
PER_PAGE = 10
OPEN, SETTLED, ALL = "open", "settled", "all"


@dataclass(frozen=True)
class Side:
    """A label set that some annotators gave to a disputed point.

    Attributes:
        label: its class names.
        value: as the form sends it.
        people: who gave it, by name.
        notes: what some of them wrote or marked beside it.
    """

    label: list[str]
    value: str
    people: list[str]
    notes: list[str]


@dataclass(frozen=True)
class Card:
    """A disputed point as it is shown.

    Attributes:
        point: its key.
        distance: how far its labels are apart, in (0, 1].
        sides: what was said, what most said first.
        guide: the classes that were named, with their guide.
        parts: what annotators see of it; None where it is gone.
        settled: its adjudication: label, who, when, why and the decision's number, where it was decided here.
    """

    point: Point
    distance: float
    sides: list[Side]
    guide: list[ClassSpec]
    parts: list[Part] | None
    settled: dict[str, Any] | None


@router.get("/agreement")
def agreement(request: Request, task: str) -> Response:
    """The page on agreement; what it shows comes after."""
    return page(request, task_of(request, task), "agreement")


@router.get("/agreement/report")
def report(request: Request, task: str) -> Response:
    """The report, as a block."""
    spec = task_of(request, task)
    found = ask_of(request)("annotation_agreement", task=task)
    return page(request, spec, "agreement", "report", **found)


@router.get("/disputed")
def disputed(request: Request, task: str, show: str = OPEN, named: str = "", n: int = 1) -> Response:
    """The page of disputed points; its cards come after."""
    return page(request, task_of(request, task), "disputed", show=show, named=named, n=n)


@router.get("/disputed/cards")
def cards(request: Request, task: str, show: str = OPEN, named: str = "", n: int = 1) -> Response:
    """Some disputed points side by side, as a block.

    Args:
        request: the request.
        task: whose.
        show: `open`, `settled` or `all`.
        named: only those to which somebody gave this class.
        n: which page of them, from 1.
    """
    spec, project = task_of(request, task), project_of(request)
    answer = ask_of(request)("annotation_agreement", task=task)
    found = answer["found"]
    points = found["disputed"] if found else []
    settled = _settled(project, spec)
    wanted = [
        one
        for one in points
        if (show == ALL or (_key(one) in settled) == (show == SETTLED))
        and (not named or any(named in label for label in one["labels"].values()))
    ]
    first = max(0, n - 1) * PER_PAGE
    made = _cards(project, spec, wanted[first : first + PER_PAGE], answer["names"], settled)
    return page(
        request, spec, "disputed", "cards", cards=made, total=len(wanted), n=n, per_page=PER_PAGE,
        open=sum(_key(one) not in settled for one in points), all=len(points), show=show, named=named,
        measured=found is not None, annotations=answer["annotations"],
        cut=max(0, found["n_disputed"] - len(points)) if found else 0,
    )  # fmt: skip


@router.post("/settle")
def settle(
    request: Request,
    task: str,
    table: Annotated[str, Form()],
    key: Annotated[str, Form()],
    side: Annotated[str, Form()] = "",
    label: Annotated[list[str] | None, Form()] = None,
    why: Annotated[str, Form(max_length=2_000)] = "",
) -> Response:
    """Settle a point: with one of the sides, or with a label of one's own."""
    spec = task_of(request, task)
    chosen = _side(side) if side else [name for name in label or [] if name]
    if not side and label is None:
        raise FrameError("no label was chosen; choose what some annotators said, or name another")
    decide(
        project_of(request), spec, (table, key), chosen, who=person_of(request), why=why,
        origin=Origin.ADJUDICATION,
    )  # fmt: skip
    return _after(request, spec, (table, key))


@router.post("/settle/undo")
def unsettle(
    request: Request,
    task: str,
    number: Annotated[str, Form()],
    table: Annotated[str, Form()],
    key: Annotated[str, Form()],
) -> Response:
    """Take back what settled a point."""
    spec = task_of(request, task)
    undo(project_of(request), spec, number, who=person_of(request))
    return _after(request, spec, (table, key))


def _after(request: Request, spec: Task, point: Point) -> Response:
    """In place of the card the card as it is now; without htmx the page that has it."""
    if "hx-request" in request.headers:
        return _card(request, spec, point)
    return go(request, address(spec.name, "/disputed", show=ALL))


def _card(request: Request, spec: Task, point: Point) -> Response:
    project = project_of(request)
    answer = ask_of(request)("annotation_agreement", task=spec.name)
    points = answer["found"]["disputed"] if answer["found"] else []
    found = [one for one in points if _key(one) == point]
    if not found:
        raise FrameError(f"{point[0]}/{point[1]} is not among the disputed points; load the page again")
    (card,) = _cards(project, spec, found, answer["names"], _settled(project, spec))
    return page(request, spec, "disputed", "card", card=card)


def _side(text: str) -> list[str]:
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, list) or not all(isinstance(name, str) for name in found):
        raise FrameError(f"{text[:80]!r} is no label; choose one of those that the page shows")
    return found


def _key(one: dict[str, Any]) -> Point:
    return one["table_name"], one["id"]


def _cards(
    project: Project,
    spec: Task,
    points: list[dict[str, Any]],
    names: dict[str, str],
    settled: dict[Point, dict[str, Any]],
) -> list[Card]:
    texts = shown(project, spec, [_key(one) for one in points])
    return [
        Card(
            _key(one), one["distance"], _sides(one, names), _guide(spec, one["labels"]),
            texts.get(_key(one)), settled.get(_key(one)),
        )
        for one in points
    ]  # fmt: skip


def _sides(one: dict[str, Any], names: dict[str, str]) -> list[Side]:
    sides: dict[str, Side] = {}
    for person, label in one["labels"].items():
        value, name = json.dumps(label, ensure_ascii=False), names.get(person, person)
        side = sides.setdefault(value, Side(label, value, [], []))
        side.people.append(name)
        beside = one["beside"].get(person)
        if beside:
            words = [f"marked {', '.join(beside['words'])}"] if beside["words"] else []
            comment = [beside["comment"]] if beside["comment"] else []
            side.notes.append(f"{name}: {'; '.join(comment + words)}")
    return sorted(sides.values(), key=lambda side: -len(side.people))


def _guide(spec: Task, labels: dict[str, list[str]]) -> list[ClassSpec]:
    said = {name for label in labels.values() for name in label}
    return [one for one in spec.classes if one.name in said and (one.description or one.examples)]


def _settled(project: Project, spec: Task) -> dict[Point, dict[str, Any]]:
    """Point → its adjudication, in Label Studio or here."""
    home = GoldHome(project, spec.name)
    if not home.exists:
        return {}
    rows = home.rows()
    rows = rows[rows["origin"] == Origin.ADJUDICATION]
    here: dict[Point, Decision] = {}
    for one in decisions(project, spec) if len(rows) else []:
        if one.origin is Origin.ADJUDICATION and one.undone_by is None:
            here.setdefault(one.point, one)
    found: dict[Point, dict[str, Any]] = {}
    labels = renamed([[*label] for label in rows["label"]], spec)
    names = annotator_names(project, spec.name)
    for row, label in zip(rows.to_dict("records"), labels, strict=True):
        point = (row["table_name"], row["id"])
        decision = here.get(point)
        found[point] = {
            "label": label, "who": names.get(row["who"], row["who"]), "when": when(row["made_at"]),
            "why": decision.why if decision else "", "number": decision.number if decision else None,
        }  # fmt: skip
    return found
