"""What every algorithm shares: its declaration, fitting on hard or soft labels, and prediction."""

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, ValidationError
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning

from adaptml.errors import ModelError
from adaptml.tasks import ProblemType

Floats = npt.NDArray[np.float64]
Matrix = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]

NO_MASS = 1e-3  # a soft label below this is left out; the row's other labels are scaled up
LOWEST = 1e-3  # the least that an opinion's length counts as
SPARSE_BELOW = 0.25  # share of numbers that are not 0 under which a sparse copy is faster


class Params(BaseModel):
    """Base of an algorithm's parameters: unknown ones are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def nothing(given: object) -> object:
    """No value, where a command line gives an empty text or the word none."""
    return None if isinstance(given, str) and given.lower() in {"", "none"} else given


@dataclass(frozen=True)
class Training:
    """What is known about a training before it starts.

    Attributes:
        seed: of all random choices.
        y: the classes to learn, int64 (n,); in native multilabel the indicator matrix (n, k).
        mass: sum of the weights of the rows: their number if all count alike.
    """

    seed: int
    y: Labels
    mass: float


@dataclass(frozen=True)
class Algorithm:
    """A kind of classifier.

    Attributes:
        name: what users call it.
        summary: one sentence about when it is a good choice.
        params: its parameters, each with type, bounds, default and description.
        build: parameters and what is known about the training → an unfitted scikit-learn classifier.
        takes_weights: whether rows can weigh differently, which soft labels need.
        takes_sparse: whether it accepts scipy's sparse rows.
        native_multilabel: whether one classifier can learn all classes of a multilabel task at once.
        skops_types: full names of types, beyond skops' own list, that its saved form may hold.
    """

    name: str
    summary: str
    params: type[Params]
    build: Callable[[Any, Training], Any]
    takes_weights: bool
    takes_sparse: bool = True
    native_multilabel: bool = False
    skops_types: tuple[str, ...] = ()

    def parse(self, given: Mapping[str, Any]) -> Params:
        """Parameters from values or from text, as command lines give them.

        Raises:
            ModelError: unknown parameters or values out of bounds; all of them in one line.
        """
        try:
            return self.params.model_validate(dict(given))
        except ValidationError as error:
            problems = "; ".join(_problem(e) for e in error.errors())
            known = ", ".join(self.params.model_fields)
            raise ModelError(
                f"{self.name} cannot use its parameters: {problems}; its parameters are {known}"
            ) from error


def _problem(error: Any) -> str:
    place = ".".join(str(part) for part in error["loc"])
    if error["type"] == "extra_forbidden":
        return f"{place}: unknown"
    return f"{place}: {error['msg'].removeprefix('Value error, ')}, given {error['input']!r}"


@dataclass(frozen=True)
class EndModel:
    """A fitted classifier over feature vectors.

    Attributes:
        algorithm: name of the algorithm that was trained.
        problem: one class a point, or any number.
        k: number of classes.
        parts: fitted scikit-learn classifiers: one in multiclass (whose classes are column numbers) and in
            native multilabel; else one per class, or a float where the class was the same on all rows.
        first: an end model whose opinion is appended to the features, (n, d) → (n, d + k), or None.
        scale: what that opinion is multiplied by.
    """

    algorithm: str
    problem: ProblemType
    k: int
    parts: tuple[Any, ...]
    first: "EndModel | None" = None
    scale: float = 1.0

    def predict_proba(self, X: Matrix) -> Floats:
        """Class probabilities, in class order whatever classes the training data held.

        Args:
            X: float32 (n, d), finite.

        Returns:
            float64 (n, k), values in [0, 1]; rows sum to 1 in multiclass.
        """
        probs = np.zeros((len(X), self.k))
        if len(X) == 0:
            return probs
        if self.first is not None:
            X = with_opinion(X, self.first, self.scale)
        if self.problem.exclusive:
            probs[:, self.parts[0].classes_] = self.parts[0].predict_proba(X)
            return _distributions(probs)
        if len(self.parts) < self.k:
            return np.asarray(np.clip(self.parts[0].predict_proba(X), 0.0, 1.0), np.float64)
        for c, part in enumerate(self.parts):
            probs[:, c] = part if isinstance(part, float) else part.predict_proba(X)[:, 1]
        return np.clip(probs, 0.0, 1.0)


def with_opinion(X: Matrix, model: EndModel, scale: float) -> Matrix:
    """Features (n, d) and the model's opinion of them: float32 (n, d + k)."""
    return np.hstack([X, np.float32(scale) * opinion(model, X)])


def opinion(model: EndModel, X: Matrix) -> Matrix:
    """Logarithms of a model's probabilities, or of its odds in multilabel: float32 (n, k)."""
    return model.problem.log_odds(model.predict_proba(X)).astype(np.float32)


def _distributions(probs: Floats) -> Floats:
    """Rows (n, k) scaled to sum to 1; a row without any number above 0 becomes equal shares."""
    probs = np.clip(np.nan_to_num(probs, nan=0.0), 0.0, 1.0)
    sums = probs.sum(axis=1, keepdims=True)
    return np.asarray(np.divide(probs, sums, out=np.full_like(probs, 1.0 / probs.shape[1]), where=sums > 0))


def fit(
    algorithm: Algorithm,
    problem: ProblemType,
    X: Matrix,
    targets: npt.NDArray[Any],
    *,
    params: Params | None = None,
    weights: Floats | None = None,
    seed: int = 0,
) -> EndModel:
    """Train one algorithm.

    Args:
        algorithm: from `get_algorithm`.
        problem: one class a point, or any number.
        X: float32 (n, d), finite.
        targets: (n, k). Zeros and ones: hard labels (one 1 a row in multiclass). Other values in [0, 1]:
            soft labels, which train on each row once per class, weighted by its probability (noise-aware
            training: Ratner et al. 2016, https://arxiv.org/abs/1605.07723).
        params: its parameters; default: its defaults.
        weights: how much each row counts, float64 (n,), values >= 0; default: all alike.
        seed: of all random choices.

    Raises:
        ModelError: one class only; soft labels or weights for an algorithm that takes no weights.
    """
    Y = np.asarray(targets, dtype=np.float64)
    is_soft = bool(np.any((Y != 0) & (Y != 1)))
    if not algorithm.takes_weights and (is_soft or weights is not None):
        raise ModelError(
            f"{algorithm.name} cannot train on soft labels or weighted rows; "
            "train it on hard labels, or choose an algorithm that takes sample weights"
        )
    params = params or algorithm.params()
    rows = _compact(X) if algorithm.takes_sparse else X

    def train(classes: Floats, joint: bool = False) -> Any:
        return _train(algorithm, params, seed, rows, classes, weights, joint)

    if problem.exclusive:
        if (Y.sum(axis=0) > 0).sum() < 2:
            raise _one_class()
        parts = [train(Y)]
    else:
        varies = np.logical_and((Y > NO_MASS).any(axis=0), (Y < 1 - NO_MASS).any(axis=0))
        if not varies.any():
            raise _one_class()
        if algorithm.native_multilabel and not is_soft:
            parts = [train(Y, joint=True)]
        else:
            pairs = [np.column_stack([1 - Y[:, c], Y[:, c]]) for c in range(Y.shape[1])]
            parts = [train(pair) if varies[c] else float(pair[0, 1]) for c, pair in enumerate(pairs)]
    return EndModel(algorithm.name, problem, Y.shape[1], tuple(parts))


def _one_class() -> ModelError:
    return ModelError(
        "the training data hold one class only, expected at least two; "
        "add data points of other classes, or look at the coverage of the labelling functions"
    )


def _train(
    algorithm: Algorithm, params: Params, seed: int, X: Any, Y: Floats, weights: Floats | None, joint: bool
) -> Any:
    """Fit one classifier on class weights (n, k); `joint`: on all columns at once, as they are."""
    if joint:
        rows, y, mass = np.arange(len(Y)), Y.astype(np.int64), None
    else:
        rows, y, mass = _expanded(Y)
    if weights is not None:
        mass = weights[rows] if mass is None else mass * weights[rows]
    training = Training(seed, y, float(len(y) if mass is None else mass.sum()))
    estimator = algorithm.build(params, training)
    chosen = X if len(rows) == len(Y) else X[rows]
    given = {} if mass is None else {"sample_weight": mass}
    with warnings.catch_warnings():
        # To stop at max_iter is how these algorithms are regularised in practice: no reason to alarm anyone.
        warnings.simplefilter("ignore", ConvergenceWarning)
        estimator.fit(chosen, y, **given)
    return estimator


def _expanded(Y: Floats) -> tuple[Labels, Labels, Floats | None]:
    """Soft labels (n, k) as row numbers, classes and weights; no weights where each row has one class."""
    Y = np.where(Y < NO_MASS, 0.0, Y)
    Y = Y / np.maximum(Y.sum(axis=1, keepdims=True), NO_MASS)
    rows, y = np.nonzero(Y)
    return rows, y, None if len(rows) == len(Y) else Y[rows, y]


def _compact(X: Matrix) -> Any:
    """A sparse copy where most numbers are 0, else the matrix itself."""
    if X.size and np.count_nonzero(X) < SPARSE_BELOW * X.size:
        return sparse.csr_matrix(X)
    return X
