"""Writing and reading models with skops: no pickle, and only types from our own list.

The list is ours, not the file's, so a file cannot ask for more than the algorithms here need. A file holds
scikit-learn's own classifiers and plain values; none of our classes, so that they can be renamed.

    format 1   an end model, its base model under `first`
    format 2   an end model, its base model under `base_model`; or an algorithm alone, under `estimator`
"""

import sys
import threading
from collections.abc import Iterable
from importlib import import_module
from importlib.abc import MetaPathFinder
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from adaptml.errors import ModelError, listed, one_line
from modelling.algorithms.trees import check_trees

FORMAT = 2
FORMATS = (1, 2)
# Types of scikit-learn's that only classifiers which a person gives have: arrays of numbers, and no code.
_OF_TREES = "sklearn.tree._tree.Tree"
_TORCH_WRAPPER = "sklearn.externals.array_api_compat.torch"


def dump(content: dict[str, Any], path: Path) -> None:
    """Write plain values and scikit-learn's classifiers to one file."""
    _skops_io().dump({"format": FORMAT, **content}, path)


def load(path: Path, skops_types: Iterable[str], key: str) -> dict[str, Any]:
    """Read what `dump` wrote, in this version or an earlier one.

    Args:
        path: the file.
        skops_types: full names of types, beyond skops' own list, that it may hold.
        key: what the content must have.

    Raises:
        ModelError: the file is absent, is of something else, or holds other types.
    """
    skops_io = _skops_io()
    from skops.io.exceptions import UntrustedTypesFoundException

    trusted = _trusted(skops_types)
    try:
        _check_size(path)
        content = skops_io.load(path, trusted=trusted)
    except ModelError:
        raise
    except UntrustedTypesFoundException as error:
        foreign = sorted(set(skops_io.get_untrusted_types(file=path)) - set(trusted))
        raise ModelError(
            f"{path} holds types that no end model of ours holds: {listed(foreign)}; it is not loaded"
        ) from error
    except Exception as error:  # whoever writes to MLflow made it: it can be broken in any way
        raise not_a_model(path) from error
    if not isinstance(content, dict) or content.get("format") not in FORMATS or key not in content:
        raise not_a_model(path)
    check_trees(content, path)
    return content


def _check_size(path: Path) -> None:
    """Refuse a file of a few bytes that would fill the memory; what `dump` writes is not compressed."""
    with ZipFile(path) as file:
        unpacked = sum(part.file_size for part in file.infolist())
    if unpacked > path.stat().st_size:
        raise ModelError(
            f"{path} would unpack to {unpacked:,} bytes, more than the file has; expected one that `train` "
            "wrote, which is not compressed"
        )


def check_types(fitted: Any, name: str, skops_types: Iterable[str]) -> None:
    """Refuse a fitted classifier that could not be loaded again.

    Args:
        fitted: the classifier.
        name: what messages call it.
        skops_types: full names of types, beyond skops' own list, that a file may hold.

    Raises:
        ModelError: it holds types that are neither skops' own nor among these.
    """
    skops_io = _skops_io()
    try:
        found = set(skops_io.get_untrusted_types(data=skops_io.dumps(fitted)))
    except Exception as error:
        raise ModelError(
            f"{name} cannot be saved by skops: {one_line(error)}; use another algorithm"
        ) from error
    foreign = sorted(found - set(_trusted(skops_types)))
    if foreign:
        raise ModelError(
            f"{name} holds types that are not trusted when a model is loaded: {listed(foreign)}; "
            "use one of scikit-learn's classifiers"
        )


def plain(part: Any) -> Any:
    """A fitted classifier without what is only needed to go on training, of types that skops refuses."""
    if hasattr(part, "_optimizer"):
        del part._optimizer
    return part


def not_a_model(path: Path) -> ModelError:
    """What is raised for a file of something else."""
    return ModelError(f"{path} is no end model that can be read; expected a file that `train` wrote")


def _trusted(skops_types: Iterable[str]) -> list[str]:
    return sorted({_OF_TREES, *skops_types})


class _WithoutTorch(MetaPathFinder):
    """While a thread is in its block, scikit-learn's wrapper of PyTorch counts there as not installed."""

    def __init__(self) -> None:
        self._inside = threading.local()

    def __enter__(self) -> None:
        if self not in sys.meta_path:  # it stays: taking it out, another thread's import could miss a finder
            sys.meta_path.insert(0, self)
        self._inside.now = True

    def __exit__(self, *_: object) -> None:
        self._inside.now = False

    def find_spec(self, fullname: str, *_: object) -> None:
        """Refuse that one module; leave every other one to the finders that follow."""
        if fullname == _TORCH_WRAPPER and getattr(self._inside, "now", False):
            raise ModuleNotFoundError(f"{fullname} is left out", name=fullname)


_WITHOUT_TORCH = _WithoutTorch()


def _skops_io() -> Any:
    """`skops.io`, whose import asks scikit-learn for all estimators and so imports every package of it.

    One of these wraps PyTorch and would import it where it is installed: 250 MB and 2 s of CPU for nothing.
    PyTorch itself can be imported by anybody, before and after.
    """
    with _WITHOUT_TORCH:
        return import_module("skops.io")
