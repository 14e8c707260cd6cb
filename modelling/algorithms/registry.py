"""All algorithms: every module of this package that defines an `Algorithm` with a name."""

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from adaptml.errors import ModelError, listed
from modelling.algorithms.core import Algorithm


@cache
def algorithms() -> dict[str, type[Algorithm]]:
    """Name → algorithm, sorted by name.

    Example:
        >>> list(adaptml.algorithms())
        ['hist_gradient_boosting', 'knn', 'linear_svm', 'logistic_regression', 'mlp', 'setfit', 'transformer']
    """
    package = import_module("modelling.algorithms")
    modules = [import_module(f"{package.__name__}.{info.name}") for info in iter_modules(package.__path__)]
    found = {
        thing.name: thing for module in modules for thing in vars(module).values() if _is_algorithm(thing)
    }
    return dict(sorted(found.items()))


def get_algorithm(name: str, given: Mapping[str, Any] | None = None) -> Algorithm:
    """An unfitted classifier by the name of its algorithm.

    Args:
        name: one of `algorithms()`.
        given: its parameters, as values or text; default: its defaults.

    Raises:
        ModelError: no such algorithm, or parameters that it cannot use.
    """
    if name not in algorithms():
        raise ModelError(f"no algorithm {name!r}; expected one of {listed(list(algorithms()), 20)}")
    return algorithms()[name].from_options(given or {})


def named_takes_texts(name: object) -> bool:
    """Whether an algorithm of this name learns from texts themselves, in place of numbers."""
    return isinstance(name, str) and name in algorithms() and algorithms()[name].takes_texts


def _is_algorithm(thing: object) -> bool:
    return isinstance(thing, type) and issubclass(thing, Algorithm) and hasattr(thing, "name")
