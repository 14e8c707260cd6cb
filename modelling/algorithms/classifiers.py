"""Classifiers: by name or somebody's own, and what can be asked of them before they are trained."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.base import clone, is_classifier
from sklearn.utils import get_tags
from sklearn.utils.validation import has_fit_parameter

from adaptml.errors import ModelError
from modelling.algorithms import storage
from modelling.algorithms.core import Algorithm
from modelling.algorithms.registry import algorithms, get_algorithm

Classifier = Any  # an object that follows scikit-learn's conventions, which has no types
_TRIAL_ROWS = 40


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


def takes_texts(made: Classifier) -> bool:
    """Whether it learns from texts themselves, in place of numbers."""
    return isinstance(made, Algorithm) and made.takes_texts


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
    storage.check_types(trial, algorithm_name(made), skops_types())


def skops_types() -> list[str]:
    """Full names of types, beyond skops' own list, that a saved end model may hold."""
    return [name for made in algorithms().values() for name in made.skops_types]
