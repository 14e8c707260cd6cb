"""What rooms say of where a task stands, and what they do for the example."""

from typing import Any

from adaptml.example import TABLE, TASK, annotate_example
from adaptml.project import Project
from portal.home.services import answers


def labelling(project: Project, *, task: str) -> dict[str, Any]:
    """Votes that are kept, and the last runs of labelling."""
    from dataprogramming.standing import labelling_standing

    return labelling_standing(project, project.task(task)).model_dump(mode="json")


def modelling(project: Project, *, task: str) -> dict[str, Any]:
    """The last training and the champion."""
    from adaptml.standing.runs import modelling_standing

    return modelling_standing(project, project.task(task)).model_dump(mode="json")


def example_features(project: Project) -> dict[str, Any]:
    """Compute what the example's rules and models read."""
    project.featurize(TASK, TABLE)
    return {}


def example_gold(project: Project) -> dict[str, Any]:
    """Make the example's gold of what its annotators said."""
    annotate_example(project)
    return {}


def health(_project: Project, *, address: str) -> dict[str, Any]:
    """Whether a service that this room reaches answers."""
    found, text = answers(address)
    return {"answers": found, "text": text}
