"""Whether there is a Label Studio to annotate in, and what it has of a task."""

from collections.abc import Sequence
from dataclasses import dataclass

from adaptml.errors import LabelStudioError
from adaptml.masking import without_user
from adaptml.project import Project
from adaptml.tasks import Task
from labelstudio.client import connect
from labelstudio.project import find_project, people_of

PATIENCE_S = 1.0  # somebody waits in front of a page


@dataclass(frozen=True)
class TheirProject:
    """A task's project in Label Studio.

    Attributes:
        number: its id.
        url: its page.
        person: e-mail address of whose it is; empty for the one that all share.
        points: how many tasks it has.
        annotated: how many of them somebody finished.
    """

    number: int
    url: str
    person: str
    points: int
    annotated: int


@dataclass(frozen=True)
class Reach:
    """Whether there is a Label Studio.

    Attributes:
        url: its address.
        why_not: why nothing can be sent there, in one line; empty where all is well.
        projects: the task's; the one that all share first.
        accounts: e-mail addresses of everybody who could annotate.
    """

    url: str
    why_not: str
    projects: Sequence[TheirProject]
    accounts: Sequence[str]


def reach(project: Project, task: Task | str) -> Reach:
    """Look for Label Studio, for a second at most; whatever is missing is said and no error.

    Args:
        project: names it.
        task: whose projects are looked for.
    """
    task, url = project.task(task), without_user(project.settings.label_studio_url)
    try:
        with connect(project.settings, PATIENCE_S) as studio:
            shared = find_project(studio, task, required=False)
            found = [] if shared is None else [("", shared)]
            found += [(person.email, theirs) for person, theirs in people_of(studio, task)]
            projects = [
                TheirProject(
                    int(theirs["id"]), f"{without_user(studio.url)}/projects/{theirs['id']}", person,
                    int(theirs.get("task_number") or 0), int(theirs.get("finished_task_number") or 0),
                )
                for person, theirs in found
            ]  # fmt: skip
            return Reach(url, "", projects, sorted(studio.users().values()))
    except LabelStudioError as error:
        return Reach(url, str(error), [], [])
