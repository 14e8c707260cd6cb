"""Which versions of which features `featurize` fills, before it computes anything."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from adaptml.database import TextList, Vector
from adaptml.database.facts import kind as kind_of
from adaptml.errors import FeatureError
from adaptml.features.catalogue import Feature, Kind, Reference, Spec, split_reference
from adaptml.features.encoders import Modality, check_encoder, encoder_takes
from adaptml.features.makers import Maker, can_make, current
from adaptml.features.points import Points
from adaptml.features.uses import read_uses
from adaptml.tasks import Featurize, Task

COMPARED_ROWS = 50  # rows in which a column of the data table is compared with a feature of its name
SAME_COSINE = 0.999
SAME_SHARE = 0.8  # of the compared rows; the text of others may have changed since

_OF_FILES = sa.String | sa.LargeBinary | Vector
# What encoders read: types of columns, and these for people.
READABLE: dict[Modality, tuple[Any, str]] = {
    "text": (sa.String, "a column of text"),
    "image": (_OF_FILES, "a column of paths or bytes of pictures"),
    "audio": (_OF_FILES, "a column of paths or bytes of sounds"),
    "video": (_OF_FILES, "a column of paths or bytes of films"),
    "number": (sa.Integer | sa.Numeric | sa.Float, "a column of numbers"),
}

# What features of each kind are called together, and what a column that holds the same is.
GIVES: dict[Kind, str] = {"lemmas": "lemmas", "vector": "vectors", "answer": "answers", "score": "scores"}
HELD: dict[Kind, tuple[Any, str]] = {
    "lemmas": (TextList | sa.JSON, "a list of text"),
    "vector": (Vector, "a real vector"),
    "answer": (sa.String, "text"),
    "score": (sa.Numeric | sa.Float, "a number"),
}

Vector1D = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Planned:
    """A version of a feature that is to be filled.

    Attributes:
        name: of the feature.
        spec: what its values are computed from.
        feature: the version, or None where a first row makes it.
        version: the number that somebody names; None for what the feature's name is to stand for.
    """

    name: str
    spec: Spec
    feature: Feature | None
    version: int | None = None

    def added(self, points: Points, table: str, made: Maker) -> Feature:
        """The version, made in the catalogue."""
        return points.catalogue.add(
            self.name,
            table,
            self.spec,
            made.dimensions,
            version=self.version,
            replaces_column=self.spec.kind == "vector" and _holds_the_same(points, table, self, made),
        )


@dataclass(frozen=True)
class Plan:
    """What is to be filled.

    Attributes:
        features: versions to fill.
        warnings: versions that somebody names and nobody can compute any more, one sentence each.
    """

    features: Sequence[Planned]
    warnings: Sequence[str]


def plan(points: Points, table: str, task: Task, columns: Featurize) -> Plan:
    """The newest version of each feature that is asked for, and those that the task or a champion names.

    Raises:
        FeatureError: no feature asked for, one name for both, a column of another type, or an encoder that
            does not exist.
        UnknownTableError, UnknownColumnError: no such table or text column.
    """
    asked = _asked(columns, task.language)
    _check_types(points, table, columns.text, asked)
    known = points.catalogue.all(dropped=True)
    planned, warnings = [], []
    for name, (kind, encoder) in asked.items():
        spec = current(kind, columns.text, encoder)
        planned.append(Planned(name, spec, _of_table(known, table, name, spec)))
    for reference, whose in _named(points, task):
        named = next((feature for feature in known if feature.reference == reference), None)
        if named is None or named.name not in asked or named.spec in [p.spec for p in planned]:
            continue
        if can_make(named.spec):
            found = _of_table(known, table, named.name, named.spec)
            planned.append(Planned(named.name, named.spec, found, named.version))
        else:
            warnings.append(
                f"{reference}, which {whose} reads, cannot be computed any more: its encoder "
                f"{named.made_by!r} is another one now, so that new rows lack it: train again"
            )
    return Plan(planned, warnings)


def _of_table(known: Sequence[Feature], table: str, name: str, spec: Spec) -> Feature | None:
    return next(
        (f for f in known if (f.table_name, f.name, f.spec) == (table, name, spec) and f.values_table), None
    )


def _asked(columns: Featurize, language: str) -> dict[str, tuple[Kind, str]]:
    """Name of a feature → what it is and what makes it."""
    asked: dict[str, tuple[Kind, str]] = {}
    for kind, gives in GIVES.items():
        name = getattr(columns, kind)
        if not name:
            continue
        if name in asked:
            both = f"{GIVES[asked[name][0]]} and {gives}"
            raise FeatureError(f"column {name!r} cannot hold {both}; name two columns")
        if kind != "lemmas":
            check_encoder(columns.encoder, "vectors" if kind == "vector" else "answers")
        asked[name] = (kind, language if kind == "lemmas" else columns.encoder)
    if not asked:
        raise FeatureError("no feature asked for; name a column for lemmas, vectors, answers or scores")
    return asked


def _check_types(points: Points, table: str, text: str, asked: dict[str, tuple[Kind, str]]) -> None:
    """Refuse a column that what is asked for cannot read, and names of columns that hold something else."""
    points.database.data_table(table, [text])
    present = points.database.columns(table)
    for name, (kind, made_by) in asked.items():
        takes = "text" if kind == "lemmas" else encoder_takes(made_by)
        readable, wanted = READABLE[takes]
        if not isinstance(present[text], readable):
            raise FeatureError(
                f"column {text!r} of table {table!r} is {_type_name(present[text])}; expected {wanted}"
            )
        expected, wanted = HELD[kind]
        if name in present and not isinstance(present[name], expected):
            raise FeatureError(
                f"column {name!r} of table {table!r} is {_type_name(present[name])}; expected {wanted}: "
                "name the feature otherwise"
            )


def _type_name(kind: sa.types.TypeEngine[object]) -> str:
    """A column's type for people."""
    return {"vector": "a real vector", "list of text": "a list of text"}.get(kind_of(kind), kind_of(kind))


def _named(points: Points, task: Task) -> Iterator[tuple[Reference, str]]:
    """Versions that the task names, and that champions read."""
    for column in [*task.model_features, *task.lf_features]:
        name, version = split_reference(column)
        if version:
            yield Reference(name, version), f"the task {task.name}"
    for reference, models in read_uses(points.results).items():
        yield reference, f"the champion {models[0]}"


def _holds_the_same(points: Points, table: str, planned: Planned, made: Maker) -> bool:
    """Whether a column of the data table, which an earlier version filled, holds what is computed now."""
    present = points.database.columns(table).get(planned.name)
    if present is None:
        return False
    source = points.database.data_table(table, [planned.spec.source, planned.name])
    text, column = source.c[planned.spec.source], source.c[planned.name]
    query = sa.select(text, column).where(column.is_not(None), text.is_not(None)).limit(COMPARED_ROWS)
    with points.database.translated(), points.database.engine.connect() as connection:
        rows = connection.execute(query).all()
    return bool(rows) and _agree([row[1] for row in rows], made.make([row[0] for row in rows]))


def _agree(before: Sequence[Vector1D], now: Sequence[Vector1D]) -> bool:
    return sum(map(_is_same, before, now)) >= SAME_SHARE * len(now)


def _is_same(a: Vector1D, b: Vector1D) -> bool:
    """Whether two vectors point the same way, or are both zeros."""
    return len(a) == len(b) and bool(a @ b >= SAME_COSINE * np.linalg.norm(a) * np.linalg.norm(b))
