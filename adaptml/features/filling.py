"""Filling one version of a feature: what is computed, and where it is written."""

from collections.abc import Sequence
from typing import Any

from adaptml.features.catalogue import Feature
from adaptml.features.changes import Changes, Row
from adaptml.features.makers import Maker, Ready, maker
from adaptml.features.plan import Planned
from adaptml.features.values import FeatureValues, Known
from adaptml.project import Project


class Filling:
    """One version of a feature of a table while it is filled."""

    def __init__(self, project: Project, table: str, planned: Planned) -> None:
        self.planned = planned
        self._project, self._table = project, table
        self._values = FeatureValues(project.results, planned.feature) if planned.feature else None
        self._maker: Maker | None = None

    @property
    def feature(self) -> Feature | None:
        """The version, or None while there is none: the table has no row."""
        return self._values.feature if self._values else None

    def known(self) -> Known:
        """The rows that have a value."""
        if self._values is None:
            return Known.none()
        self._values.create()  # it is not there where a run ended between the catalogue and its table
        return self._values.known()

    def known_of(self, ids: Sequence[str]) -> Known:
        """Those of some rows that have a value."""
        return self._values.known_of(ids) if self._values else Known.none()

    def get_ready(self, ready: Ready) -> None:
        """Make the encoder ready, and the version if it is not there."""
        self._maker = maker(self.planned.spec, self._project.settings.media, ready)
        if self._values is None:
            self._values = FeatureValues(
                self._project.results,
                self.planned.added(self._project.points, self._table, self._maker),
            )
            self._values.create()

    def remove(self, hashes: Any) -> int:
        """Remove the values of rows that are gone."""
        return self._values.remove_hashed(hashes) if self._values and len(hashes) else 0

    def compute(self, rows: Sequence[Row], run: str) -> None:
        """Compute and write the values of some rows."""
        if rows and self._values and self._maker:
            source = self.planned.spec.source
            values = self._maker.make([row.texts[source] for row in rows])
            self._values.put([row.id for row in rows], [row.hashes[source] for row in rows], values, run)


def get_ready(filling: Sequence[Filling], changes: Changes) -> None:
    """An encoder can take seconds to get ready, so only where needed, and before anything is written."""
    ready: Ready = {}
    for feature, needed in zip(filling, changes.needed, strict=True):
        if needed:
            feature.get_ready(ready)
