"""Where a task stands, asked of everybody who knows a part of it; and the page on which to go on."""

from urllib.parse import quote

from adaptml.errors import AdaptmlError, one_line
from adaptml.project import Project
from adaptml.standing.core import LabellingStands, ModellingStands, NextStep, Standing
from adaptml.standing.data import data_standing
from adaptml.tasks import Task
from portal.asks import Ask


def standing_of(project: Project, ask: Ask, task: Task) -> Standing:
    """Where a task stands; a room that does not answer is a problem of its part."""
    labelling = _labelling(ask, task.name)
    table = None if labelling.label is None else labelling.label.data
    return Standing(
        task=task.name,
        data=data_standing(project, task, table),
        labelling=labelling,
        modelling=_modelling(ask, task.name),
    )


def _labelling(ask: Ask, task: str) -> LabellingStands:
    try:
        return LabellingStands.model_validate(ask("standing_labelling", task=task))
    except AdaptmlError as error:
        return LabellingStands(problem=one_line(error))


def _modelling(ask: Ask, task: str) -> ModellingStands:
    try:
        return ModellingStands.model_validate(ask("standing_modelling", task=task))
    except AdaptmlError as error:
        return ModellingStands(problem=one_line(error))


def address_of(step: NextStep, task: str) -> str:
    """The page of a next step."""
    if step.place == "import":
        return "/import"
    page = f"/tasks/{quote(task, safe='')}"
    return page if step.place == "overview" else f"{page}/{step.place}"
