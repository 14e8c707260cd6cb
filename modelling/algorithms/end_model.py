"""The end model: one classifier or several behind the label sets of a task, on hard or soft labels."""

import math
import warnings
from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.base import BaseEstimator, clone, is_classifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import get_tags
from sklearn.utils.validation import has_fit_parameter

from adaptml.errors import ModelError
from adaptml.tasks import MAX_CLASSES, MULTICLASS, ProblemType, problem_type
from modelling.algorithms import storage
from modelling.algorithms.core import Algorithm, Floats, Matrix
from modelling.algorithms.registry import algorithms, get_algorithm

Classifier = Any  # an object that follows scikit-learn's conventions, which has no types
Indicator = npt.NDArray[np.int8]

NO_WEIGHT = 1e-3  # a soft label below this is left out; the row's other labels are scaled up
_WARNINGS = Lock()  # which warnings are shown, and where, belongs to the whole process
_TRIAL_ROWS = 40
SPARSE_BELOW = 0.25  # share of numbers that are not 0 under which a sparse copy is faster


class EndModel(BaseEstimator):  # type: ignore[misc] # scikit-learn has no types
    """A classifier of label sets over feature vectors.

    Multiclass trains one classifier. Multilabel trains one that learns all classes at once where the
    algorithm can and the labels are hard, else one per class.

    Attributes:
        algorithm: name of an algorithm, or any classifier that follows scikit-learn's conventions.
        problem: one class a point, or any number.
        seed: of all random choices; a classifier's own random_state wins.
        base_model: an end model whose stacked log-odds are appended to the features, or None.
        scale: what those log-odds are multiplied by.
        k_: number of classes, once it is fitted.
        parts_: fitted scikit-learn classifiers: one in multiclass (whose classes are column numbers) and in
            native multilabel; else one per class, or a float where the class was the same on all rows.
        unconverged_: one sentence where an optimiser stopped before it converged, else "".

    Example:
        >>> X = np.array([[0.0], [1.0]], np.float32)
        >>> model = EndModel("logistic_regression").fit(X, np.eye(2))
        >>> model.predict(X).tolist()
        [[1, 0], [0, 1]]
    """

    k_: int
    parts_: tuple[Any, ...]
    unconverged_: str = ""

    def __init__(
        self,
        algorithm: "str | Classifier" = "logistic_regression",
        problem: ProblemType = MULTICLASS,
        *,
        seed: int = 0,
        base_model: "EndModel | None" = None,
        scale: float = 1.0,
    ) -> None:
        self.algorithm, self.problem, self.seed = algorithm, problem, seed
        self.base_model, self.scale = base_model, scale

    def fit(self, X: Matrix, targets: npt.NDArray[Any], sample_weight: Floats | None = None) -> Self:
        """Train.

        Args:
            X: float32 (n, d), finite; NaN where the algorithm takes missing numbers.
            targets: (n, k). Zeros and ones: hard labels (one 1 a row in multiclass). Other values in [0, 1]:
                soft labels, which train on each row once per class, weighted by its probability (noise-aware
                training: Ratner et al. 2016, https://arxiv.org/abs/1605.07723).
            sample_weight: how much each row counts, float64 (n,), values >= 0; default: all alike.

        Raises:
            ModelError: one class only; soft labels or weights for an algorithm that takes no weights.
        """
        training = _Training(classifier(self.algorithm), self.seed, self._features(X), sample_weight)
        Y = np.asarray(targets, dtype=np.float64)
        is_soft = bool(np.any((Y != 0) & (Y != 1)))
        if not takes_weights(training.classifier) and (is_soft or sample_weight is not None):
            raise ModelError(
                f"{algorithm_name(self.algorithm)} cannot train on soft labels or weighted rows; "
                "train it on hard labels, or choose an algorithm that takes sample weights"
            )
        parts = _exclusive(training, Y) if self.problem.exclusive else _per_class(training, Y, is_soft)
        self.parts_, self.k_ = tuple(parts), Y.shape[1]
        self.unconverged_ = training.unconverged()
        return self

    def predict_proba(self, X: Matrix) -> Floats:
        """Class probabilities, in class order whatever classes the training data held.

        Args:
            X: float32 (n, d), finite; NaN where the algorithm takes missing numbers.

        Returns:
            float64 (n, k), values in [0, 1]; rows sum to 1 in multiclass.
        """
        probs = np.zeros((len(X), self.k_))
        if len(X) == 0:
            return probs
        X = self._features(X)
        if self.problem.exclusive:
            probs[:, self.parts_[0].classes_] = self.parts_[0].predict_proba(X)
            return _distributions(probs)
        if len(self.parts_) < self.k_:
            return np.asarray(np.clip(self.parts_[0].predict_proba(X), 0.0, 1.0), np.float64)
        for c, part in enumerate(self.parts_):
            probs[:, c] = part if isinstance(part, float) else part.predict_proba(X)[:, 1]
        return np.clip(probs, 0.0, 1.0)

    def predict(self, X: Matrix) -> Indicator:
        """The classes of each row of X, float32 (n, d): int8 (n, k), values in {0, 1}."""
        return self.problem.decide(self.predict_proba(X))

    def score(self, X: Matrix, Y: Indicator) -> float:
        """The problem's measure on rows X (n, d) with classes Y (n, k): accuracy, or F1 over samples."""
        return float(self.problem.scores(np.asarray(Y, np.int8), self.predict(X)).mean())

    def save(self, path: Path | str) -> None:
        """Write the fitted model to one file, without pickle.

        Raises:
            ModelError: its classifier holds types that could not be loaded again.
        """
        storage.dump(_content(self), Path(path))

    @staticmethod
    def load(path: Path | str) -> "EndModel":
        """Read what `save` wrote, in this version or an earlier one.

        Raises:
            ModelError: the file is absent, is no end model, or holds types that no algorithm here uses.
        """
        return _end_model(storage.load(Path(path), _skops_types(), "parts"), Path(path))

    def _features(self, X: Matrix) -> Matrix:
        if self.base_model is None:
            return X
        return np.hstack([X, np.float32(self.scale) * stacked_log_odds(self.base_model, X)])


def stacked_log_odds(model: EndModel, X: Matrix) -> Matrix:
    """What a model says of rows (n, d), where evidence adds up: float32 (n, k).

    Logarithms of its probabilities in multiclass, of its odds in multilabel.
    """
    return model.problem.log_odds(model.predict_proba(X)).astype(np.float32)


def classifier(algorithm: "str | Classifier", params: Mapping[str, Any] | None = None) -> Classifier:
    """An unfitted classifier: of an algorithm by its name, or a copy of the one that was given.

    Args:
        algorithm: name of an algorithm, or any classifier that follows scikit-learn's conventions.
        params: its parameters, as values or, for an algorithm by name, as text.

    Raises:
        ModelError: no such algorithm, no classifier that gives probabilities, or unusable parameters.
    """
    if isinstance(algorithm, str):
        return get_algorithm(algorithm, params)
    if isinstance(algorithm, type) or not hasattr(algorithm, "get_params") or not is_classifier(algorithm):
        raise ModelError(
            f"algorithm {algorithm!r} is no classifier; expected a name, or an object such as "
            "RandomForestClassifier() that follows scikit-learn's conventions"
        )
    if not hasattr(algorithm, "predict_proba"):
        raise ModelError(
            f"{algorithm_name(algorithm)} has no predict_proba, and end models give probabilities; "
            "wrap it in scikit-learn's CalibratedClassifierCV"
        )
    try:
        return clone(algorithm).set_params(**(params or {}))
    except ValueError as error:
        raise ModelError(f"{algorithm_name(algorithm)} cannot use its parameters: {error}") from error


def algorithm_name(algorithm: "str | Classifier") -> str:
    """What users call an algorithm; a classifier of somebody else's by its class."""
    if isinstance(algorithm, str):
        return algorithm
    return algorithm.name if isinstance(algorithm, Algorithm) else type(algorithm).__name__


def takes_weights(made: Classifier) -> bool:
    """Whether rows can weigh differently, which soft labels need."""
    return bool(has_fit_parameter(made, "sample_weight"))


def takes_missing(made: Classifier) -> bool:
    """Whether numbers may be missing (NaN), as scikit-learn's tags say of classifiers."""
    return hasattr(made, "__sklearn_tags__") and bool(get_tags(made).input_tags.allow_nan)


class _Training:
    """Fits copies of one classifier on the same rows, and remembers which of them did not converge."""

    def __init__(self, made: Classifier, seed: int, X: Matrix, weights: Floats | None) -> None:
        self.classifier, self.weights = made, weights
        self._X = _compact(X) if getattr(made, "takes_sparse", False) else X
        names = [name for name, value in made.get_params().items() if value is None]
        self._seeds = {n: seed for n in names if n == "random_state" or n.endswith("__random_state")}
        self._stopped: list[Classifier] = []

    def fit_soft(self, Y: Floats) -> Any:
        """A classifier of column numbers from class weights (n, k)."""
        rows, y, shares = _expanded(Y)
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
        steps = f" after {int(np.max(made.n_iter_))} iterations" if hasattr(made, "n_iter_") else ""
        what = f"raise max_iter (now {made.max_iter})" if hasattr(made, "max_iter") else "see its parameters"
        advice = made.advice() if isinstance(made, Algorithm) else what
        return f"{algorithm_name(made)} stopped{steps} before it converged; {advice}"


def _exclusive(training: _Training, Y: Floats) -> list[Any]:
    """One classifier."""
    if (Y.sum(axis=0) > 0).sum() < 2:
        raise _one_class()
    return [training.fit_soft(Y)]


def _per_class(training: _Training, Y: Floats, is_soft: bool) -> list[Any]:
    """One classifier of all classes where it can learn them at once; else one per class."""
    varies = np.logical_and((Y > NO_WEIGHT).any(axis=0), (Y < 1 - NO_WEIGHT).any(axis=0))
    if not varies.any():
        raise _one_class()
    if getattr(training.classifier, "native_multilabel", False) and not is_soft:
        return [training.fit_joint(Y)]
    pairs = [np.column_stack([1 - Y[:, c], Y[:, c]]) for c in range(Y.shape[1])]
    return [training.fit_soft(p) if varies[c] else float(p[0, 1]) for c, p in enumerate(pairs)]


def _one_class() -> ModelError:
    return ModelError(
        "the training data hold one class only, expected at least two; "
        "add data points of other classes, or look at the coverage of the labelling functions"
    )


def _distributions(probs: Floats) -> Floats:
    """Rows (n, k) scaled to sum to 1; a row without any number above 0 becomes equal shares."""
    probs = np.clip(np.nan_to_num(probs, nan=0.0), 0.0, 1.0)
    sums = probs.sum(axis=1, keepdims=True)
    return np.asarray(np.divide(probs, sums, out=np.full_like(probs, 1.0 / probs.shape[1]), where=sums > 0))


def _expanded(Y: Floats) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Floats | None]:
    """Soft labels (n, k) as row numbers, classes and weights; no weights where each row has one class."""
    Y = np.where(Y < NO_WEIGHT, 0.0, Y)
    Y = Y / np.maximum(Y.sum(axis=1, keepdims=True), NO_WEIGHT)
    rows, y = np.nonzero(Y)
    return rows, y, None if len(rows) == len(Y) else Y[rows, y]


def _compact(X: Matrix) -> Any:
    """A sparse copy where most numbers are 0, else the matrix itself."""
    if X.size and np.count_nonzero(X) < SPARSE_BELOW * X.size:
        return sparse.csr_matrix(X)
    return X


def check_savable(made: Classifier) -> None:
    """Refuse a classifier whose fitted form could not be loaded again, before it is trained.

    Raises:
        ModelError: it holds types that are neither skops' own nor on our list.
    """
    if isinstance(made, Algorithm):
        return
    rng = np.random.default_rng(0)
    X, y = rng.random((_TRIAL_ROWS, 4), dtype=np.float32), np.arange(_TRIAL_ROWS) % 2
    try:
        trial = clone(made).fit(X, y)
    except Exception:  # noqa: BLE001 - somebody else's code, on data that are not its own: training will tell
        return
    storage.check_types(trial, algorithm_name(made), _skops_types())


def _skops_types() -> list[str]:
    return [name for made in algorithms().values() for name in made.skops_types]


def _content(model: EndModel) -> dict[str, Any]:
    for part in model.parts_:
        if not isinstance(part, float) and not type(part).__module__.startswith("sklearn."):
            storage.check_types(part, algorithm_name(model.algorithm), _skops_types())
    return {
        "setting": model.problem.name,
        "algorithm": algorithm_name(model.algorithm),
        "k": model.k_,
        "parts": [storage.plain(part) for part in model.parts_],
        "base_model": None if model.base_model is None else _content(model.base_model),
        "scale": float(model.scale),
    }


def _end_model(content: Any, path: Path) -> EndModel:
    try:
        base = content["first"] if "first" in content else content["base_model"]
        model = EndModel(
            content["algorithm"],
            problem_type(content["setting"]),
            base_model=None if base is None else _end_model(base, path),
            scale=content["scale"],
        )
        model.k_, model.parts_ = content["k"], tuple(content["parts"])
        sound = _is_sound(model)
    except ModelError:
        raise
    except Exception as error:  # of types on our list, and put together in any way
        raise storage.not_a_model(path) from error
    if not sound:
        raise storage.not_a_model(path)
    return model


def _is_sound(model: EndModel) -> bool:
    """Whether a model from a file is put together as one that was fitted."""
    plain = [isinstance(model.algorithm, str), isinstance(model.scale, float), isinstance(model.k_, int)]
    if not all(plain) or not math.isfinite(model.scale) or not 1 <= model.k_ <= MAX_CLASSES:
        return False
    constant = [part for part in model.parts_ if isinstance(part, float)]
    if not all(0 <= share <= 1 for share in constant):
        return False
    fitted = [part for part in model.parts_ if not isinstance(part, float)]
    if not all(is_classifier(part) and hasattr(part, "predict_proba") for part in fitted):
        return False
    if not model.problem.exclusive:
        return len(model.parts_) == model.k_ or len(model.parts_) == len(fitted) == 1
    return len(model.parts_) == len(fitted) == 1 and set(fitted[0].classes_) <= set(range(model.k_))
