"""Everything that is known of one data point, and what happened to it."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import sqlalchemy as sa
from sqlalchemy.types import TypeEngine

from adaptml.browsing.facts import Result, all_results
from adaptml.browsing.known import gold_rows, results_table
from adaptml.browsing.paging import fetched
from adaptml.database import WritebackKind
from adaptml.errors import TaskError
from adaptml.features.catalogue import Feature
from adaptml.features.values import Cells
from adaptml.frames import KEYS
from adaptml.gold_labels.decisions import Decision, decisions
from adaptml.gold_labels.home import COLUMNS, counting
from adaptml.importing.record import Record, read_records
from adaptml.project import Project

SHOWN_NUMBERS = 8  # of a vector
MOST_FILE_BYTES = 32 << 20  # of a file of sampled points that is looked through while a person waits
MOST_FILES = 50


class FeatureValue(NamedTuple):
    """One version of a feature of a point: its value (None: it has none), and what computed it and when."""

    feature: Feature
    value: Any
    computed_at: datetime | None


class Gold(NamedTuple):
    """A gold label of a point by one origin, and whether it is the one that counts."""

    label: list[str]
    origin: str
    choice: str | None
    who: str | None
    made_at: datetime | None
    part: str
    counts: bool


class Annotation(NamedTuple):
    """What one annotator said of a point, as it was written when annotations were processed."""

    annotator: str
    label: list[str] | None
    written_at: datetime | None


class Event(NamedTuple):
    """Something that happened to a point: when (None: not on record), what, and of which task."""

    at: datetime | None
    what: str
    task: str


@dataclass(frozen=True)
class OfTask:
    """What a task knows of a point.

    Attributes:
        task: its name.
        gold: its gold labels, the one that counts first.
        labels, predictions: what was written of it, the newest first.
        annotations: what annotators said.
        sampled: where it was sampled, as the file's name and the sampling.
        decided: what people decided about its gold label, the last first.
    """

    task: str
    gold: Sequence[Gold]
    labels: Sequence[Result]
    predictions: Sequence[Result]
    annotations: Sequence[Annotation]
    sampled: Sequence[tuple[str, str]]
    decided: Sequence[Decision]

    @property
    def empty(self) -> bool:
        """Whether the task knows nothing of it."""
        known = self.gold, self.labels, self.predictions, self.annotations, self.sampled, self.decided
        return not any(known)


@dataclass(frozen=True)
class Point:
    """Everything that is known of a data point.

    Attributes:
        table: the data table.
        id: its id.
        cells: column → value, texts whole.
        types: column → type.
        features: every version of every feature of the table.
        imported: the import that made the table, or None.
        tasks: of each task that knows something of it.
    """

    table: str
    id: str
    cells: Mapping[str, Any]
    types: Mapping[str, TypeEngine[Any]]
    features: Sequence[FeatureValue]
    imported: Record | None
    tasks: Sequence[OfTask]

    def history(self) -> list[Event]:
        """What happened to it, the last first; what has no time on record comes last."""
        events = list(_events(self))
        events.sort(key=lambda event: event.at or datetime.min.replace(tzinfo=UTC), reverse=True)
        return events


def read_point(project: Project, table: str, key: str) -> Point:
    """Everything that the databases and the files of the home folder know of a point.

    Args:
        project: holds them.
        table: a data table.
        key: the point's id.

    Raises:
        MissingDataPointsError: there is no such row.
        UnknownTableError: no such table.
        DatabaseError: the database refuses.
    """
    types = {name: type_ for name, type_ in project.database.columns(table).items() if name not in KEYS}
    keys = pd.DataFrame({"table_name": [table], "id": [key]}, dtype=str)
    row = project.database.read(keys, list(types)).iloc[0]
    features = [
        FeatureValue(feature, *_value(project, feature, key))
        for feature in project.points.catalogue.of_table(table)
    ]
    of_tasks = [_of_task(project, task, table, key) for task in project.task_names()]
    return Point(
        table, key, {name: row[name] for name in types}, types, features,
        read_records(project.database).get(table), [found for found in of_tasks if not found.empty],
    )  # fmt: skip


def vector_text(value: Any) -> str:
    """A vector in a few words: how many numbers, and the first of them."""
    numbers = ", ".join(f"{float(number):.4g}" for number in value[:SHOWN_NUMBERS])
    return f"{len(value):,} numbers: {numbers}{', …' if len(value) > SHOWN_NUMBERS else ''}"


def _value(project: Project, feature: Feature, key: str) -> tuple[Any, datetime | None]:
    value = Cells(project.results, feature).values([key])[0]
    if feature.values_table is None:
        return value, None
    source = project.results.found_table(feature.values_table, ["id", "computed_at"])
    rows = fetched(project.results, sa.select(source.c.computed_at).where(source.c.id == key))
    return value, _utc(rows[0][0]) if rows else None


def _of_task(project: Project, task: str, table: str, key: str) -> OfTask:
    written = []
    for kind in (WritebackKind.LABELS, WritebackKind.PREDICTIONS):
        found = results_table(project, task, kind)
        rows = [] if found is None else all_results(project.results, *found, table, [key])
        results = [result._replace(written_at=_utc(result.written_at)) for _, result in rows]
        written.append(sorted(results, key=lambda result: str(result.written_at), reverse=True))
    gold = _gold(gold_rows(project, task, table, [key]))
    annotations = _annotations(project, task, table, key)
    decided: list[Decision] = []
    with suppress(TaskError):  # a task file that cannot be read: the other pages say so
        decided = decisions(project, task, (table, key))
    sampled = list(_sampled(project, task, table, key))
    return OfTask(task, gold, written[0], written[1], annotations, sampled, decided)


def _gold(rows: Sequence[tuple[object, ...]]) -> list[Gold]:
    if not rows:
        return []
    columns = zip(COLUMNS, zip(*rows, strict=True), strict=True)
    frame = pd.DataFrame({name: pd.Series(cells, dtype=object) for name, cells in columns})
    counted = counting(frame)["origin"].iloc[0]
    found = [
        Gold(
            list(row["label"]), str(row["origin"]), row["choice"], row["who"], _utc(row["made_at"]),
            str(row["part"]), row["origin"] == counted,
        )
        for row in frame.to_dict("records")
    ]  # fmt: skip
    return sorted(found, key=lambda gold: not gold.counts)


def _annotations(project: Project, task: str, table: str, key: str) -> list[Annotation]:
    database, name = project.results, f"{task}_{WritebackKind.ANNOTATIONS}"
    if not database.has_table(name):
        return []
    wanted = ["annotator", "label", "written_at"]
    source = database.found_table(name, [*KEYS, *wanted])
    query = sa.select(*(source.c[column] for column in wanted))
    query = query.where(source.c.table_name == table, source.c.id == key)
    found = [
        Annotation(str(row.annotator), None if row.label is None else list(row.label), _utc(row.written_at))
        for row in fetched(database, query)
    ]
    newest: dict[str, Annotation] = {}  # the same export may have been processed several times
    for annotation in sorted(found, key=lambda annotation: str(annotation.written_at)):
        newest[annotation.annotator] = annotation
    return [newest[name] for name in sorted(newest)]


def _sampled(project: Project, task: str, table: str, key: str) -> Iterator[tuple[str, str]]:
    """Files of sampled points that hold it, and how it was sampled; the largest are not looked through."""
    for path in _files(project.settings.annotations(task), "tasks_*.json"):
        with suppress(OSError, ValueError, TypeError, AttributeError):
            for task_ in json.loads(path.read_text(encoding="utf-8")):
                data = task_.get("data", {})
                meta = data.get("meta_info", {})
                if (meta.get("table_name"), data.get("ref_id")) == (table, key):
                    yield path.name, str(meta.get("sampling") or meta.get("purpose") or "")


def _files(folder: Path, pattern: str) -> list[Path]:
    found = sorted(folder.glob(pattern))[:MOST_FILES] if folder.is_dir() else []
    return [path for path in found if path.stat().st_size <= MOST_FILE_BYTES]


def _events(point: Point) -> Iterator[Event]:
    if point.imported is not None:
        yield Event(_utc(point.imported.imported_at), f"table imported from {point.imported.files}", "")
    for feature, _, at in point.features:
        if at is not None:
            yield Event(at, f"{feature.reference} computed by {feature.encoder}", "")
    for found in point.tasks:
        for at, what in [*_said_by_people(found), *_said_by_models(found)]:
            yield Event(at, what, found.task)


def _said_by_people(found: OfTask) -> Iterator[tuple[datetime | None, str]]:
    for name, sampling in found.sampled:
        yield None, f"sampled into {name} ({sampling})"
    for annotation in found.annotations:
        yield annotation.written_at, f"annotated {_said(annotation.label)} by {annotation.annotator}"
    for decision in found.decided:
        yield decision.made_at, f"decided: {decision}"
    for gold in found.gold:
        who = f" by {gold.who}" if gold.who else ""
        yield gold.made_at, f"gold label {_said(gold.label)} ({gold.origin}{who})"


def _said_by_models(found: OfTask) -> Iterator[tuple[datetime | None, str]]:
    for result in found.labels:
        yield result.written_at, f"labelled {_said(result.label)} by run {result.run_id[:8]}"
    for result in found.predictions:
        by = result.model or f"run {result.run_id[:8]}"
        yield result.written_at, f"predicted {_said(result.label)} by {by}"


def _said(label: Sequence[str] | None) -> str:
    return "nothing" if label is None else " + ".join(label) or "none of the classes"


def _utc(when: Any) -> datetime | None:
    """A time as the databases keep it, in UTC."""
    if when is None or when != when:
        return None
    if isinstance(when, int | float):  # CrateDB: milliseconds
        return datetime.fromtimestamp(when / 1000, UTC)
    found = pd.Timestamp(when)
    found = found.tz_localize(UTC) if found.tzinfo is None else found.tz_convert(UTC)
    made: datetime = found.to_pydatetime()
    return made if made.year > 1 else None  # an annotation without a date
