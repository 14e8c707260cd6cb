"""All label models: every module of this package that declares a `LABEL_MODEL`."""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from adaptml.tasks import ProblemType
from dataprogramming.label_models.base import LabelModel


@cache
def label_models() -> dict[str, type[LabelModel]]:
    """Name → label model, those of one problem type from the simplest to the most involved."""
    package = import_module("dataprogramming.label_models")
    modules = [import_module(f"{package.__name__}.{info.name}") for info in iter_modules(package.__path__)]
    found: list[type[LabelModel]] = [m.LABEL_MODEL for m in modules if hasattr(m, "LABEL_MODEL")]
    return {model.name: model for model in sorted(found, key=lambda m: (m.problem.name, m.order))}


def label_models_for(problem: ProblemType) -> dict[str, type[LabelModel]]:
    """The label models of one problem type, the simplest first."""
    return {name: model for name, model in label_models().items() if model.problem is problem}


def config_fields() -> set[str]:
    """Names of all parameters of all label models."""
    return {name for model in label_models().values() for name in model.Config.model_fields}
