"""Writing and reading end models with skops: no pickle, and only types from our own list.

The list is ours, not the file's, so a file cannot ask for more than the algorithms here need.
"""

from pathlib import Path
from typing import Any
from zipfile import BadZipFile

from adaptml.errors import ModelError, listed
from adaptml.tasks import problem_type
from modelling.algorithms.core import EndModel
from modelling.algorithms.registry import algorithms

FORMAT = 1


def save_end_model(model: EndModel, path: Path) -> None:
    """Write an end model to one file."""
    import skops.io

    skops.io.dump(_content(model), path)


def _content(model: EndModel) -> dict[str, Any]:
    for part in model.parts:
        if hasattr(part, "_optimizer"):
            del part._optimizer  # only needed to go on training, and of a type that skops refuses
    plain = {"format": FORMAT, "setting": model.problem.name, "parts": list(model.parts)}
    others = {name: value for name, value in vars(model).items() if name != "problem"}
    return others | plain | {"first": None if model.first is None else _content(model.first)}


def load_end_model(path: Path) -> EndModel:
    """Read what `save_end_model` wrote.

    Raises:
        ModelError: the file is absent, is no end model, or holds types that no algorithm here uses.
    """
    import skops.io
    from skops.io.exceptions import UntrustedTypesFoundException

    trusted = sorted({name for algorithm in algorithms().values() for name in algorithm.skops_types})
    try:
        content = skops.io.load(path, trusted=trusted)
    except UntrustedTypesFoundException as error:
        foreign = sorted(set(skops.io.get_untrusted_types(file=path)) - set(trusted))
        raise ModelError(
            f"{path} holds types that no end model of ours holds: {listed(foreign)}; it is not loaded"
        ) from error
    except (OSError, BadZipFile, KeyError, ValueError) as error:
        raise _not_a_model(path) from error
    return _restored(content, path)


def _restored(content: Any, path: Path) -> EndModel:
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise _not_a_model(path)
    first = None if content["first"] is None else _restored(content["first"], path)
    problem, parts = problem_type(content["setting"]), tuple(content["parts"])
    return EndModel(content["algorithm"], problem, content["k"], parts, first, content["scale"])


def _not_a_model(path: Path) -> ModelError:
    return ModelError(f"{path} is no end model that can be read; expected a file that `train` wrote")
