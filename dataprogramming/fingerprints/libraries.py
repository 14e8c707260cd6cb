"""Which modules are a library's, known by its version, and which are a person's own, known by their code."""

import importlib.metadata
import platform
import sys
import sysconfig
from functools import cache
from pathlib import Path
from typing import Any

_PRODUCT = {"adaptml", "dataprogramming", "labelstudio", "modelling"}
_LIBRARIES: dict[str, str] = {}  # top-level module → library


def library(module: str) -> str | None:
    """The library that a module belongs to, with its version; None where it is a person's own module.

    Args:
        module: full name of the module. The standard library's version is Python's.

    Example:
        >>> library("json.decoder") == f"Python {platform.python_version()}"
        True
    """
    top = module.partition(".")[0]
    if top not in _LIBRARIES:
        found = _library(top)
        if found is None:  # it may not be imported yet
            return None
        _LIBRARIES[top] = found
    return _LIBRARIES[top]


def _library(top: str) -> str | None:
    if top in sys.stdlib_module_names or top in sys.builtin_module_names:
        return None if top == "__main__" else f"Python {platform.python_version()}"
    if top in _PRODUCT:
        return f"adaptml {importlib.metadata.version('adaptml')}"
    return _distributions(top) if _is_installed(sys.modules.get(top)) else None


def known_distribution(module: str) -> bool:
    """Whether a module that may not have been imported yet is a library's."""
    top = module.partition(".")[0]
    return library(module) is not None or _distributions(top) is not None


@cache
def _distributions(top: str) -> str | None:
    """The distributions that a top-level module comes from, with their versions; None where there is none."""
    try:
        return f"{top} {importlib.metadata.version(top)}"
    except importlib.metadata.PackageNotFoundError:
        names = sorted(set(_modules().get(top, [])))
    return ", ".join(f"{name} {importlib.metadata.version(name)}" for name in names) or None


@cache
def _modules() -> dict[str, list[str]]:
    """Top-level module → distributions: reads every installed distribution's list of files."""
    return dict(importlib.metadata.packages_distributions())


def _is_installed(module: Any) -> bool:
    """Whether a module's file is where installers put files; one that is elsewhere may change at any time."""
    places = [getattr(module, "__file__", None) or "", *map(str, getattr(module, "__path__", []))]
    return any(
        place and (not _roots().isdisjoint(map(str, Path(place).parents)) or _in_packages(Path(place)))
        for place in places
    )


@cache
def _roots() -> set[str]:
    return {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}


def _in_packages(path: Path) -> bool:
    return not {"site-packages", "dist-packages"}.isdisjoint(path.parts)
