"""Features of data points as one matrix."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from adaptml.database.types import as_vector
from adaptml.errors import DatabaseError, FeatureError, listed
from adaptml.features.points import Asked, Points
from adaptml.frames import KEYS

Matrix = npt.NDArray[np.float32]
# n data points: `table_name`, `id` and what was read of them, by name; a frame, or sequences without one.
Rows = pd.DataFrame | Mapping[str, Sequence[Any]]


def read_features(
    points: Points, keys: pd.DataFrame, columns: Sequence[Asked], *, show_progress: bool = False
) -> Matrix:
    """The features of data points, concatenated in the order of the columns.

    Args:
        points: reads columns and features.
        keys: frame with table_name and id (n rows).
        columns: columns of numbers or vectors, and features, at least one.
        show_progress: draw a progress bar.

    Returns:
        float32 array (n, d), rows in the order of the keys, all values finite; d is the sum of the
        columns' lengths, a number counting as one.

    Raises:
        FeatureError: no column, a column that is neither number nor vector, empty cells, vectors of unequal
            length, NaN or infinite values.
        MissingDataPointsError: points that are not in their table.
        DatabaseError: a table or column is missing, or the database refuses.
    """
    if not columns:
        raise FeatureError("no feature column given; expected at least one number or vector column")
    frame = points.read(keys, columns, show_progress=show_progress)
    parts = [column_matrix(frame, str(column)) for column in columns]
    return parts[0] if len(parts) == 1 else np.hstack(parts)


def cells_of(rows: Rows, name: str) -> Any:
    """What was read of one column of n data points: a sequence, or an array (n,)."""
    return rows[name].to_numpy() if isinstance(rows, pd.DataFrame) else rows[name]


def column_matrix(frame: Rows, name: str) -> Matrix:
    """One column of n data points as float32 (n, d), all values finite.

    Raises:
        FeatureError: as `read_features`.
    """
    values = cells_of(frame, name)
    kinds = set(map(type, values))  # one pass in C; rows are looked at singly only where something is wrong
    if type(None) in kinds:
        empty = np.array([value is None for value in values], dtype=bool)
        raise FeatureError(
            f"feature column {name!r} is empty for {named_points(frame, empty)}; "
            "compute it with `adaptml featurize`",
            n_empty=int(empty.sum()),
        )
    if not all(issubclass(kind, np.ndarray | int | float | np.number) for kind in kinds):
        values = _numbers(frame, name)  # vectors in other forms, and numbers with fixed places
        kinds = set(map(type, values))
    vectors = kinds == {np.ndarray}
    lengths = np.fromiter(map(len if vectors else np.size, values), np.int64, len(values))
    usual = int(np.bincount(lengths).argmax())
    odd: npt.NDArray[np.bool_] = np.not_equal(lengths, usual)
    if odd.any():
        raise FeatureError(
            f"vectors of feature column {name!r} differ in length: most have {usual} numbers, "
            f"{lengths[odd][0]} in {named_points(frame, odd)}; featurise the column again (--all)"
        )
    matrix = np.empty((len(values), usual), dtype=np.float32)
    if vectors:
        np.concatenate(values, out=matrix.reshape(-1), casting="same_kind")
    else:
        matrix[:] = np.array(list(values), dtype=np.float32).reshape(matrix.shape)
    broken: npt.NDArray[np.bool_] = np.logical_not(np.isfinite(matrix).all(axis=1))
    if broken.any():
        raise FeatureError(
            f"feature column {name!r} has values that are not finite in {named_points(frame, broken)}; "
            "fix them"
        )
    return matrix


def _numbers(frame: Rows, name: str) -> npt.NDArray[np.object_]:
    """Numbers and vectors of cells that hold them as lists, JSON text, bytes or decimals."""
    values = np.empty(len(frame["id"]), dtype=object)
    for place, value in enumerate(cells_of(frame, name)):
        try:
            if isinstance(value, Decimal):
                values[place] = float(value)
            else:
                number = isinstance(value, int | float | np.number)
                values[place] = value if number else as_vector(value)
        except DatabaseError as error:
            key = "/".join(str(cells_of(frame, part)[place]) for part in KEYS)
            raise FeatureError(
                f"feature column {name!r} holds {error} in {key}; expected numbers or vectors of numbers: "
                "name the column of its vectors, which `adaptml featurize` makes"
            ) from error
    return values


def named_points(frame: Rows, chosen: npt.NDArray[np.bool_]) -> str:
    """How many of n data points are chosen, bool (n,), and the first of them by name."""
    keys = zip(*(cells_of(frame, part) for part in KEYS), strict=True)
    names = [f"{table}/{key}" for (table, key), is_chosen in zip(keys, chosen, strict=True) if is_chosen]
    return f"{len(names)} of {len(chosen)} data points ({listed(names)})"
