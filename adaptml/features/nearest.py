"""Rows like this one: the nearest by the cosine of a vector feature, compared exactly, in memory."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from adaptml.database import StoredRows, Vector
from adaptml.errors import FeatureError
from adaptml.features.cosine import Matrix, unit_rows
from adaptml.features.points import Points
from adaptml.frames import KEYS
from adaptml.tasks import Task

MOST_VECTORS = 200_000  # in memory: 300 MB at 384 numbers each; of a larger table, a random sample
CHUNK_ROWS = 20_000


@dataclass(frozen=True, eq=False)
class TableVectors:
    """Vectors of a table's rows, ready to be compared.

    Attributes:
        table: name of the data table.
        column: the feature or column of vectors.
        ids: of the n rows that are compared, object (n,).
        vectors: float32 (n, d), each of length 1.
        rows: how many rows the table has; more than n in a sample, or where rows have no vector.
        is_sample: whether only some rows of the table were drawn, for there are too many.

    Example:
        >>> vectors = adaptml.table_vectors(project.points, "comments", "vector")
        >>> len(vectors.ids), vectors.rows, vectors.is_sample
        (24, 24, False)
    """

    table: str
    column: str
    ids: npt.NDArray[np.object_]
    vectors: Matrix
    rows: int
    is_sample: bool = False

    def nearest(
        self,
        to: npt.ArrayLike,
        n: int = 20,
        *,
        only: Collection[str] | None = None,
        without: Collection[str] = (),
    ) -> pd.DataFrame:
        """The rows that are nearest to some vectors.

        Args:
            to: (c, d), at least one vector; a row is as near as to the nearest of them.
            n: at most so many rows.
            only: ids to choose from; None for all.
            without: ids to leave out, such as those whose vectors `to` are.

        Returns:
            `table_name`, `id` and `cosine` in [-1, 1], the nearest first; equally near ones in the table's
            order.

        Raises:
            FeatureError: vectors of another length.
        """
        centres = np.asarray(to, np.float32)
        if centres.ndim != 2 or centres.shape[1:] != self.vectors.shape[1:]:
            raise FeatureError(
                f"{self.column!r} of table {self.table!r} has vectors of {self.vectors.shape[1]} numbers; "
                f"given {centres.shape[-1] if centres.ndim else 0}: featurise the table anew"
            )
        cosines = self._cosines(unit_rows(centres))
        allowed = self._among(without, absent=True) if without else np.ones(len(self.ids), np.bool_)
        if only is not None:
            allowed &= self._among(only, absent=False)
        places = np.flatnonzero(allowed)
        best = places[np.argsort(-cosines[places], kind="stable")[:n]]
        frame = pd.DataFrame({"table_name": self.table, "id": self.ids[best].astype(str)}, dtype=object)
        return frame.assign(cosine=np.clip(cosines[best], -1, 1).astype(np.float64))

    def of(self, ids: Collection[str]) -> dict[str, Matrix]:
        """Id → vector (d,), of length 1, of those ids that are compared."""
        places = np.flatnonzero(self._among(ids, absent=False))
        return {str(self.ids[place]): self.vectors[place] for place in places}

    def _cosines(self, centres: Matrix) -> npt.NDArray[np.float32]:
        """With the nearest of the centres, float32 (n,)."""
        found = np.empty(len(self.vectors), np.float32)
        for start in range(0, len(self.vectors), CHUNK_ROWS):
            chunk = self.vectors[start : start + CHUNK_ROWS]
            found[start : start + len(chunk)] = (chunk @ centres.T).max(axis=1)
        return found

    def _among(self, ids: Collection[str], *, absent: bool) -> npt.NDArray[np.bool_]:
        wanted = set(ids)
        return np.fromiter(((key in wanted) != absent for key in self.ids), np.bool_, len(self.ids))


def vector_columns(points: Points, task: Task, table: str) -> list[str]:
    """The columns and features of vectors that a table has, those that end models read first.

    Raises:
        UnknownTableError: no such table.
    """
    found = [name for name, kind in points.columns(table).items() if isinstance(kind, Vector)]
    return sorted(found, key=lambda name: name not in task.features)


def table_vectors(
    points: Points, table: str, column: str, *, most: int = MOST_VECTORS, seed: int = 0
) -> TableVectors:
    """The vectors of a table's rows, or of a random sample of them.

    Args:
        points: reads them.
        table: name of a data table.
        column: a vector column or feature, such as `vector` or `vector@2`.
        most: of a table with more rows, so many are drawn at random.
        seed: the same seed draws the same rows.

    Raises:
        FeatureError: it holds no vectors, or vectors of unequal length.
        DatabaseError: no such table or column.

    Example:
        >>> vectors = adaptml.table_vectors(project.points, "comments", "vector")
        >>> vectors.nearest([vectors.of(["s6"])["s6"]], 2)["id"].tolist()
        ['s6', 's3']
    """
    rows = points.database.count(table)
    ids: list[str] = []
    parts: list[Matrix] = []
    for chunk in _chunks(points, table, column, rows, most, seed):
        values = chunk.columns()[column]
        there = [place for place, value in enumerate(values) if value is not None]
        if there:
            parts.append(_stacked([values[place] for place in there], table, column))
            ids += [chunk.ids[place] for place in there]
    if len({part.shape[1] for part in parts}) != 1:
        what = "no vectors yet" if not parts else "vectors of unequal length"
        raise FeatureError(f"{column!r} of table {table!r} has {what}: run `adaptml featurize` on the table")
    return TableVectors(
        table, column, np.array(ids, dtype=object), np.concatenate(parts), rows, is_sample=rows > most
    )


def _chunks(points: Points, table: str, column: str, rows: int, most: int, seed: int) -> Iterator[StoredRows]:
    if rows <= most:
        yield from points.scan_stored(table, [column])
        return
    chosen = np.random.default_rng(seed).choice(rows, most, replace=False, shuffle=False)
    is_chosen = np.zeros(rows, np.bool_)
    is_chosen[chosen] = True
    seen = 0
    ids: list[str] = []
    for chunk in points.database.scan(table, [], chunk_rows=CHUNK_ROWS):
        ids += chunk["id"][is_chosen[seen : seen + len(chunk)]].tolist() if seen < rows else []
        seen += len(chunk)
    for start in range(0, len(ids), CHUNK_ROWS):
        keys = pd.DataFrame({"table_name": table, "id": ids[start : start + CHUNK_ROWS]}, dtype=str)
        yield from points.read_stored(keys[KEYS], [column])


def _stacked(values: list[object], table: str, column: str) -> Matrix:
    """Vectors as a matrix, each of length 1."""
    try:
        return unit_rows(np.stack([np.asarray(value, np.float32) for value in values]))
    except (TypeError, ValueError, np.exceptions.AxisError) as error:
        raise FeatureError(
            f"{column!r} of table {table!r} holds no vectors of one length; name a vector column, which "
            "`adaptml featurize` makes"
        ) from error
