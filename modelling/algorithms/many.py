"""Fitting algorithms that learn piece by piece on more rows than are held in memory."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.utils.validation import check_consistent_length

from adaptml.progress import progress
from modelling.algorithms.classifiers import Classifier, algorithm_name
from modelling.algorithms.core import Algorithm, Floats
from modelling.algorithms.fitting import NO_WEIGHT, not_converged, one_class, without_small
from modelling.algorithms.many_rows import SPARSE_BELOW, ManyRows, OneBlock, slices

COPIES = 2  # of the rows, while they are put together and while they are learned from
Classes = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Many:
    """What is learned from many rows.

    Attributes:
        rows: (n, d).
        Y: labels, float64 (n, k), values in [0, 1]; in multiclass a row's sum is 1.
        weights: how much each row counts, float64 (n,).
        classes: columns to learn: those that some row has or, where several are possible, that vary.
        exclusive: whether a row has one class.
        soft: whether there are labels other than 0 and 1, or next to nothing beside them.
        advance: called with the number of rows that were just looked at.
    """

    rows: ManyRows | OneBlock
    Y: Floats
    weights: Floats
    classes: Classes
    exclusive: bool
    soft: bool
    advance: Callable[[int], None]


@dataclass(frozen=True)
class Learned:
    """Classifiers of scikit-learn's: one of column numbers, one of all columns, or one a column of 0 and 1.

    Attributes:
        parts: the classifiers.
        steps: how many steps were taken.
        converged: whether these were enough.
    """

    parts: list[Any]
    steps: int
    converged: bool


def fit_many(
    made: Algorithm,
    rows: ManyRows | OneBlock,
    Y: Floats,
    weights: Floats | None,
    *,
    exclusive: bool,
    seed: int,
    show_progress: bool,
) -> tuple[list[Any], str]:
    """Classifiers as `fit_exclusive` and `fit_per_class` give them, and a sentence where they stopped early.

    Args:
        made: an algorithm that `learns_in_blocks`.
        rows: (n, d).
        Y: labels (n, k), values in [0, 1].
        weights: how much each row counts, (n,); None: all alike.
        exclusive: whether a row has one class.
        seed: of its random choices.
        show_progress: draw a bar.

    Raises:
        ModelError: one class only, a parameter out of bounds, or the optimiser diverged.
        ValueError: rows, labels or weights of different numbers.
    """
    check_consistent_length(rows, Y, weights)
    classes, soft = _learned_classes(Y, weights, exclusive=exclusive)
    if len(classes) < 1 + exclusive:
        raise one_class()
    made = made.from_options(made.get_params())  # a copy, whose parameters are looked at
    if "random_state" in made.get_params() and made.random_state is None:
        made.set_params(random_state=seed)
    counts = np.ones(len(Y)) if weights is None else np.asarray(weights, np.float64)
    with progress("training", None, shown=show_progress) as advance:
        found = made.fit_blocks(Many(rows, Y, counts, classes, exclusive, soft, advance))
    said = "" if found.converged else not_converged(made.name, found.steps, made.advice())
    if exclusive or len(found.parts) < len(classes):
        return found.parts, said
    learned = dict(zip(classes.tolist(), found.parts, strict=True))
    return [learned.get(c, float(Y[0, c])) for c in range(Y.shape[1])], said


def _learned_classes(Y: Floats, weights: Floats | None, *, exclusive: bool) -> tuple[Classes, bool]:
    """Columns of labels (n, k) that there is something to learn of, and whether some are soft.

    A row of weight 0 is a row that is not there.
    """
    some_has, some_has_not, soft = np.zeros(Y.shape[1], bool), np.zeros(Y.shape[1], bool), False
    for some in slices(len(Y)):
        part = Y[some] if weights is None else Y[some][weights[some] > 0]
        if exclusive:
            known = without_small(part)
        else:
            known = np.where(part < NO_WEIGHT, 0.0, np.where(part > 1 - NO_WEIGHT, 1.0, part))
        some_has |= (known > 0).any(axis=0)
        some_has_not |= (known < 1).any(axis=0)
        soft = soft or bool(np.any((known != 0) & (known != 1)))
    return np.flatnonzero(some_has if exclusive else some_has & some_has_not), soft


def at_once(made: Classifier, rows: ManyRows) -> Any:
    """All rows in memory, for an algorithm that does not learn piece by piece: sparse where it takes that.

    Raises:
        ModelError: there is no room for them.
    """
    n, d = rows.shape
    as_sparse = bool(getattr(made, "takes_sparse", False)) and rows.n_filled < SPARSE_BELOW * n * d
    name = algorithm_name(made)
    rows.memory.check(
        COPIES * (rows.n_filled * (1 + as_sparse) if as_sparse else n * d) * 4,
        f"{name} learns from all rows at once, and {n:,} rows of {d:,} numbers",
        "choose logistic_regression or mlp, which learn piece by piece, ",
    )
    return rows.in_memory(as_sparse=as_sparse)
