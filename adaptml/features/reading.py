"""Features of data points as one matrix."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import accumulate, pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from adaptml.database.keyed import Places, asked, fill
from adaptml.database.stored import StoredRows
from adaptml.database.types import as_vector
from adaptml.errors import DatabaseError, FeatureError, listed
from adaptml.features.points import Asked, Points
from adaptml.frames import KEYS

Matrix = npt.NDArray[np.float32]
# n data points: `table_name`, `id` and what was read of them, by name; a frame, or sequences without one.
Rows = pd.DataFrame | Mapping[str, Sequence[Any]]

EMPTY = -1  # in place of the length of a vector that is not there


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
    keys = asked(keys)
    filled = _Matrix([str(column) for column in columns], len(keys))
    fill(keys, points.rows_of(columns), filled, skip_missing=False, show_progress=show_progress)
    return filled.checked(keys)


def cells_of(rows: Rows, name: str) -> Any:
    """What was read of one column of n data points: a sequence, or an array (n,)."""
    return rows[name].to_numpy() if isinstance(rows, pd.DataFrame) else rows[name]


def column_matrix(frame: Rows, name: str) -> Matrix:
    """One column of n data points as float32 (n, d), all values finite.

    Raises:
        FeatureError: as `read_features`.
    """
    values = cells_of(frame, name)
    filled = _Matrix([name], len(values))
    filled.put(np.arange(len(values)), [_measured(values)])
    return filled.checked(frame)


class _Block(NamedTuple):
    """One column of r data points.

    Attributes:
        lengths: numbers of each, int64 (r,); EMPTY where the cell is.
        vectors: float32 (r, d), where all have d numbers; else one array (d,) or None for each.
        wrong: place of the first cell that holds no numbers, and what it holds; None where all do.
    """

    lengths: npt.NDArray[np.int64]
    vectors: Matrix | Sequence[Matrix | None]
    wrong: tuple[int, DatabaseError] | None = None


class _Matrix:
    """Columns of n data points side by side, a few points at a time; what is wrong is said at the end."""

    def __init__(self, names: Sequence[str], n: int) -> None:
        self._names, self._n = names, n
        self._lengths = [np.full(n, EMPTY) for _ in names]
        self._finite = [np.ones(n, dtype=bool) for _ in names]
        self._wrong: list[dict[int, DatabaseError]] = [{} for _ in names]
        self._matrix: Matrix | None = None
        self._slices: list[slice] = []

    def take(self, places: Places, rows: StoredRows) -> None:
        """Put in the vectors of r rows."""
        self.put(places, [_block(rows, name) for name in self._names])

    def put(self, places: Places, blocks: Sequence[_Block]) -> None:
        """Put in one block a column."""
        if self._matrix is None:  # as wide as the vectors that come first
            widths = [max(0, _usual(block.lengths)) for block in blocks]
            ends = [0, *accumulate(widths)]
            self._slices = [slice(*ends) for ends in pairwise(ends)]
            self._matrix = np.empty((self._n, ends[-1]), dtype=np.float32)
        for number, (block, here) in enumerate(zip(blocks, self._slices, strict=True)):
            self._lengths[number][places] = block.lengths
            if block.wrong is not None:
                self._wrong[number][int(places[block.wrong[0]])] = block.wrong[1]
            fit = block.lengths == here.stop - here.start
            vectors = (
                block.vectors if fit.all() else [block.vectors[row] for row in np.flatnonzero(fit).tolist()]
            )
            if len(vectors):
                to = places if fit.all() else places[fit]
                part = np.asarray(vectors, dtype=np.float32)
                finite = np.isfinite(part)
                self._finite[number][to] = finite.all() or finite.all(axis=1)  # by row only where need be
                self._matrix[to, here] = part

    def repeat(self, places: Places, of: Places) -> None:
        """The same points once more."""
        for known in (*self._lengths, *self._finite, *([] if self._matrix is None else [self._matrix])):
            known[places] = known[of]

    def checked(self, keys: Rows) -> Matrix:
        """The matrix, float32 (n, d), of these points.

        Raises:
            FeatureError: as `read_features`.
        """
        for number, name in enumerate(self._names):
            self._check(number, name, keys)
        return np.empty((0, 0), dtype=np.float32) if self._matrix is None else self._matrix

    def _check(self, number: int, name: str, keys: Rows) -> None:
        lengths = self._lengths[number]
        empty = lengths == EMPTY
        if empty.any():
            raise FeatureError(
                f"feature column {name!r} is empty for {named_points(keys, empty)}; "
                f"compute it with `adaptml featurize`{_or_else(name, 'fill it in')}; where its encoder has "
                "changed since, train again",
                n_empty=int(empty.sum()),
            )
        if self._wrong[number]:
            place, error = min(self._wrong[number].items())
            key = "/".join(str(cells_of(keys, part)[place]) for part in KEYS)
            raise FeatureError(
                f"feature column {name!r} holds {error} in {key}; expected numbers or vectors of numbers: "
                "name the column of its vectors, which `adaptml featurize` makes"
            ) from error
        usual = _usual(lengths)
        odd: npt.NDArray[np.bool_] = np.not_equal(lengths, usual)
        if odd.any():
            raise FeatureError(
                f"vectors of feature column {name!r} differ in length: most have {usual} numbers, "
                f"{lengths[odd][0]} in {named_points(keys, odd)}; featurise the column again "
                f"(--all){_or_else(name, 'give every row as many numbers')}"
            )
        broken = ~self._finite[number]
        if broken.any():
            raise FeatureError(
                f"feature column {name!r} has values that are not finite in {named_points(keys, broken)}; "
                "fix them"
            )


def _or_else(name: str, what: str) -> str:
    """What to do with a column that is no encoder's; nothing more with a version of a feature."""
    return "" if "@" in name else f", or {what} where it is your own"


def _usual(lengths: npt.NDArray[np.int64]) -> int:
    """The length that most vectors have; EMPTY where there is none."""
    there = lengths[lengths >= 0]
    return int(np.bincount(there).argmax()) if len(there) else EMPTY


def _block(rows: StoredRows, name: str) -> _Block:
    matrix = rows.matrix(name)
    if matrix is not None:
        return _Block(np.full(len(matrix), matrix.shape[1]), matrix)
    return _measured(rows.values(name))


def _measured(values: Sequence[Any] | npt.NDArray[Any]) -> _Block:
    """Values in any form: numbers, vectors, and what holds these as lists, JSON text, bytes or decimals."""
    kinds = set(map(type, values))  # one pass in C; rows are looked at singly only where something is wrong
    if kinds and all(issubclass(kind, int | float | np.number) for kind in kinds):
        numbers = np.array(list(values), dtype=np.float32).reshape(-1, 1)
        return _Block(np.ones(len(numbers), dtype=np.int64), numbers)
    if kinds == {np.ndarray}:
        lengths = np.fromiter(map(len, values), np.int64, len(values))
        same = (lengths == lengths[0]).all()
        return _Block(lengths, np.concatenate(values).reshape(len(values), lengths[0]) if same else values)
    vectors: list[Matrix | None] = []
    wrong = None
    for place, value in enumerate(values):
        try:
            vectors.append(None if value is None else _vector(value))
        except DatabaseError as error:
            vectors.append(np.empty(0, dtype=np.float32))
            wrong = wrong or (place, error)
    found = [EMPTY if vector is None else len(vector) for vector in vectors]
    return _Block(np.array(found, dtype=np.int64), vectors, wrong)


def _vector(value: Any) -> Matrix:
    """A number or a vector as float32 (d,).

    Raises:
        DatabaseError: it is neither.
    """
    if isinstance(value, int | float | Decimal | np.number):
        return np.array([float(value)], dtype=np.float32)
    return as_vector(value)


def named_points(frame: Rows, chosen: npt.NDArray[np.bool_]) -> str:
    """How many of n data points are chosen, bool (n,), and the first of them by name."""
    keys = zip(*(cells_of(frame, part) for part in KEYS), strict=True)
    names = [f"{table}/{key}" for (table, key), is_chosen in zip(keys, chosen, strict=True) if is_chosen]
    return f"{len(names)} of {len(chosen)} data points ({listed(names)})"
