"""A map of a table: the vectors of a sample of its rows, laid out in a plane."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from adaptml.browsing.sample import sample_ids
from adaptml.errors import FeatureError, FrameError, listed
from adaptml.features.points import Points
from adaptml.features.reading import column_matrix
from adaptml.files import replacing
from adaptml.frames import METADATA
from adaptml.project import Project

Method = Literal["pca", "tsne"]
METHODS: dict[str, int] = {"pca": 5_000, "tsne": 2_000}  # → how many rows, at most
SIZE = 100.0  # width and height of the plane
FEWEST = 3
FOLDER = "workbench/_maps"

Plane = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Projection:
    """Rows in a plane.

    Attributes:
        key: names this map; the same vectors and way of projecting have the same.
        table: the data table.
        column: the vectors.
        method: `pca` or `tsne`.
        ids: of the n rows, sorted.
        xy: float64 (n, 2), in [0, 100].
        of: what the rows are, in words for people.
    """

    key: str
    table: str
    column: str
    method: str
    ids: Sequence[str]
    xy: Plane
    of: str

    def region(self, x0: float, y0: float, x1: float, y1: float) -> list[str]:
        """The ids of the rows in a rectangle, its borders included; corners in any order."""
        low, high = np.minimum([x0, y0], [x1, y1]), np.maximum([x0, y0], [x1, y1])
        inside = ((self.xy >= low) & (self.xy <= high)).all(axis=1)
        return [self.ids[place] for place in np.flatnonzero(inside).tolist()]


def vector_columns(points: Points, table: str) -> list[str]:
    """Columns and features of a table that hold vectors, features first.

    Raises:
        UnknownTableError: no such table.
    """
    from adaptml.database.facts import kind

    features = [feature.name for feature in points.catalogue.of_table(table) if feature.kind == "vector"]
    columns = [name for name, type_ in points.database.columns(table).items() if kind(type_) == "vector"]
    return list(dict.fromkeys([*features, *columns]))


def map_table(project: Project, table: str, column: str, *, method: str = "pca", seed: int = 0) -> Projection:
    """Lay out a sample of a table by its vectors; a map that was laid out before is read again.

    By the first two principal components (at most 5,000 rows), or by t-SNE (van der Maaten and Hinton 2008;
    at most 2,000 rows, begun from the principal components): there, rows that are near each other are
    alike, and distances between groups mean nothing. Rows without a vector are left out. Maps are kept in the
    home folder, in `unlabeled_data/maps`.

    Args:
        project: holds the table and its features.
        table: a data table.
        column: a feature or a column of vectors.
        method: `pca` or `tsne`.
        seed: draws the sample, and lays out.

    Raises:
        FrameError: another method.
        FeatureError: a column without vectors, or with fewer than 3.
        DatabaseError: the database refuses.
    """
    if method not in METHODS:
        raise FrameError(f"no way {method!r} to lay out a map; expected one of {listed(list(METHODS))}")
    if column not in (known := vector_columns(project.points, table)):
        raise FeatureError(
            f"table {table!r} has no vectors {column!r}; it has {listed(known, 20) or 'none'}: "
            "`adaptml featurize` makes them"
        )
    drawn = sample_ids(project.database, table, METHODS[method], seed)
    frame = pd.DataFrame({"table_name": table, "id": drawn.ids}, dtype=str)
    frame = project.points.read(frame, [column], skip_missing=True)
    frame = frame[[value is not None for value in frame[column]]].reset_index(drop=True)
    if len(frame) < FEWEST:
        raise FeatureError(
            f"{len(frame)} of {len(drawn.ids)} rows of table {table!r} have a vector {column!r}; "
            f"expected at least {FEWEST}: `adaptml featurize` makes them"
        )
    X, ids = column_matrix(frame, column), frame["id"].tolist()
    key = _key(table, column, method, seed, ids, X)
    path = project.settings.unlabeled_data / FOLDER / f"{key}.parquet"
    if not path.is_file():
        of = drawn.how if len(ids) == len(drawn.ids) else f"{len(ids):,} with vectors of {drawn.how}"
        _write(Projection(key, table, column, method, ids, _scaled(_laid_out(X, method, seed)), of), path)
    return read_map(project, key)


def read_map(project: Project, key: str) -> Projection:
    """A map that was laid out before.

    Raises:
        FrameError: there is none of that name.
    """
    path = project.settings.unlabeled_data / FOLDER / f"{key}.parquet"
    if not key.isalnum() or not path.is_file():
        raise FrameError(f"no map {key!r} any more; lay it out again")
    frame = pd.read_parquet(path)
    said = frame.attrs[METADATA]
    xy = frame[["x", "y"]].to_numpy(np.float64)
    return Projection(
        key, said["table"], said["column"], said["method"], frame["id"].tolist(), xy, said["of"]
    )


def _write(made: Projection, path: Path) -> None:
    # Both keys, so that `forget` finds its points here too.
    frame = pd.DataFrame(
        {"table_name": made.table, "id": list(made.ids), "x": made.xy[:, 0], "y": made.xy[:, 1]}
    )
    frame.attrs[METADATA] = {name: getattr(made, name) for name in ("table", "column", "method", "of")}
    with replacing(path) as temporary:
        frame.to_parquet(temporary, index=False)


def _key(
    table: str, column: str, method: str, seed: int, ids: Sequence[str], X: npt.NDArray[np.float32]
) -> str:
    digest = hashlib.blake2b(digest_size=10)
    for part in (table, column, method, str(seed), *ids):
        digest.update(part.encode("utf-8", "surrogatepass") + b"\0")
    digest.update(np.ascontiguousarray(X).tobytes())
    return digest.hexdigest()


def _laid_out(X: npt.NDArray[np.float32], method: str, seed: int) -> Plane:
    """(n, 2): principal components, or t-SNE begun from them."""
    from sklearn.decomposition import PCA

    n_components = min(50 if method == "tsne" else 2, *X.shape)
    reduced = PCA(n_components, random_state=seed).fit_transform(X.astype(np.float64))
    if method == "pca":
        return reduced if reduced.shape[1] == 2 else np.hstack([reduced, np.zeros_like(reduced)])
    from sklearn.manifold import TSNE

    perplexity = min(30.0, (len(X) - 1) / 3)
    start = "pca" if reduced.shape[1] >= 2 else "random"
    found: Plane = TSNE(2, perplexity=perplexity, init=start, random_state=seed).fit_transform(reduced)
    return found.astype(np.float64)


def _scaled(xy: Plane) -> Plane:
    """The layout in [0, 100] along both axes; all in the middle along one without any extent."""
    low, extent = xy.min(axis=0), np.ptp(xy, axis=0)
    return np.where(extent > 0, SIZE * (xy - low) / np.where(extent > 0, extent, 1.0), SIZE / 2)
