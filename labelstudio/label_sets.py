"""Label sets as codes, and how far apart two label sets are."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from adaptml.tasks import Task, indicator, names

MISSING = -1

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.intp]
Distance = Callable[[npt.NDArray[np.int8]], Floats]  # from label sets (v, k) to distances (v, v)


@dataclass(frozen=True)
class Ratings:
    """Who gave which label set to which point.

    Attributes:
        codes: int array (n points, m annotators); a row of `sets`, or -1 where the annotator gave none.
        sets: int8 array (v, k), values in {0, 1}: the v label sets that occur, each once.
    """

    codes: Codes
    sets: npt.NDArray[np.int8]

    @property
    def n_by_point(self) -> Codes:
        """How many annotators each point has, (n,)."""
        n: Codes = (self.codes != MISSING).sum(axis=1)
        return n

    def pairable(self) -> "Ratings":
        """The points that at least two annotators labelled: only these say anything about agreement."""
        return Ratings(self.codes[self.n_by_point >= 2], self.sets)

    def of(self, annotators: Sequence[int]) -> "Ratings":
        """The labels of these annotators (columns), on the points that at least two of them labelled."""
        return Ratings(self.codes[:, list(annotators)], self.sets).pairable()

    def of_class(self, place: int) -> "Ratings":
        """Whether one class (its place, 0 … k-1) was chosen: label sets become present or absent."""
        chosen = np.append(self.sets[:, place].astype(np.intp), MISSING)
        return Ratings(chosen[self.codes], np.array([[0], [1]], dtype=np.int8))

    def names(self, class_names: Sequence[str]) -> list[list[str]]:
        """The v label sets as lists of class names."""
        return names(self.sets, class_names)


def encode(label_sets: Sequence[Sequence[Sequence[str] | None]], class_names: Sequence[str]) -> Ratings:
    """Ratings from label sets.

    Args:
        label_sets: n rows of m cells: a list of class names (the order means nothing), or None.
        class_names: k names.

    Raises:
        TaskError: names that are not classes of the task.

    >>> encode([[["b", "a"], ["a", "b"]], [None, []]], ["a", "b"]).codes.tolist()
    [[1, 1], [-1, 0]]
    """
    cells = [None if cell is None else frozenset(cell) for row in label_sets for cell in row]
    place = {name: i for i, name in enumerate(class_names)}
    seen = {cell for cell in cells if cell is not None}
    domain = sorted(seen, key=lambda s: sorted(place.get(name, -1) for name in s))
    code = {cell: i for i, cell in enumerate(domain)}
    flat = [MISSING if cell is None else code[cell] for cell in cells]
    annotators = len(label_sets[0]) if label_sets else 0
    codes = np.array(flat, dtype=np.intp).reshape(len(label_sets), annotators)
    return Ratings(codes, indicator([sorted(s) for s in domain], class_names))


def ratings_of(frame: pd.DataFrame, people: Sequence[str], task: Task) -> Ratings:
    """Ratings from a frame with a column of label sets per annotator, in the class names of now.

    A label set that no longer says which class it is, since that was split or dropped, counts as none given.

    Args:
        frame: n rows; cells are lists of class names of any time, or None.
        people: the m columns.
        task: the classes, and what became of those of before.

    Raises:
        TaskError: names that never were classes of the task.
    """
    cells = [[None if cell is None else tuple(cell) for cell in frame[name]] for name in people]
    now = {cell: task.now(cell) for column in cells for cell in column if cell is not None}
    known = {cell: None if found.undecided else found.labels for cell, found in now.items()}
    rows = [[None if cell is None else known[cell] for cell in row] for row in zip(*cells, strict=True)]
    return encode(rows, task.class_names)


def nominal(sets: npt.NDArray[np.int8]) -> Floats:
    """Distance 0 between equal label sets and 1 between any others.

    Args:
        sets: (v, k), values in {0, 1}, each row once.

    Returns:
        float array (v, v), symmetric, zero on the diagonal.
    """
    return 1.0 - np.eye(len(sets))


def masi(sets: npt.NDArray[np.int8]) -> Floats:
    """MASI distance 1 - J·M (Passonneau 2006, "Measuring Agreement on Set-valued Items", LREC).

    J is the Jaccard index; M is 1 for equal sets, 2/3 where one holds the other, 1/3 where they
    overlap, 0 where they share nothing. An empty set is equal to itself and shares nothing with others.

    Args:
        sets: (v, k), values in {0, 1}, each row once.

    Returns:
        float array (v, v), values in [0, 1], symmetric, zero on the diagonal.
    """
    members = sets.astype(np.float64)
    size = members.sum(axis=1)
    shared = members @ members.T
    union = size[:, None] + size[None, :] - shared
    jaccard = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    within = shared == np.minimum(size[:, None], size[None, :])
    distance: Floats = 1.0 - jaccard * np.where(within, 2 / 3, 1 / 3)
    np.fill_diagonal(distance, 0.0)
    return distance


DISTANCES: dict[str, Distance] = {"nominal": nominal, "masi": masi}
