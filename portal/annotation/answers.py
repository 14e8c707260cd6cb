"""Answers to the page's questions about annotation, as what JSON can hold."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from functools import lru_cache
from math import isfinite
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
from pydantic import TypeAdapter, ValidationError

from adaptml.feedback import COMMENT, WORDS
from adaptml.frames import KEYS, read_frame
from adaptml.gold_labels.core import Point
from adaptml.project import Project
from adaptml.sampling import SamplingOptions, draw_points
from labelstudio import reach as reaching
from labelstudio.agreement import Agreement
from labelstudio.agreement_report import MEASURES
from labelstudio.annotator_agreement import JSON
from labelstudio.precision import precision_lines
from labelstudio.standing import Standing, standing_kept, standing_now
from labelstudio.would_draw import would_draw

NONE = "none of the classes"
QUEUE = 1_000  # points that somebody who labels on the page is led through
MOST_DISPUTED = 5_000


def server(project: Project, *, task: str) -> dict[str, Any]:
    """What Label Studio has of a task, or why it cannot be reached."""
    return asdict(reaching.reach(project, task))


def standing(project: Project, *, task: str, live: bool) -> dict[str, Any]:
    """How far annotators have got: in Label Studio now, or as fetched last; `found` is None without any."""
    found = standing_now(project, task) if live else standing_kept(project, task)
    return {"found": None if found is None else _told(found)}


def _told(found: Standing) -> dict[str, Any]:
    told = asdict(found)
    for person, one in zip(told["people"], found.people, strict=True):
        counts = Counter(person.pop("classes")) + Counter({NONE: person.pop("none")})
        person |= {"left": one.left, "often": counts.most_common()}
    return told | {"read_at": None if found.read_at is None else found.read_at.isoformat()}


def preview(project: Project, *, task: str, table: str, n: int, **options: Any) -> dict[str, Any]:
    """What a sampling would draw; `options` as for `would_draw`."""
    found = would_draw(project, task, table, n, **options)
    rows = found.rows.drop(columns="table_name").to_dict("records")
    return {
        "n": len(found.sample.frame),
        "kinds": dict(found.kinds),
        "strata": dict(found.strata),
        "rows": [{str(name): _shown(cell) for name, cell in row.items()} for row in rows],
        "weighted": bool(found.sample.frame["inclusion_prob"].notna().all()),
        "asked": found.asked,
        "gold": found.gold,
        "empty": found.empty,
    }


def _shown(cell: Any) -> Any:
    if isinstance(cell, float):
        return cell if isfinite(cell) else None
    return None if pd.api.types.is_scalar(cell) and pd.isna(cell) else str(cell)


def agreement(project: Project, *, task: str) -> dict[str, Any]:
    """How far annotators agree, as it was last measured, and everybody's name.

    `annotations` says whether there are any; `found` is None where agreement was not measured; `stale` says
    that people annotated since.
    """
    folder = project.settings.annotations(task)
    annotated, path = folder / "ann_df.parquet", folder / JSON
    kept = standing_kept(project, task)
    said: dict[str, Any] = {
        "annotations": annotated.is_file(),
        "names": {one.annotator: one.name for one in kept.people if one.name} if kept else {},
        "several": kept.several if kept else None,
        "found": None,
        "stale": False,
    }
    if not (annotated.is_file() and path.is_file()):
        return said
    try:
        found = TypeAdapter(Agreement).validate_json(path.read_bytes())
    except ValidationError:  # of another version
        return said
    told = TypeAdapter(Agreement).dump_python(found, mode="json")
    told |= {"measures": MEASURES, "precision_lines": precision_lines(found.precision)}
    told |= {"n_disputed": len(found.disputed), "disputed": told["disputed"][:MOST_DISPUTED]}
    beside = _beside(read_frame(annotated), [person.name for person in found.annotators])
    for point in told["disputed"]:
        point["beside"] = beside.get((point["table_name"], point["id"]), {})
    return said | {"found": told, "stale": path.stat().st_mtime_ns < annotated.stat().st_mtime_ns}


def _beside(frame: pd.DataFrame, people: Sequence[str]) -> dict[Point, dict[str, dict[str, Any]]]:
    """Point → person → what was said beside the label: `comment`, and the `words` that were marked."""
    found: dict[Point, dict[str, dict[str, Any]]] = {}
    for person in people:
        comment, words = f"{person}{COMMENT}", f"{person}{WORDS}"
        if comment not in frame.columns:
            continue
        said = zip(frame["table_name"], frame["id"], frame[comment], frame[words], strict=True)
        for table, key, text, marks in said:
            marked = [] if marks is None else [f"{mark['text']} ({mark['class']})" for mark in marks]
            if text or marked:
                found.setdefault((table, key), {})[person] = {"comment": text or "", "words": marked}
    return found


def queue(project: Project, *, task: str, table: str, seed: int) -> dict[str, Any]:
    """Ids of random rows of a table, in the order in which somebody who labels is led through them."""
    return {"ids": _queue(project, task, table, seed)}


@lru_cache(maxsize=16)  # drawing reads every id of the table
def _queue(project: Project, task: str, table: str, seed: int) -> list[str]:
    with TemporaryDirectory(prefix="adaptml-") as folder:
        options = SamplingOptions(seed=seed)
        sample = draw_points(project, project.task(task), table, QUEUE, options, Path(folder))
    return [str(key) for key in sample.frame[KEYS[1]]]
