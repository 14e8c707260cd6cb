"""Writing and reading models with skops: no pickle, and only types from our own list.

The list is ours, not the file's, so a file cannot ask for more than the algorithms here need. A file holds
scikit-learn's own classifiers and plain values; none of our classes, so that they can be renamed.

    format 1   an end model, its base model under `first`
    format 2   an end model, its base model under `base_model`; or an algorithm alone, under `estimator`
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

from adaptml.errors import ModelError, listed, one_line

FORMAT = 2
FORMATS = (1, 2)
# Types of scikit-learn's that only classifiers which a person gives have: arrays of numbers, and no code.
_OF_TREES = "sklearn.tree._tree.Tree"


def dump(content: dict[str, Any], path: Path) -> None:
    """Write plain values and scikit-learn's classifiers to one file."""
    import skops.io

    skops.io.dump({"format": FORMAT, **content}, path)


def load(path: Path, skops_types: Iterable[str], key: str) -> dict[str, Any]:
    """Read what `dump` wrote, in this version or an earlier one.

    Args:
        path: the file.
        skops_types: full names of types, beyond skops' own list, that it may hold.
        key: what the content must have.

    Raises:
        ModelError: the file is absent, is of something else, or holds other types.
    """
    import skops.io
    from skops.io.exceptions import UntrustedTypesFoundException

    trusted = _trusted(skops_types)
    try:
        content = skops.io.load(path, trusted=trusted)
    except UntrustedTypesFoundException as error:
        foreign = sorted(set(skops.io.get_untrusted_types(file=path)) - set(trusted))
        raise ModelError(
            f"{path} holds types that no end model of ours holds: {listed(foreign)}; it is not loaded"
        ) from error
    except (OSError, BadZipFile, KeyError, ValueError) as error:
        raise not_a_model(path) from error
    if not isinstance(content, dict) or content.get("format") not in FORMATS or key not in content:
        raise not_a_model(path)
    return content


def check_types(fitted: Any, name: str, skops_types: Iterable[str]) -> None:
    """Refuse a fitted classifier that could not be loaded again.

    Args:
        fitted: the classifier.
        name: what messages call it.
        skops_types: full names of types, beyond skops' own list, that a file may hold.

    Raises:
        ModelError: it holds types that are neither skops' own nor among these.
    """
    import skops.io

    try:
        found = set(skops.io.get_untrusted_types(data=skops.io.dumps(fitted)))
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
