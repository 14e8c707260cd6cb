"""Look at the versions of features, compare two of them, drop one."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from adaptml.errors import FeatureError, UnknownTableError, listed
from adaptml.features.catalogue import COLUMN, Feature, newest, split_reference
from adaptml.features.changes import find_changes
from adaptml.features.makers import can_make
from adaptml.features.points import Points
from adaptml.features.uses import read_uses
from adaptml.features.values import Cells, FeatureValues
from adaptml.project import Project

if TYPE_CHECKING:
    import pandas as pd

Vector1D = npt.NDArray[np.float32]
COMPARED_ROWS = 5_000  # rows in memory while two versions are compared
SAME_ATOL = 1e-6


@dataclass(frozen=True)
class FeatureComparison:
    """How two versions of a feature differ.

    Attributes:
        first, second: the versions, as `name@version`.
        rows: rows that have both.
        different: rows in which they differ.
        mean_cosine: mean cosine of the two vectors, NaN for lemmas and for vectors of different length; rows
            in which one is zeros count as 1 where both are, as 0 elsewhere.

    Example:
        >>> project.compare_features("comments", "vector@1", "vector@1").different
        0
    """

    first: str
    second: str
    rows: int
    different: int
    mean_cosine: float


def list_features(project: Project, table: str | None = None) -> "pd.DataFrame":
    """The versions of features that there are.

    Args:
        project: whose features they are.
        table: only those of this data table.

    Returns:
        Frame, a row per version and data table: `table_name`, `feature` (`name@version`), `encoder`,
        `source`, `dimensions` (0 for lemmas), `rows` (with a value), `stale` (rows of the data table that
        lack it or whose text has changed; NaN where the table is gone), `bytes` (size of the values; NaN
        where the database cannot tell), `stands_for_name` (whether the name alone means this version),
        `can_be_filled` (whether its encoder is what it was) and `used_by` (list of the registered models
        whose champions read it).

    Raises:
        DatabaseError: the database refuses, or is away.

    Example:
        >>> project.list_features("comments")[["feature", "encoder", "rows", "stale"]]
            feature    encoder  rows  stale
        0  tokens@1  lemmas:en    24      0
        1  vector@1    hashing    24      0
    """
    import pandas as pd

    points, uses = project.points, read_uses(project.results)
    features = points.catalogue.all() if table is None else points.catalogue.of_table(table)
    rows = [
        {
            "table_name": feature.table_name,
            "feature": str(feature.reference),
            "encoder": feature.made_by,
            "source": feature.source,
            "dimensions": feature.dimensions,
            "rows": FeatureValues(points.results, feature).count(),
            "stale": _stale(points, feature),
            "bytes": FeatureValues(points.results, feature).size(),
            "stands_for_name": _stands_for_name(features, feature),
            "can_be_filled": can_make(feature.spec),
            "used_by": uses.get(feature.reference, []),
        }
        for feature in features
    ]
    return pd.DataFrame(rows, columns=list(_COLUMNS))


_COLUMNS = (
    "table_name", "feature", "encoder", "source", "dimensions", "rows", "stale", "bytes", "stands_for_name",
    "can_be_filled", "used_by",
)  # fmt: skip


def _stands_for_name(features: list[Feature], feature: Feature) -> bool:
    here = [other for other in features if other.table_name == feature.table_name]
    return newest(here, feature.name) == feature


def _stale(points: Points, feature: Feature) -> float:
    """Rows that `featurize` would compute; NaN where the data table or its column is gone."""
    try:
        if feature.source not in points.database.columns(feature.table_name):
            return float("nan")
    except UnknownTableError:
        return float("nan")
    known = FeatureValues(points.results, feature).known()
    with find_changes(points.database, feature.table_name, [feature.source], [known]) as changes:
        return changes.counts.waiting


def compare_features(project: Project, table: str, first: str, second: str) -> FeatureComparison:
    """Compare two versions of a feature of a table, row by row.

    Args:
        project: holds the table.
        table: a data table.
        first: a version, such as `txt_vec@1`.
        second: another.

    Raises:
        FeatureError: the table has no such version, or one holds lemmas and the other vectors.

    Example:
        >>> project.compare_features("comments", "vector@1", "vector@1").rows
        24
    """
    a, b = (_version(project.points, table, text) for text in (first, second))
    if a.kind != b.kind:
        raise FeatureError(f"{first} holds {a.kind} and {second} {b.kind}; compare two of a kind")
    cells = [Cells(project.results, feature) for feature in (a, b)]
    rows = different = 0
    cosines: list[float] = []
    for ids in FeatureValues(project.results, a).ids(COMPARED_ROWS):
        for left, right in zip(*(found.values(ids) for found in cells), strict=True):
            if right is None:
                continue
            rows += 1
            if a.kind != "vector":
                different += left != right
            else:
                different += not _equal(left, right)
                cosines.append(_cosine(left, right))
    mean = float(np.mean(cosines)) if cosines else float("nan")
    return FeatureComparison(str(a.reference), str(b.reference), rows, different, mean)


def _equal(left: Vector1D, right: Vector1D) -> bool:
    return left.shape == right.shape and np.allclose(left, right, rtol=0, atol=SAME_ATOL)


def _cosine(left: Vector1D, right: Vector1D) -> float:
    if left.shape != right.shape:
        return float("nan")
    length = float(np.linalg.norm(left) * np.linalg.norm(right))
    return float(left @ right) / length if length else float(not left.any() and not right.any())


def drop_feature(project: Project, feature: str, table: str | None = None) -> list[str]:
    """Drop the values of one version of a feature; its number is not given again.

    Args:
        project: whose feature it is.
        feature: a version, such as `txt_vec@1`.
        table: only its values for this data table; default: for every table.

    Returns:
        The data tables that had it.

    Raises:
        FeatureError: no such version, or one that a champion or a task reads.

    Example:
        >>> done = project.featurize("spam", "comments", vector="other", encoder="hashing")
        >>> project.drop_feature("other@1")
        ['comments']
    """
    name, version = split_reference(feature)
    if version is None or version == COLUMN:
        raise FeatureError(f"{feature!r} names no version; expected such as {name}@1: see `adaptml features`")
    catalogue = project.points.catalogue
    every = [f for f in catalogue.all() if f.reference == (name, version)]
    found = [f for f in every if table in (None, f.table_name)]
    if not found:
        where = "" if table is None else f" for table {table!r}"
        raise FeatureError(f"there is no feature {feature!r}{where}; see `adaptml features`")
    _refuse_in_use(project, found)
    for one in found:
        # The catalogue first: a table that nobody knows of is litter, one that is gone would be an error.
        catalogue.forget_values(one)
        FeatureValues(project.results, one).drop()
    return [one.table_name for one in found]


def _refuse_in_use(project: Project, found: list[Feature]) -> None:
    reference = found[0].reference
    users = [f"the champion {model}" for model in read_uses(project.results).get(reference, [])]
    for name in project.task_names():
        task = project.task(name)
        if str(reference) in (*task.model_features, *task.lf_features):
            users.append(f"the task {name}")
    if users:
        raise FeatureError(
            f"{reference} is read by {listed(users)} and is not dropped; deploy a model of another version, "
            "or name another in the task file, first"
        )


def forget_features(project: Project, table: str, ids: list[str]) -> int:
    """Remove the values of some data points from every version of every feature of a table.

    Args:
        project: holds the features.
        table: the data table.
        ids: of the points.

    Returns:
        How many values there were.
    """
    features = project.points.catalogue.of_table(table)
    return sum(FeatureValues(project.results, feature).remove(ids) for feature in features)


def _version(points: Points, table: str, text: str) -> Feature:
    found = points.resolved(table, [text])[text]
    if found is None:
        raise FeatureError(f"table {table!r} has no feature {text!r}; see `adaptml features {table}`")
    return found
