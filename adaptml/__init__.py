"""Data programming for a growing table of unlabelled data points.

Everything that a notebook needs is here; each name is imported when it is first used.
"""

from importlib import import_module
from importlib.metadata import version
from typing import Any

# name → the module that defines it
_WHERE = {
    "Project": "adaptml.project",
    "Task": "adaptml.tasks",
    "featurize": "adaptml.features.featurize",
    "sample_points": "adaptml.sampling.sample_points",
    "sample_tasks": "labelstudio.sample_tasks",
    "process_annotations": "labelstudio.process_annotations",
    "annotator_agreement": "labelstudio.annotator_agreement",
    "apply_lfs": "dataprogramming.apply",
    "keyword_lf": "dataprogramming.lfs",
    "label": "dataprogramming.label",
    "train": "modelling.train",
    "compare": "modelling.compare",
    "deploy": "modelling.deploy",
    "predict": "modelling.predict",
    "serve": "modelling.serve",
}
__all__ = [*_WHERE, "__version__"]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    if name == "__version__":
        return version("adaptml")
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(_WHERE[name]), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    """The public names."""
    return sorted(__all__)
