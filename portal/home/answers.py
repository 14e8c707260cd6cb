"""What a room says of where a task stands."""

from typing import Any

from adaptml.project import Project


def labelling(project: Project, *, task: str) -> dict[str, Any]:
    """Votes that are kept, and the last runs of labelling."""
    from dataprogramming.standing import labelling_standing

    return labelling_standing(project, project.task(task)).model_dump(mode="json")


def modelling(project: Project, *, task: str) -> dict[str, Any]:
    """The last training and the champion."""
    from adaptml.standing.runs import modelling_standing

    return modelling_standing(project, project.task(task)).model_dump(mode="json")
