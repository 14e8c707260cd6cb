"""The map of a table: a sample's vectors in a plane, coloured; a region of it with its rows and words."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from fastapi import APIRouter, Request, Response

from adaptml.browsing.known import known_of
from adaptml.browsing.paging import rows_among
from adaptml.browsing.projection import METHODS, vector_columns
from adaptml.database.facts import kind
from adaptml.project import Project
from adaptml.reports.html import Html, element
from portal.asks import Ask
from portal.data.asked import Asked, point_address
from portal.data.found import corners_of
from portal.showing import ask_of, project_of, show

router = APIRouter()
COLOURS = ("gold", "label", "prediction", "votes")
MOST_CLASSES = 7  # with a colour of their own
SHOWN_ROWS = 20
OTHER, NONE, SEVERAL = "other classes", "none", "several classes"
SIDE = 1000  # of the picture's own units


@router.get("/data/{table}/map")
def map_page(
    request: Request, table: str, column: str = "", colour: str = "", method: str = "pca"
) -> Response:
    """The map's page; the map itself is loaded after."""
    project, asked = project_of(request), Asked.of(request, table)
    columns = vector_columns(project.points, table)
    chosen = column or next(iter(columns), "")
    return show(
        request, "data/map.html", asked=asked, task=asked.task or None, columns=columns, column=chosen,
        colour=_colour(asked, colour), colours=COLOURS if asked.task else (), method=method, methods=METHODS,
        tasks=project.task_names(),
    )  # fmt: skip


@router.get("/data/{table}/map/picture")
def picture(request: Request, table: str, column: str, colour: str = "", method: str = "pca") -> Response:
    """The map as a picture, and of a region its rows and words."""
    project, ask, asked = project_of(request), ask_of(request), Asked.of(request, table)
    made = ask("map_of", table=table, column=column, method=method)
    groups = _groups(project, ask, asked, _colour(asked, colour), made["ids"])
    region: dict[str, Any] = {}
    if asked.region:
        corners = corners_of(asked.region)[1]
        asked = replace(asked, region=" ".join([made["key"], *(f"{corner:g}" for corner in corners)]))
        region = _region(project, ask, asked, made["key"], corners)
    names = _coloured(groups)
    return show(
        request, "data/map.html", "picture", asked=asked, made=made, names=names,
        svg=_svg(made["xy"], groups, [name for name, _ in names], made["of"]), region=region,
        link=lambda key: point_address(table, key, asked.task), method=method, n=len(made["ids"]),
    )  # fmt: skip


def _colour(asked: Asked, colour: str) -> str:
    if not asked.task:
        return ""
    return colour if colour in COLOURS else COLOURS[0]


def _groups(project: Project, ask: Ask, asked: Asked, colour: str, ids: Sequence[str]) -> list[str]:
    """What each row is coloured by."""
    if not colour:
        return [NONE] * len(ids)
    if colour == "votes":
        states = ask("run_states", task=asked.task, table=asked.table, ids=list(ids))["states"]
        return [state or NONE for state in states]
    known = known_of(project, asked.task, asked.table, ids)
    labels: list[list[str] | None] = []
    for key in ids:
        found = known[key]
        result = found.label if colour == "label" else found.prediction
        labels.append(found.gold if colour == "gold" else result.label if result else None)
    return [NONE if not label else label[0] if len(label) == 1 else SEVERAL for label in labels]


def _coloured(groups: Sequence[str]) -> list[tuple[str, int]]:
    """The groups with their numbers of rows, as they are coloured: frequent classes by themselves."""
    counted = Counter(groups)
    none = counted.pop(NONE, 0)
    names = sorted(counted.items(), key=lambda found: (-found[1], found[0]))
    shown, rest = names[:MOST_CLASSES], names[MOST_CLASSES:]
    if rest:
        shown = [*shown, (OTHER, sum(count for _, count in rest))]
    return [*shown, *([(NONE, none)] if none else [])]


def _svg(xy: Sequence[Sequence[float]], groups: Sequence[str], names: Sequence[str], of: str) -> Html:
    """One path a group, each point a line of no length with a round end: ten bytes a row."""
    paths: dict[str, list[str]] = {name: [] for name in reversed(names)}  # rows of no group lie below
    for (x, y), group in zip(xy, groups, strict=True):
        name = group if group in paths else OTHER
        paths[name].append(f"M{10 * x:.0f} {SIDE - 10 * y:.0f}h0")
    drawn = [
        element("path", element("title", name), class_=f"points {_kind(names, name)}", d="".join(marks))
        for name, marks in paths.items()
    ]
    title = element("title", f"A map of {len(xy):,} rows ({of})")
    box = element("rect", class_="region", x=0, y=0, width=0, height=0, id="region-box")
    frame = element("rect", class_="frame", x=-10, y=-10, width=SIDE + 20, height=SIDE + 20)
    return element(
        "svg", title, frame, *drawn, box, class_="map", id="map", viewBox=f"-20 -20 {SIDE + 40} {SIDE + 40}",
        role="img",
    )  # fmt: skip


def _kind(names: Sequence[str], name: str) -> str:
    """The class that colours a group, in the picture and in its legend."""
    return "none" if name == NONE else f"p{list(names).index(name)}"


def _region(project: Project, ask: Ask, asked: Asked, key: str, corners: list[float]) -> dict[str, Any]:
    """The rows in a rectangle of the map, the first of them, and the words that mark them."""
    ids = ask("map_region", key=key, corners=corners)["ids"]
    columns = project.database.columns(asked.table)
    text = next((name for name, type_ in columns.items() if name != "id" and kind(type_) == "text"), "")
    words = ask("region_words", key=key, corners=corners, column=text) if text and ids else {"words": []}
    rows = rows_among(project.database, asked.table, ids[:SHOWN_ROWS], columns=[text] if text else [])
    return {"n": len(ids), "rows": rows, "words": words, "text": text, "corners": corners}
