"""Writing and reading models with skops: no pickle, and only types from our own list.

The list is ours, not the file's, so a file cannot ask for more than the algorithms here need. A file holds
scikit-learn's own classifiers and plain values; none of our classes, so that they can be renamed.

    format 1   an end model, its base model under `first`
    format 2   an end model, its base model under `base_model`; or an algorithm alone, under `estimator`
"""

from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from sklearn.base import clone

from adaptml.errors import ModelError, listed
from adaptml.tasks import problem_type
from modelling.algorithms.core import Algorithm
from modelling.algorithms.end_model import Classifier, EndModel, algorithm_name
from modelling.algorithms.registry import algorithms, get_algorithm

FORMAT = 2
FORMATS = (1, 2)
# Types of scikit-learn's that only classifiers which a person gives have: arrays of numbers, and no code.
_OF_TREES = "sklearn.tree._tree.Tree"
_TRIAL_ROWS = 40


def save_end_model(model: EndModel, path: Path) -> None:
    """Write a fitted end model to one file.

    Raises:
        ModelError: its classifier holds types that could not be loaded again.
    """
    _dump(_content(model), path)


def save_algorithm(model: Algorithm, path: Path) -> None:
    """Write a fitted classifier of one algorithm to one file."""
    content = {"format": FORMAT, "algorithm": model.name, "params": model.get_params()}
    content |= {"estimator": _plain(model.estimator_), "classes": model.classes_}
    _dump(content | {"n_features": model.n_features_in_}, path)


def load_end_model(path: Path) -> EndModel:
    """Read what `save_end_model` wrote, in this version or an earlier one.

    Raises:
        ModelError: the file is absent, is no end model, or holds types that no algorithm here uses.
    """
    return _end_model(_load(path), path)


def load_algorithm(path: Path) -> Algorithm:
    """Read what `save_algorithm` wrote.

    Raises:
        ModelError: as `load_end_model`.
    """
    content = _load(path)
    if not isinstance(content, dict) or "estimator" not in content:
        raise _not_a_model(path)
    model = get_algorithm(content["algorithm"], content["params"])
    model.estimator_, model.classes_ = content["estimator"], content["classes"]
    model.n_features_in_ = content["n_features"]
    return model


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
    _check_types(trial, algorithm_name(made))


def _check_types(fitted: Classifier, name: str) -> None:
    import skops.io

    try:
        foreign = sorted(set(skops.io.get_untrusted_types(data=skops.io.dumps(fitted))) - set(_trusted()))
    except Exception as error:
        raise ModelError(
            f"{name} cannot be saved by skops: {' '.join(str(error).split())}; use another algorithm"
        ) from error
    if foreign:
        raise ModelError(
            f"{name} holds types that are not trusted when a model is loaded: {listed(foreign)}; "
            "use one of scikit-learn's classifiers"
        )


def _trusted() -> list[str]:
    return sorted({_OF_TREES, *(n for made in algorithms().values() for n in made.skops_types)})


def _dump(content: dict[str, Any], path: Path) -> None:
    import skops.io

    skops.io.dump(content, path)


def _content(model: EndModel) -> dict[str, Any]:
    for part in model.parts_:
        if not isinstance(part, float) and not type(part).__module__.startswith("sklearn."):
            _check_types(part, algorithm_name(model.algorithm))
    return {
        "format": FORMAT,
        "setting": model.problem.name,
        "algorithm": algorithm_name(model.algorithm),
        "k": model.k_,
        "parts": [_plain(part) for part in model.parts_],
        "base_model": None if model.base_model is None else _content(model.base_model),
        "scale": float(model.scale),
    }


def _plain(part: Any) -> Any:
    if hasattr(part, "_optimizer"):
        del part._optimizer  # only needed to go on training, and of a type that skops refuses
    return part


def _load(path: Path) -> Any:
    import skops.io
    from skops.io.exceptions import UntrustedTypesFoundException

    try:
        content = skops.io.load(path, trusted=_trusted())
    except UntrustedTypesFoundException as error:
        foreign = sorted(set(skops.io.get_untrusted_types(file=path)) - set(_trusted()))
        raise ModelError(
            f"{path} holds types that no end model of ours holds: {listed(foreign)}; it is not loaded"
        ) from error
    except (OSError, BadZipFile, KeyError, ValueError) as error:
        raise _not_a_model(path) from error
    if not isinstance(content, dict) or content.get("format") not in FORMATS:
        raise _not_a_model(path)
    return content


def _end_model(content: Any, path: Path) -> EndModel:
    if not isinstance(content, dict) or "parts" not in content:
        raise _not_a_model(path)
    base = content["first"] if content["format"] == 1 else content["base_model"]
    model = EndModel(
        content["algorithm"],
        problem_type(content["setting"]),
        base_model=None if base is None else _end_model(base, path),
        scale=content["scale"],
    )
    model.k_, model.parts_ = content["k"], tuple(content["parts"])
    return model


def _not_a_model(path: Path) -> ModelError:
    return ModelError(f"{path} is no end model that can be read; expected a file that `train` wrote")
