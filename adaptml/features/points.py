"""Data points with everything that is known of them: columns of their tables, and features beside these."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import pandas as pd
from sqlalchemy.types import TypeEngine

from adaptml.database import Database, StoredRows
from adaptml.database.cells import read_frame
from adaptml.database.keyed import RowsOf, asked, each_once
from adaptml.database.keys import WHOLE, Range
from adaptml.errors import FeatureError, listed
from adaptml.features.catalogue import COLUMN, Catalogue, Feature, Reference, newest, split_reference
from adaptml.features.on_the_fly import OnTheFly
from adaptml.features.values import Cells, read_type
from adaptml.features.values_to_encode import cell_text
from adaptml.frames import KEYS

Asked = str | Reference
MAX_REMEMBERED = 1_000  # tables that somebody may ask for need not be there


@dataclass(frozen=True)
class Places:
    """Where columns and features of a table lie.

    Attributes:
        plain: names of its own columns.
        features: name → the feature that it stands for.
        cells: the same names → what looks up its values.
        until_s: monotonic time until which this holds.
    """

    plain: list[str]
    features: dict[str, Feature]
    cells: dict[str, Cells]
    until_s: float


@dataclass(frozen=True)
class Points:
    """Reads data points as `Database` does, features as well as columns.

    A name stands for the newest version of the feature of that name, and where a table has none, for its
    column; `name@2` stands for that version. A `Reference` of version 0 is the column, or the feature that
    was found to hold the same.

    Attributes:
        database: holds the data tables.
        results: holds the feature tables.
        on_the_fly: computes the features that `read` does not find; None: they stay None.
        remembered_s: for how long names are taken for what they stood for before, in seconds.
    """

    database: Database
    results: Database
    on_the_fly: OnTheFly | None = None
    remembered_s: float = 0.0

    _versions: dict[tuple[str, Reference], Feature] = field(
        init=False, repr=False, compare=False, default_factory=dict
    )
    _places: dict[tuple[str, tuple[Asked, ...]], Places] = field(
        init=False, repr=False, compare=False, default_factory=dict
    )

    @cached_property
    def catalogue(self) -> Catalogue:
        """What features there are."""
        return Catalogue(self.results)

    def columns(self, table: str) -> dict[str, TypeEngine[Any]]:
        """Names and types of a table's columns and of its features.

        Raises:
            UnknownTableError: no such table.
        """
        features = self.catalogue.of_table(table)
        return self.database.columns(table) | {f.name: read_type(f.kind) for f in features}

    def read(
        self,
        keys: pd.DataFrame,
        columns: Sequence[Asked],
        *,
        skip_missing: bool = False,
        show_progress: bool = False,
    ) -> pd.DataFrame:
        """Columns and features of data points, in the order of the keys, as `Database.read` gives columns.

        Args:
            keys: frame with `table_name` and `id` (n rows).
            columns: what is read; the frame's columns have these names.
            skip_missing: leave out points that are not in their table.
            show_progress: draw a progress bar.

        Raises:
            FeatureError: a version of a feature that a table does not have.
            AdaptmlError: as `Database.read`.
        """
        names = [name for name in dict.fromkeys(map(str, columns)) if name not in KEYS]
        return read_frame(
            asked(keys), names, self.rows_of(columns), skip_missing=skip_missing, show_progress=show_progress
        )

    def compute(self, feature: Feature, ids: Sequence[str], values: Any) -> None:
        """Fill in the values of r rows, in a list or an array, that are None and are computed on the fly."""
        if self.on_the_fly is None:
            return
        absent = [place for place, value in enumerate(values) if value is None]
        if absent:
            sources = self._sources(feature.table_name, feature.source, [ids[place] for place in absent])
            made = self.on_the_fly.values(feature.spec, sources)
            for place, value in zip(absent, made or [], strict=False):
                values[place] = value

    def _sources(self, table: str, column: str, ids: Sequence[str]) -> list[str]:
        """What features are computed from, of some rows of a table: cells as `cell_text` says."""
        found: dict[str, str] = {}
        for rows in self.database.by_key(table, [column], list(dict.fromkeys(ids))):
            found |= zip(rows.ids, map(cell_text, rows.cells[column]), strict=True)
        return [found[key] for key in ids]

    def rows_of(self, columns: Sequence[Asked]) -> RowsOf:
        """What reads columns and features of a table's rows by their ids; see `Database.by_key`.

        Args:
            columns: what is read; its cells have these names.
        """
        names = [name for name in dict.fromkeys(map(str, columns)) if name not in KEYS]

        def read(table: str, ids: Sequence[str]) -> Iterator[StoredRows]:
            places = self.places(table, columns)
            for rows in self.database.by_key(table, places.plain, ids):
                joined = _joined(rows, names, places.cells)
                yield joined if self.on_the_fly is None else self._completed(joined, places.features)

        return read

    def _completed(self, rows: StoredRows, features: Mapping[str, Feature]) -> StoredRows:
        """Rows with those values of features that are not there and are computed on the fly."""
        for name, feature in features.items():
            if None in rows.cells[name]:
                values = list(rows.columns()[name])
                self.compute(feature, rows.ids, values)
                decode = {column: by for column, by in rows.decode.items() if column != name}
                rows = replace(rows, cells=rows.cells | {name: values}, decode=decode)
        return rows

    def places(self, table: str, columns: Sequence[Asked]) -> Places:
        """Where columns and features of a table lie.

        Raises:
            FeatureError, UnknownTableError: as `resolved`.
        """
        asked, now = (table, tuple(columns)), time.monotonic()
        known = self._places.get(asked)
        if known is not None and now < known.until_s:
            return known
        resolved = {str(column): feature for column, feature in self.resolved(table, columns).items()}
        features = {name: feature for name, feature in resolved.items() if feature is not None}
        cells = {name: Cells(self.results, feature) for name, feature in features.items()}
        plain = [name for name in resolved if name not in features and name not in KEYS]
        found = Places(plain, features, cells, now + self.remembered_s)
        if self.remembered_s:
            if len(self._places) >= MAX_REMEMBERED:
                self._places.clear()
            self._places[asked] = found
        return found

    def read_stored(self, keys: pd.DataFrame, columns: Sequence[str]) -> Iterator[StoredRows]:
        """Data points in chunks, as the databases keep them: see `Database.read_stored`.

        Args:
            keys: frame with `table_name` and `id` (n rows), no point twice.
            columns: names of columns and features.

        Raises:
            FeatureError: a version of a feature that a table does not have.
            AdaptmlError: as `Database.read_stored`.
        """
        return each_once(asked(keys), self.rows_of(columns))

    def scan_stored(
        self, table: str, columns: Sequence[str], *, within: Range = WHOLE
    ) -> Iterator[StoredRows]:
        """All rows of a table in chunks, in the order of their ids: see `Database.scan_stored`.

        Args:
            table: name of a data table.
            columns: names of columns and features.
            within: only rows of this range of ids.

        Raises:
            FeatureError: a version of a feature that the table does not have.
            AdaptmlError: as `Database.scan_stored`.
        """
        places = self.places(table, columns)
        for rows in self.database.scan_stored(table, places.plain, within=within):
            yield _joined(rows, columns, places.cells)

    def resolved(self, table: str, columns: Sequence[Asked]) -> dict[Asked, Feature | None]:
        """For each of the names its feature of a table, or None for a column of the table.

        Raises:
            FeatureError: a version that the table does not have.
            UnknownTableError: no such table, where a version is asked for.
        """
        known = {column: self._versions.get((table, column)) for column in columns}  # type: ignore[arg-type]
        if all(known.values()):  # a service asks for the same again and again
            return known
        features = self.catalogue.of_table(table)
        if self.on_the_fly is not None:
            features += self._without_values(table, columns, {feature.reference for feature in features})
        try:
            found = {column: _resolved(table, column, features) for column in dict.fromkeys(columns)}
        except FeatureError:
            self.database.data_table(table, fresh=True)  # a table that is not there is said first
            raise
        # What a name stands for may change, and what has no values may get some; a version stays what it is.
        lasting = {f.reference: f for f in found.values() if f is not None and f.values_table}
        self._versions.update({(table, column): lasting[column] for column in columns if column in lasting})
        return found

    def _without_values(self, table: str, columns: Sequence[Asked], there: set[Reference]) -> list[Feature]:
        """Versions that only other tables have, as this table would have them."""
        asked = {c for c in columns if isinstance(c, Reference) and c.version != COLUMN} - there
        if not asked:
            return []
        known = {f.reference: f for f in self.catalogue.all(dropped=True)}
        return [replace(known[c], table_name=table, values_table=None) for c in asked if c in known]

    def exact(self, tables: Sequence[str], columns: Sequence[str]) -> list[Reference]:
        """The versions that names stand for now, the same in all tables; what a model is trained on.

        Args:
            tables: data tables, at least one.
            columns: names of columns and features.

        Raises:
            FeatureError: no version is there for all tables, or a version that was asked for is not.
        """
        by_table = {table: self.catalogue.of_table(table) for table in tables}
        return [_exact(by_table, column) for column in columns]


def _resolved(table: str, column: Asked, features: Sequence[Feature]) -> Feature | None:
    if isinstance(column, Reference) and column.version == COLUMN:
        return next(
            (f for f in features if f.name == column.name and f.replaces_column and f.filled_at), None
        )
    name, version = column if isinstance(column, Reference) else split_reference(column)
    if version is None:
        return newest(features, name)
    found = next((feature for feature in features if feature.reference == (name, version)), None)
    if found is None and version != COLUMN:
        has = listed([str(f.reference) for f in features if f.name == name], 20) or "none of that name"
        raise FeatureError(
            f"table {table!r} has no feature {name}@{version}; it has {has}: run `adaptml featurize` on it, "
            "which fills the versions that a task or a champion names"
        )
    return found


def _exact(by_table: dict[str, list[Feature]], column: str) -> Reference:
    name, version = split_reference(column)
    if version is not None:
        return Reference(name, version)
    stand_for = [newest(features, name) for features in by_table.values()]
    if not any(stand_for):
        return Reference(name, COLUMN)
    versions = [{f.version for f in features if f.name == name} for features in by_table.values()]
    shared = set.intersection(*versions)
    preferred = [feature.version for feature in stand_for if feature and feature.version in shared]
    if not preferred:
        of_each = "; ".join(
            f"{table}: {listed([f'{name}@{v}' for v in sorted(found)]) or 'none'}"
            for table, found in zip(by_table, versions, strict=True)
        )
        raise FeatureError(
            f"no version of feature {name!r} is there for all tables ({of_each}); "
            "run `adaptml featurize` on each of them"
        )
    return Reference(name, max(preferred))


def _joined(rows: StoredRows, columns: Sequence[str], features: dict[str, Cells]) -> StoredRows:
    """Rows of a data table with the cells of their features."""
    added = {name: cells.of(rows.ids) for name, cells in features.items()}
    cells = {name: added[name] if name in added else rows.cells[name] for name in columns if name not in KEYS}
    decode = rows.decode | {name: c.decode for name, c in features.items() if c.decode is not None}
    return replace(rows, cells=cells, decode=decode)
