"""What every algorithm shares: its parameters with their bounds, and scikit-learn's conventions.

An algorithm is a scikit-learn classifier: a dataclass whose fields are its parameters. Each field carries its
bounds and its description, so that a parameter is written once.
"""

import dataclasses
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self, get_type_hints

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, create_model
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, column_or_1d, validate_data

from adaptml.errors import ModelError
from modelling.algorithms import storage

if TYPE_CHECKING:
    from modelling.algorithms.many import Learned, Many

Floats = npt.NDArray[np.float64]
Matrix = npt.NDArray[np.float32]
# What stands in place of an algorithm's name: nothing was trained (twice), or several answer together.
CONSTANT, LABEL_MODEL, ENSEMBLE = "constant", "label_model", "ensemble"


def none_if_blank(given: object) -> object:
    """None where a command line gives an empty text or the word none."""
    return None if isinstance(given, str) and given.lower() in {"", "none"} else given


# Parameters that several algorithms have.
ClassWeight = Annotated[
    Literal["balanced"] | dict[Any, float] | None,
    BeforeValidator(none_if_blank),
    Field(description="balanced: rare classes count as much as frequent ones"),
]
RandomState = Annotated[
    Annotated[int, Field(ge=0, lt=2**32)] | None,
    BeforeValidator(none_if_blank),
    Field(description="seed of its random choices; none: the seed of the run"),
]


class Algorithm(ClassifierMixin, BaseEstimator):  # type: ignore[misc] # scikit-learn has no types
    """A kind of classifier, with scikit-learn's conventions.

    A subclass is a dataclass in a module of its own. Its fields are its parameters, each with a default:
    `Annotated[type, Field(bounds, description=…)]`.

    Attributes:
        name: what users call it.
        summary: one sentence about when it is a good choice.
        takes_sparse: whether it accepts scipy's sparse rows.
        takes_missing: whether numbers may be missing (NaN).
        takes_texts: whether it learns from texts themselves, in place of numbers.
        block_in_memory: whether end models give its `fit_blocks` rows in memory too, as one block; then soft
            labels need no row repeated.
        native_multilabel: whether one classifier can learn all classes of a multilabel task at once.
        skops_types: full names of types, beyond skops' own list, that its saved form may hold.
        options_of_before: parameters without effect that older commands may still name.
        classes_: the classes, sorted (k,), once it is fitted.
        estimator_: the classifier that was fitted.

    Example:
        >>> from modelling.algorithms.logistic_regression import LogisticRegressionAlgorithm
        >>> model = LogisticRegressionAlgorithm(C=1.0).fit([[0.0], [1.0]], ["ham", "spam"])
        >>> model.predict([[0.9]]).tolist()
        ['spam']
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    takes_sparse: ClassVar[bool] = True
    takes_missing: ClassVar[bool] = False
    takes_texts: ClassVar[bool] = False
    block_in_memory: ClassVar[bool] = False
    native_multilabel: ClassVar[bool] = False
    skops_types: ClassVar[tuple[str, ...]] = ()
    options_of_before: ClassVar[frozenset[str]] = frozenset()
    classes_: npt.NDArray[Any]
    estimator_: Any

    def _build(self, X: Any, y: npt.NDArray[Any], total_weight: float) -> Any:
        """An unfitted classifier of scikit-learn's.

        Args:
            X: the rows to learn from, (n, d), sparse or not.
            y: the classes to learn, (n,); in native multilabel the indicator matrix (n, k).
            total_weight: sum of the weights of the rows: their number if all count alike.
        """
        raise NotImplementedError

    @classmethod
    def parameters(cls) -> dict[str, Any]:
        """Name → pydantic's description of the parameter: type, bounds, default, description."""
        return dict(_schema(cls).model_fields)

    def search_space(self) -> dict[str, Any]:
        """Name → a list of values or a distribution of scipy's, that a search draws from; empty: none."""
        return {}

    def learns_in_blocks(self) -> bool:
        """Whether it can learn from more rows than are held in memory, as it is set."""
        return False

    def fit_blocks(self, many: "Many") -> "Learned":
        """Learn from more rows than are held in memory; only of an algorithm that `learns_in_blocks`."""
        raise NotImplementedError

    @classmethod
    def from_options(cls, given: Mapping[str, Any]) -> Self:
        """An unfitted classifier from parameters as values or as text, as command lines give them.

        Raises:
            ModelError: unknown parameters or values out of bounds; all of them in one line.
        """
        known = {name: value for name, value in given.items() if name not in cls.options_of_before}
        return cls(**_validated(cls, known))

    def fit(self, X: Any, y: Any) -> Self:
        """Learn.

        Args:
            X: numbers (n, d), finite; an array, a frame or, where it takes them, sparse rows or NaN.
            y: classes (n,), text or numbers, at least two kinds; in native multilabel also 0/1 (n, k).

        Raises:
            ValueError: arrays that do not fit, or one class only.
            ModelError: a parameter out of bounds.
        """
        return self._fit(X, y, None)

    def predict_proba(self, X: Any) -> npt.NDArray[np.floating]:
        """Probabilities (n, k) of rows (n, d), in the order of `classes_`, values in [0, 1]."""
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, **self._accepted())
        return np.asarray(self.estimator_.predict_proba(X))

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """The most probable class of each row: (n,)."""
        probs = self.predict_proba(X)
        return np.asarray(self.classes_[probs.argmax(axis=1)])

    def save(self, path: Path | str) -> None:
        """Write the fitted classifier to one file, without pickle."""
        content = {"algorithm": self.name, "params": self.get_params(), "classes": self.classes_}
        content |= {"estimator": storage.plain(self.estimator_), "n_features": self.n_features_in_}
        storage.dump(content, Path(path))

    @classmethod
    def load(cls, path: Path | str) -> Self:
        """Read what `save` wrote.

        Raises:
            ModelError: the file is absent, holds another algorithm, or types that no algorithm here uses.
        """
        content = storage.load(Path(path), cls.skops_types, "estimator")
        if content["algorithm"] != cls.name:
            raise ModelError(f"{path} holds a {content['algorithm']} model; expected {cls.name}: load that")
        model = cls.from_options(content["params"])
        model.estimator_, model.classes_ = content["estimator"], content["classes"]
        model.n_features_in_ = content["n_features"]
        return model

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse, tags.input_tags.allow_nan = self.takes_sparse, self.takes_missing
        return tags

    def _accepted(self) -> dict[str, Any]:
        """What rows may be like, in the words of scikit-learn's check."""
        return {
            "accept_sparse": ("csr",) if self.takes_sparse else False,
            "ensure_all_finite": "allow-nan" if self.takes_missing else True,
        }

    def _fit(self, X: Any, y: Any, sample_weight: Any) -> Self:
        _validated(type(self), self.get_params())
        X, y = validate_data(self, X, y, multi_output=self.native_multilabel, **self._accepted())
        joint = y.ndim == 2 and y.shape[1] > 1
        y = y if joint else column_or_1d(y, warn=True)
        check_classification_targets(y)
        weights = None if sample_weight is None else _check_sample_weight(sample_weight, X)
        if weights is not None:  # a row of weight 0 is a row that is not there
            X, y, weights = X[weights > 0], y[weights > 0], weights[weights > 0]
        self.classes_ = np.arange(y.shape[1]) if joint else np.unique(y)
        if len(self.classes_) < 2:
            raise ValueError(f"{self.name} needs two classes or more to learn; the data hold 1 class")
        weights = self._row_weights(y, weights)
        self.estimator_ = self._build(X, y, float(len(y) if weights is None else weights.sum()))
        # OpenBLAS's kernels for AVX-512 mark a product of finite numbers as invalid at times: a false alarm.
        with np.errstate(invalid="ignore"):
            self.estimator_.fit(X, y, **({} if weights is None else {"sample_weight": weights}))
        if hasattr(self, "max_iter"):
            self.n_iter_ = self._iterations()
        return self

    def _row_weights(self, y: npt.NDArray[Any], given: Floats | None) -> Floats | None:  # noqa: ARG002
        """Weights (n,) of rows with classes y (n,), where an algorithm adds to those that were given."""
        return given

    def advice(self) -> str:
        """What to change where the optimiser stopped before it converged."""
        return f"raise max_iter (now {self.get_params().get('max_iter')})"

    def _iterations(self) -> int:
        """How many iterations the fitted classifier took."""
        return int(np.max(self.estimator_.n_iter_))


class WeighingAlgorithm(Algorithm):
    """An algorithm whose rows can weigh differently, which soft labels need."""

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Learn.

        Args:
            X: numbers (n, d), finite; an array, a frame or, where it takes them, sparse rows or NaN.
            y: classes (n,), text or numbers, at least two kinds; in native multilabel also 0/1 (n, k).
            sample_weight: how much each row counts, (n,), values >= 0; default: all alike.

        Raises:
            ValueError: arrays that do not fit, or one class only.
            ModelError: a parameter out of bounds.
        """
        return self._fit(X, y, sample_weight)


def texts_of(X: Any) -> list[str]:
    """Texts, one a row: cells of several columns in lines one below the other; no text is an empty one.

    Args:
        X: n texts, as a list, an array or a series; or an array or frame (n, c) of texts.

    Raises:
        ModelError: cells that are no texts.

    >>> texts_of(np.array([["a title", "a text"], ["another", None]], dtype=object))
    ['a title\\na text', 'another']
    """
    cells = np.asarray(X, dtype=object)
    rows: Any = cells.reshape(len(cells), -1).tolist() if len(cells) else []
    wrong = next(
        (cell for row in rows for cell in row if cell is not None and not isinstance(cell, str)), None
    )
    if wrong is not None:
        raise ModelError(
            f"a text was expected, and {type(wrong).__name__} was given; it learns from columns of "
            "text and not from vectors: name these as features"
        )
    return ["\n".join(cell for cell in row if cell) for row in rows]


def _schema(algorithm: Any) -> type[BaseModel]:
    """The parameters of an algorithm as a pydantic model, from the dataclass's fields."""
    return _made_schema(algorithm)


@cache
def _made_schema(algorithm: Any) -> type[BaseModel]:
    hints = get_type_hints(algorithm, include_extras=True)
    fields: dict[str, Any] = {f.name: (hints[f.name], f.default) for f in dataclasses.fields(algorithm)}
    return create_model(algorithm.__name__, __config__=ConfigDict(extra="forbid"), **fields)


def _validated(algorithm: type[Algorithm], given: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return dict(_schema(algorithm).model_validate(dict(given)))
    except ValidationError as error:
        problems = "; ".join(_problem(e) for e in error.errors())
        known = ", ".join(_schema(algorithm).model_fields)
        raise ModelError(
            f"{algorithm.name} cannot use its parameters: {problems}; its parameters are {known}"
        ) from error


def _problem(error: Any) -> str:
    place = ".".join(str(part) for part in error["loc"])
    if error["type"] == "extra_forbidden":
        return f"{place}: unknown"
    return f"{place}: {error['msg'].removeprefix('Value error, ')}, given {error['input']!r}"
