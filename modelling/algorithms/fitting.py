"""Fitting copies of one classifier on the label sets of a task, on hard or soft labels."""

import warnings
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from adaptml.errors import ModelError
from modelling.algorithms.classifiers import Classifier, algorithm_name
from modelling.algorithms.core import Algorithm, Floats, Matrix
from modelling.algorithms.many_rows import SPARSE_BELOW

NO_WEIGHT = 0.02  # a soft label below this is left out, as each costs a row; the others are scaled up
_WARNINGS = Lock()  # which warnings are shown, and where, belongs to the whole process


class Fitting:
    """Fits copies of one classifier on the same rows, and remembers which of them did not converge."""

    def __init__(self, made: Classifier, seed: int, X: Any, weights: Floats | None) -> None:
        self.classifier, self.weights = made, weights
        self._X = _compact(X) if getattr(made, "takes_sparse", False) and not sparse.issparse(X) else X
        names = [name for name, value in made.get_params().items() if value is None]
        self._seeds = {n: seed for n in names if n == "random_state" or n.endswith("__random_state")}
        self._stopped: list[Classifier] = []

    def fit_soft(self, Y: Floats) -> Any:
        """A classifier of column numbers from class weights (n, k)."""
        rows, y, shares = expanded(Y)
        weights = None if self.weights is None else self.weights[rows]
        if shares is not None:
            weights = shares if weights is None else shares * weights
        return self._fit(self._X if len(rows) == len(Y) else self._X[rows], y, weights)

    def fit_joint(self, Y: Floats) -> Any:
        """One classifier of all columns (n, k) at once, as they are."""
        return self._fit(self._X, Y.astype(np.int64), self.weights)

    def _fit(self, X: Any, y: npt.NDArray[np.int64], weights: Floats | None) -> Any:
        made = clone(self.classifier).set_params(**self._seeds)
        with _WARNINGS, warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", ConvergenceWarning)
            made.fit(X, y, **({} if weights is None else {"sample_weight": weights}))
        if any(issubclass(warning.category, ConvergenceWarning) for warning in caught):
            self._stopped.append(made)
        for warning in caught:
            if not issubclass(warning.category, ConvergenceWarning):
                warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)
        return made.estimator_ if isinstance(made, Algorithm) else made

    def unconverged(self) -> str:
        """A sentence on the classifiers that did not converge; "" where all did."""
        if not self._stopped:
            return ""
        made = self._stopped[0]
        steps = int(np.max(made.n_iter_)) if hasattr(made, "n_iter_") else None
        what = f"raise max_iter (now {made.max_iter})" if hasattr(made, "max_iter") else "see its parameters"
        advice = made.advice() if isinstance(made, Algorithm) else what
        return not_converged(algorithm_name(made), steps, advice)


def fit_exclusive(fitting: Fitting, Y: Floats) -> list[Any]:
    """One classifier."""
    if named(Y).sum() < 2:
        raise one_class()
    return [fitting.fit_soft(Y)]


def fit_per_class(fitting: Fitting, Y: Floats, is_soft: bool) -> list[Any]:
    """One classifier of all classes where it can learn them at once; else one per class."""
    varies = told_apart(Y)
    if not varies.any():
        raise one_class()
    if getattr(fitting.classifier, "native_multilabel", False) and not is_soft:
        return [fitting.fit_joint(Y)]
    pairs = [np.column_stack([1 - Y[:, c], Y[:, c]]) for c in range(Y.shape[1])]
    return [fitting.fit_soft(p) if varies[c] else float(p[0, 1]) for c, p in enumerate(pairs)]


def named(Y: Floats) -> npt.NDArray[np.bool_]:
    """Which of k classes that exclude each other any of the targets (n, k) name: (k,)."""
    return np.asarray(Y.sum(axis=0) > 0)


def told_apart(Y: Floats) -> npt.NDArray[np.bool_]:
    """Which of k classes some rows of the targets (n, k) have and some have not: (k,)."""
    return np.logical_and((Y > NO_WEIGHT).any(axis=0), (Y < 1 - NO_WEIGHT).any(axis=0))


def not_converged(name: str, steps: int | None, advice: str) -> str:
    """A sentence on an algorithm that stopped too early, after so many steps where that is known."""
    after = "" if steps is None else f" after {steps} iterations"
    return f"{name} stopped{after} before it converged; {advice}"


def one_class() -> ModelError:
    """What is raised where there is nothing to tell apart."""
    return ModelError(
        "the training data hold one class only, expected at least two; "
        "add data points of other classes, or look at the coverage of the labelling functions"
    )


def expanded(Y: Floats) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Floats | None]:
    """Soft labels (n, k) as row numbers, classes and weights; no weights where each row has one class."""
    Y = without_small(Y)
    rows, y = np.nonzero(Y)
    return rows, y, None if len(rows) == len(Y) else Y[rows, y]


def without_small(Y: Floats) -> Floats:
    """Soft labels (n, k) without those below NO_WEIGHT, the others scaled up."""
    Y = np.where(Y < NO_WEIGHT, 0.0, Y)
    return np.asarray(Y / np.maximum(Y.sum(axis=1, keepdims=True), NO_WEIGHT))


def _compact(X: Matrix) -> Any:
    """A sparse copy where most numbers are 0, else the matrix itself."""
    if X.size and np.count_nonzero(X) < SPARSE_BELOW * X.size:
        return sparse.csr_matrix(X)
    return X
