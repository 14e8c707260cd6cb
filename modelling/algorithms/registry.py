"""All algorithms: every module of this package that declares an `ALGORITHM`."""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from adaptml.errors import ModelError, listed
from modelling.algorithms.core import Algorithm


@cache
def algorithms() -> dict[str, Algorithm]:
    """Name → algorithm, sorted by name."""
    package = import_module("modelling.algorithms")
    modules = [import_module(f"{package.__name__}.{info.name}") for info in iter_modules(package.__path__)]
    found = [module.ALGORITHM for module in modules if hasattr(module, "ALGORITHM")]
    return {algorithm.name: algorithm for algorithm in sorted(found, key=lambda a: a.name)}


def get_algorithm(name: str) -> Algorithm:
    """An algorithm by its name.

    Raises:
        ModelError: no such algorithm.
    """
    if name not in algorithms():
        raise ModelError(f"no algorithm {name!r}; expected one of {listed(list(algorithms()), 20)}")
    return algorithms()[name]
