"""Where a task stands, with the votes that are kept of it."""

from adaptml.errors import TrackingError, one_line
from adaptml.project import Project
from adaptml.standing.core import LabellingStands, Standing, VotesStand
from adaptml.standing.data import data_standing
from adaptml.standing.runs import last_label, last_watch, modelling_standing
from adaptml.tasks import Task
from dataprogramming.vote_store import VoteStore


def task_standing(project: Project, task: str | Task) -> Standing:
    """Where a task stands: data, gold, votes, runs, champion, and what to do next.

    Args:
        project: holds it all.
        task: the task or its name.

    Returns:
        What was found, none of it computed anew. A database or a tracking server that does not answer is a
        `problem` of that part.

    Raises:
        TaskError: no such task, or a task file with problems.

    Example:
        >>> found = project.task_standing("spam")
        >>> print(found.data.points.rows, "points,", found.data.gold.points, "of them gold")
        24 points, 12 of them gold
    """
    task = project.task(task)
    labelling = labelling_standing(project, task)
    table = None if labelling.label is None else labelling.label.data
    return Standing(
        task=task.name,
        data=data_standing(project, task, table),
        labelling=labelling,
        modelling=modelling_standing(project, task),
    )


def labelling_standing(project: Project, task: Task) -> LabellingStands:
    """Votes that are kept, and the last runs of `label` and `watch`; a store that is away is a `problem`."""
    votes = votes_kept(project, task.name)
    try:
        return LabellingStands(votes=votes, label=last_label(project, task), watch=last_watch(project, task))
    except TrackingError as error:
        return LabellingStands(votes=votes, problem=one_line(error))


def votes_kept(project: Project, task: str) -> VotesStand | None:
    """How many labelling functions voted on how many rows, of all tables of a task; None where none did."""
    folders = [path.parent for path in project.settings.votes(task).glob("*/format")]
    stores = [VoteStore(folder) for folder in folders]
    votes = {path.stem for folder in folders for path in folder.glob("[!.]*/*.npz") if path.stem != "rows"}
    rows = sum(len(store) for store in stores)
    return VotesStand(rules=len(votes), rows=rows) if votes and rows else None
