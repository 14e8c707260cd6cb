"""Feature columns that no encoder made: numbers, categories, vectors, and texts.

What is learned of them from the rows that a model is trained on is kept with the model, as JSON, and used on
every row that it is asked about. It is what scikit-learn's SimpleImputer (the median, with an indicator),
StandardScaler and OneHotEncoder (unknown categories as zeros) do.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import groupby
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from adaptml.database.facts import kind
from adaptml.database.types import as_vector
from adaptml.errors import DatabaseError, FeatureError, MissingDataPointsError, listed
from adaptml.features.catalogue import COLUMN, Reference
from adaptml.features.points import Points
from adaptml.features.reading import Matrix, Rows, cells_of, column_matrix, named_points, read_features

# A text column with more values, or with values that are there once each, is text and no category.
MAX_CATEGORIES = 100
MIN_ROWS_PER_CATEGORY = 2
# So many rows tell the scale of vectors to about 2 %, in a moment.
SCALE_ROWS = 2000


@dataclass(frozen=True)
class Number:
    """A column of numbers, standardised: penalties and distances ask how large numbers are.

    Attributes:
        median: what a missing number counts as, beside a second number that says that it is missing (1 or
            0); None where the algorithm takes missing numbers as they are (NaN), and without gaps.
        mean: what is taken from each number.
        scale: what it is divided by then, > 0.
        gaps: whether numbers were missing in some rows; where none was, none may be.
    """

    median: float | None = None
    mean: float = 0.0
    scale: float = 1.0
    gaps: bool = True

    def matrix(self, frame: Rows, name: str) -> Matrix:
        """Cells of n rows as float32 (n, 1), or (n, 2) with a median."""
        numbers = _numbers(frame, name)
        missing = np.isnan(numbers)
        if missing.any() and not self.gaps:
            column_matrix(frame, name)  # which says where
        known = numbers if self.median is None else np.where(missing, self.median, numbers)
        standard = ((known - self.mean) / self.scale).astype(np.float32)
        told = [standard] if self.median is None else [standard, missing]
        return np.column_stack(told).astype(np.float32)


@dataclass(frozen=True)
class Category:
    """A column of text with few values.

    Attributes:
        categories: the values, sorted.
    """

    categories: tuple[str, ...]

    def matrix(self, frame: Rows, name: str) -> Matrix:
        """Cells of n rows as float32 (n, k): 1 in the place of a row's value, zeros for others or none."""
        values = cells_of(frame, name)
        wrong = np.array([not (value is None or isinstance(value, str)) for value in values], dtype=bool)
        if wrong.any():
            raise FeatureError(
                f"feature column {name!r} holds {type(values[wrong.argmax()]).__name__} for "
                f"{named_points(frame, wrong)}; expected text, as the rows that the model learned from"
            )
        places = {category: place for place, category in enumerate(self.categories)}
        codes = np.array([places.get(value, -1) for value in values])
        return np.asarray(codes[:, None] == np.arange(len(places)), dtype=np.float32)


@dataclass(frozen=True)
class Scaled:
    """A column of vectors from elsewhere, of numbers of any size: penalties ask how large they are.

    Attributes:
        scale: what each number is divided by, > 0. It is one for all, so that directions stay.
    """

    scale: float

    def matrix(self, frame: Rows, name: str) -> Matrix:
        """Cells of n rows as float32 (n, d)."""
        return self.divide(column_matrix(frame, name))

    def divide(self, matrix: Matrix) -> Matrix:
        """Vectors as they stand → as the model reads them, in the same memory."""
        matrix /= np.float32(self.scale)
        return matrix


@dataclass(frozen=True)
class Text:
    """A column of texts, which the algorithm reads as they are."""

    def matrix(self, frame: Rows, name: str) -> Any:
        """Cells of n rows as texts, object (n, 1); an empty cell is an empty text."""
        values = ["" if _is_missing(value) else value for value in cells_of(frame, name)]
        wrong = np.array([not isinstance(value, str) for value in values], dtype=bool)
        if wrong.any():
            found = next(value for value in values if not isinstance(value, str))
            raise FeatureError(
                f"column {name!r} holds {type(found).__name__} for {named_points(frame, wrong)}; expected "
                "text, which this algorithm learns from: name a column of texts with --features"
            )
        return np.array(values, dtype=object).reshape(-1, 1)


Learned = Number | Category | Scaled | Text


@dataclass(frozen=True)
class Columns:
    """What was learned of columns that are read otherwise than they stand.

    Attributes:
        learned: name of a column → what was learned.
        notes: a sentence on each, for people.
    """

    learned: Mapping[str, Learned] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def read(
        self,
        points: Points,
        keys: pd.DataFrame,
        features: Sequence[Reference],
        *,
        show_progress: bool = False,
    ) -> Matrix:
        """The features of data points as one matrix, as `read_features`, with these columns as was learned.

        Returns:
            float32 (n, d), finite but for missing numbers (NaN) of algorithms that take them; texts,
            object (n, c), for an algorithm that learns from these.

        Raises:
            FeatureError: cells that are no numbers or no text; and as `read_features`.
        """
        if not self.learned:
            return read_features(points, keys, features, show_progress=show_progress)
        parts = []
        for kind_of, some in groupby(features, lambda feature: type(self.learned.get(str(feature)))):
            named = list(some)
            # Vectors may be long: they go into the matrix as they are read.
            if kind_of is type(None):
                parts.append(read_features(points, keys, named, show_progress=show_progress))
                continue
            if kind_of is Scaled:
                parts += [self._scaled(points, keys, one, show_progress=show_progress) for one in named]
                continue
            frame = points.read(keys, named, show_progress=show_progress)
            parts += [self.matrix(frame, feature) for feature in named]
        return parts[0] if len(parts) == 1 else np.hstack(parts)

    def _scaled(
        self, points: Points, keys: pd.DataFrame, feature: Reference, *, show_progress: bool
    ) -> Matrix:
        known = self.learned[str(feature)]
        assert isinstance(known, Scaled)  # noqa: S101 - as `read` found
        return known.divide(read_features(points, keys, [feature], show_progress=show_progress))

    def matrix(self, frame: Rows, feature: Reference) -> Matrix:
        """One column or feature of n points, as the model reads it: float32 (n, d).

        Raises:
            FeatureError: as `read`.
        """
        name = str(feature)
        known = self.learned.get(name)
        return column_matrix(frame, name) if known is None else known.matrix(frame, name)

    def scale(self, features: Sequence[Reference]) -> float | None:
        """What all numbers of some vectors are divided by; None where that is not one number, or not all."""
        scales = set()
        for feature in features:
            known = self.learned.get(str(feature))
            if not (known is None or isinstance(known, Scaled)):
                return None
            scales.add(1.0 if known is None else known.scale)
        return scales.pop() if len(scales) == 1 else None

    def to_json(self) -> dict[str, dict[str, Any]]:
        """What is kept with a model."""
        return {
            name: {"text": True} if isinstance(known, Text) else dict(vars(known))
            for name, known in self.learned.items()
        }

    @classmethod
    def from_json(cls, said: Mapping[str, Mapping[str, Any]]) -> "Columns":
        """What `to_json` gave.

        Raises:
            KeyError, TypeError, ValueError: it is something else.
        """
        return cls({name: _known(column) for name, column in said.items()})


def _known(said: Mapping[str, Any]) -> Learned:
    if said.get("text") is True:
        return Text()
    if set(said) == {"scale"}:
        return Scaled(_positive(float(said["scale"]), "scale"))
    if "categories" in said:
        if not isinstance(said["categories"], list) or len(said["categories"]) > MAX_CATEGORIES:
            raise ValueError(f"categories are no list of {MAX_CATEGORIES} or fewer")
        return Category(tuple(map(str, said["categories"])))
    median = None if said["median"] is None else float(said["median"])
    # Models of before read numbers as they stood, and only those of columns with gaps were kept.
    mean, scale = float(said.get("mean", 0.0)), float(said.get("scale", 1.0))
    for what, number in (("median", median), ("mean", mean)):
        if number is not None and not math.isfinite(number):
            raise ValueError(f"{what} is {number}; expected a finite number")
    return Number(median, mean, _positive(scale, "scale"), said.get("gaps", True) is True)


def _positive(number: float, what: str) -> float:
    if not (math.isfinite(number) and number > 0):
        raise ValueError(f"{what} is {number}; expected a finite number above 0")
    return number


def learn_columns(
    points: Points, keys: pd.DataFrame, features: Sequence[Reference], *, keeps_missing: bool
) -> Columns:
    """Look at the columns of the rows that a model is trained on.

    Args:
        points: reads columns.
        keys: frame with `table_name` and `id` of these rows.
        features: what the model learns from; vectors that an encoder made are left as they are.
        keeps_missing: whether the algorithm takes missing numbers as they are.

    Raises:
        FeatureError: a column that is empty or the same text in all rows, or free text.
        DatabaseError: a table or column is missing, or the database refuses.
    """
    if keys.empty:
        return Columns()
    tables = sorted(set(keys["table_name"]))
    wanted = _without_vectors(points, tables, features)
    learned: dict[str, Learned] = {}
    notes = []
    frame = points.read(keys, wanted) if wanted else keys
    for name in map(str, wanted):
        known, note = _learned(frame[name], name, keeps_missing=keeps_missing)
        if known is not None:
            learned[name] = known
        if note:
            notes.append(note)
    numbers = {name: known for name, known in learned.items() if isinstance(known, Number)}
    if numbers:
        learned |= {name: _sharing(known, len(numbers)) for name, known in numbers.items()}
        notes.insert(0, f"standardised by mean and deviation: {listed([*numbers])}")
    others = [one for one in features if one.version == COLUMN and one.name not in learned]
    scaled = _learned_vectors(points, keys, others)
    if scaled:
        notes.insert(0, f"vectors that no encoder here made, scaled to a variance of 1: {listed([*scaled])}")
    return Columns(learned | scaled, tuple(notes))


def _sharing(known: Number, n: int) -> Number:
    """A column that is one of n: together they are about as long as a text's vector, however many."""
    return replace(known, scale=known.scale * math.sqrt(n))


def _learned_vectors(points: Points, keys: pd.DataFrame, columns: Sequence[Reference]) -> dict[str, Scaled]:
    """Columns of vectors → their scale, by up to SCALE_ROWS rows from the first to the last."""
    places = np.unique(np.linspace(0, len(keys) - 1, SCALE_ROWS).astype(np.int64))
    some = keys.iloc[places].reset_index(drop=True)
    learned = {}
    for column in columns:
        try:
            vectors = read_features(points, some, [column])
        except (FeatureError, MissingDataPointsError):
            continue  # it is said where all rows are read, and of all of them
        scale = math.sqrt(vectors.var(axis=0, dtype=np.float64).sum())
        if scale > np.finfo(np.float32).eps * np.abs(vectors).max(initial=0.0):  # else all are alike
            learned[str(column)] = Scaled(scale)
    return learned


def _without_vectors(points: Points, tables: Sequence[str], features: Sequence[Reference]) -> list[Reference]:
    """Columns and features that hold something else than vectors or lists, as their types say."""
    types = [points.database.columns(str(table)) for table in tables]
    plain = [
        {name for name, found in columns.items() if kind(found) not in {"vector", "list of text"}}
        for columns in types
    ]
    known = {f.reference: f.kind for table in tables for f in points.catalogue.of_table(str(table))}
    return [
        f
        for f in features
        if known.get(f) in ("answer", "score")
        or (f.version == COLUMN and all(f.name in names for names in plain))
    ]


def _learned(cells: pd.Series, name: str, *, keeps_missing: bool) -> tuple[Learned | None, str]:
    """What is learned of a column, and a sentence on it; None for one that is read as it stands."""
    given = [cell for cell in cells if not _is_missing(cell)]
    if not given:
        raise FeatureError(
            f"feature column {name!r} is empty in all {len(cells)} rows to learn from; "
            "fill it in, or leave it out"
        )
    kinds = set(map(type, given))
    if all(issubclass(found, int | float | Decimal | np.number) for found in kinds):
        return _learned_numbers(given, len(cells), name, keeps_missing=keeps_missing)
    if kinds == {str} and not _is_vector(given[0]):
        return _learned_category(given, len(cells), name)
    return None, ""


def _learned_numbers(given: Sequence[Any], n: int, name: str, *, keeps_missing: bool) -> tuple[Number, str]:
    numbers, missing = np.array(given, dtype=np.float64), n - len(given)
    with np.errstate(invalid="ignore", over="ignore"):  # infinite ones are refused where they are read
        mean, deviation = float(numbers.mean()), float(numbers.std())
    # What is as good as constant stays small, in place of being blown up.
    scale = deviation if deviation > np.finfo(np.float64).eps * np.abs(numbers).max() else 1.0
    known = Number(None, mean, scale, gaps=missing > 0)
    if not missing:
        return known, ""
    what = f"{name}: {missing:,} of {n:,} rows have no number"
    if keeps_missing:
        return known, f"{what}, which the algorithm takes as it is"
    median = float(np.median(numbers))
    note = f"{what}; they count as the median, {median:g}, and a second number says so"
    return replace(known, median=median), note


def _learned_category(given: Sequence[str], n: int, name: str) -> tuple[Category, str]:
    values = sorted(set(given))
    if len(values) == 1 and len(given) == n > 1:
        raise FeatureError(
            f"feature column {name!r} holds the same text in all {n} rows to learn from, which says nothing: "
            "name the column of its vectors, which `adaptml featurize` makes, or leave it out"
        )
    if len(values) > MAX_CATEGORIES or MIN_ROWS_PER_CATEGORY * len(values) > len(given):
        raise FeatureError(
            f"feature column {name!r} holds text with {len(values):,} values in {len(given):,} rows; as a "
            f"category it may have {MAX_CATEGORIES}, in {MIN_ROWS_PER_CATEGORY} rows each on average: make "
            "vectors of it with `adaptml featurize` and name these, or leave it out"
        )
    note = f"{name}: text, taken as a category of {len(values)} values ({listed(values)})"
    return Category(tuple(values)), f"{note}; any other value, and none, is none of them"


def _is_missing(cell: Any) -> bool:
    return cell is None or (isinstance(cell, float | np.floating) and math.isnan(cell))


def _is_vector(text: str) -> bool:
    """Whether a text is a list of numbers as JSON."""
    try:
        as_vector(text)
    except DatabaseError:
        return False
    return True


def _numbers(frame: Rows, name: str) -> npt.NDArray[np.float64]:
    """Cells as numbers, NaN where there is none: (n,)."""
    cells = cells_of(frame, name)
    if isinstance(cells, np.ndarray) and cells.dtype.kind in "iufb":
        numbers = cells.astype(np.float64)
    else:
        wrong = np.array(
            [not (cell is None or isinstance(cell, int | float | Decimal | np.number)) for cell in cells],
            dtype=bool,
        )
        if wrong.any():
            raise FeatureError(
                f"feature column {name!r} holds {type(cells[wrong.argmax()]).__name__} for "
                f"{named_points(frame, wrong)}; expected numbers, as in the rows that the model learned from"
            )
        numbers = np.array([math.nan if cell is None else float(cell) for cell in cells], dtype=np.float64)
    infinite = np.isinf(numbers.astype(np.float32))
    if infinite.any():
        raise FeatureError(
            f"feature column {name!r} has values that are not finite in {named_points(frame, infinite)}; "
            "fix them"
        )
    return numbers
