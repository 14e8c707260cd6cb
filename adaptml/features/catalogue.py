"""Which features there are: names, versions, what they are computed from and where their values lie."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any, Literal, NamedTuple

import pandas as pd
import sqlalchemy as sa
from sqlalchemy.types import TypeEngine

from adaptml.database import Database

CATALOGUE = "adaptml_features"
COLUMN = 0  # the version of a feature that is a column of the data table itself
Kind = Literal["lemmas", "vector", "answer", "score"]
HOLDS: dict[Kind, str] = {"lemmas": "list of text", "vector": "vector", "answer": "text", "score": "number"}
_REFERENCE = re.compile(r"(.+)@(\d{1,9})", re.DOTALL)
_NO_ASCII = re.compile(r"[^a-z0-9]+")
_KEYS = ("name", "version", "table_name")
_TYPES: dict[str, TypeEngine[Any]] = {
    "name": sa.Text(),
    "version": sa.Integer(),
    "table_name": sa.Text(),
    "kind": sa.Text(),
    "source": sa.Text(),
    "encoder": sa.Text(),
    "checksum": sa.Text(),
    "dimensions": sa.Integer(),
    "replaces_column": sa.Boolean(),
    "values_table": sa.Text(),
    "created_at": sa.DateTime(timezone=True),
    "filled_at": sa.DateTime(timezone=True),
}


class Reference(NamedTuple):
    """One version of a feature; version 0 is the column of the data table that has this name.

    >>> str(Reference("txt_vec", 2)), str(Reference("likes", 0))
    ('txt_vec@2', 'likes')
    """

    name: str
    version: int

    def __str__(self) -> str:
        return self.name if self.version == COLUMN else f"{self.name}@{self.version}"

    @classmethod
    def recorded(cls, text: str) -> "Reference":
        """What a model says that it was trained on; a name without a version is a column.

        >>> Reference.recorded("txt_vec@2"), Reference.recorded("likes")
        (Reference(name='txt_vec', version=2), Reference(name='likes', version=0))
        """
        found = _REFERENCE.fullmatch(text)
        return cls(found[1], int(found[2])) if found else cls(text, COLUMN)


def split_reference(text: str) -> tuple[str, int | None]:
    """A name and the version that was asked for, or None for the newest.

    >>> split_reference("txt_vec@2"), split_reference("txt_vec")
    (('txt_vec', 2), ('txt_vec', None))
    """
    found = _REFERENCE.fullmatch(text)
    return (found[1], int(found[2])) if found else (text, None)


@dataclass(frozen=True)
class Spec:
    """What values are computed from, and by what: where one of these differs, so may the values.

    Attributes:
        kind: `lemmas` (list[str]), `vector` (float32 (d,)), `answer` (text) or `score` (a number in 0 … 1).
        source: column of the data table that is read.
        encoder: name of the encoder; of lemmas, the language.
        checksum: of the encoder's code and files.
    """

    kind: Kind
    source: str
    encoder: str
    checksum: str


@dataclass(frozen=True)
class Feature:
    """One version of a feature of one data table, as the catalogue keeps it.

    Attributes:
        name: its name, which is used as that of a column is.
        version: 1 and up. In all tables of a database, a name and a version stand for one `Spec`.
        table_name: the data table.
        kind: `lemmas`, `vector`, `answer` or `score`.
        source: column of the data table that is read.
        encoder: name of the encoder; of lemmas, the language.
        checksum: of the encoder's code and files.
        dimensions: numbers of a vector; 0 for the other kinds.
        replaces_column: the data table has a column of the same name, and it holds the same.
        values_table: where the values lie; None once they were dropped.
        created_at: when this version was made.
        filled_at: when it became the one that its name stands for: all rows had it. None before that.
    """

    name: str
    version: int
    table_name: str
    kind: Kind
    source: str
    encoder: str
    checksum: str
    dimensions: int
    replaces_column: bool
    values_table: str | None
    created_at: datetime
    filled_at: datetime | None

    @property
    def spec(self) -> Spec:
        """What its values are computed from."""
        return Spec(self.kind, self.source, self.encoder, self.checksum)

    @property
    def made_by(self) -> str:
        """Name of the encoder, or `lemmas:LANGUAGE`."""
        return f"lemmas:{self.encoder}" if self.kind == "lemmas" else self.encoder

    @property
    def reference(self) -> Reference:
        """Name and version."""
        return Reference(self.name, self.version)


_TABLE = sa.table(CATALOGUE, *(sa.column(name, kind) for name, kind in _TYPES.items()))
_QUERY = sa.select(*(_TABLE.c[field.name] for field in fields(Feature))).order_by(
    _TABLE.c.name, _TABLE.c.version, _TABLE.c.table_name
)


class Catalogue:
    """The table `adaptml_features` of a database; where there is none, there are no features."""

    def __init__(self, results: Database) -> None:
        """Look at nothing yet.

        Args:
            results: where feature tables lie.
        """
        self._results = results
        self._is_there = False

    def of_table(self, table: str) -> list[Feature]:
        """The features of a data table, in the order of their names and versions."""
        return self._features(lambda columns: columns.table_name == table)

    def all(self, *, dropped: bool = False) -> list[Feature]:
        """The features of all tables; with `dropped` also those without values."""
        return self._features(lambda _: sa.true(), dropped=dropped)

    def _features(self, condition: Any, *, dropped: bool = False) -> list[Feature]:
        self._is_there = self._is_there or CATALOGUE in self._results.tables()
        if not self._is_there:
            return []
        with self._results.translated(), self._results.engine.connect() as connection:
            found = [Feature(*row) for row in connection.execute(_QUERY.where(condition(_TABLE.c)))]
        # Not in SQL: a CrateDB has no index on text that is no key, and may refuse to search it.
        return [feature for feature in found if dropped or feature.values_table is not None]

    def add(
        self,
        name: str,
        table: str,
        spec: Spec,
        dimensions: int,
        *,
        version: int | None = None,
        replaces_column: bool = False,
    ) -> Feature:
        """The version of a feature that has this spec, made for a table if it is not there.

        A spec that no version of this name has in any table gets the next number; numbers of versions that
        were dropped are not given again.

        Args:
            name: of the feature.
            table: the data table.
            spec: what its values are computed from.
            dimensions: numbers of a vector; 0 for the other kinds.
            version: its number, where another table has it.
            replaces_column: see `Feature`.
        """
        self._results.create_table(CATALOGUE, _TYPES, _KEYS)
        while True:
            known = [feature for feature in self.all(dropped=True) if feature.name == name]
            number = version or version_of(known, spec) or max((f.version for f in known), default=0) + 1
            here = [f for f in known if (f.version, f.table_name, f.spec) == (number, table, spec)]
            if here and here[0].values_table is not None:
                return here[0]
            feature = Feature(
                name, number, table, spec.kind, spec.source, spec.encoder, spec.checksum, dimensions,
                replaces_column, values_table(name, number, table), datetime.now(UTC), None,
            )  # fmt: skip
            # Of two processes that make a version at once, one finds the other's and looks again.
            self._write(feature, replace=bool(here))

    def note_filled(self, feature: Feature) -> None:
        """From now on the feature's name stands for this version: all rows have it."""
        self._write(feature, replace=True, filled_at=datetime.now(UTC))

    def forget_values(self, feature: Feature) -> None:
        """Note that a version has no values any more; its number stays taken."""
        self._write(feature, replace=True, values_table=None, filled_at=None)

    def _write(self, feature: Feature, *, replace: bool, **changed: Any) -> None:
        row = {field.name: getattr(feature, field.name) for field in fields(Feature)} | changed
        frame = pd.DataFrame({name: pd.Series([value], dtype=object) for name, value in row.items()})
        self._results.upsert(CATALOGUE, frame, _KEYS, replace=replace)


def version_of(known: Iterable[Feature], spec: Spec) -> int | None:
    """The version that has a spec, or None."""
    return next((feature.version for feature in known if feature.spec == spec), None)


def newest(features: Sequence[Feature], name: str) -> Feature | None:
    """The version that a name stands for among the features of one table, or None.

    It is the one that was filled for its name last; one that is not filled yet only where there is no other.
    """
    found = [feature for feature in features if feature.name == name]
    filled = [(feature.filled_at, feature.version, feature) for feature in found if feature.filled_at]
    return max(filled)[2] if filled else found[-1] if found else None


def values_table(name: str, version: int, table: str) -> str:
    """Name of the table that holds values: ASCII, at most 50 bytes, one for each feature and table.

    >>> values_table("txt_vec", 1, "posts")
    'adaptml_f_txt_vec_1_posts_06041ae385'
    """
    digest = blake2b("\0".join([name, str(version), table]).encode(), digest_size=5).hexdigest()
    slugs = (_NO_ASCII.sub("_", text.lower()).strip("_")[:10] for text in (name, table))
    first, last = slugs
    return f"adaptml_f_{first}_{version}_{last}_{digest}"[:50]
