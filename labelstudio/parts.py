"""Which of a task's projects gets which points of a sample."""

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

from adaptml.errors import LabelStudioError
from adaptml.gold_labels.core import differ, seen_text
from adaptml.project import Project
from adaptml.sampling import Sample
from adaptml.tasks import Task
from labelstudio import people
from labelstudio import project as projects
from labelstudio.client import connect
from labelstudio.export import ADJUDICATION
from labelstudio.local_copy import LocalCopy
from labelstudio.sync import LinkedProject

LOCAL_COPY = "label_studio.sqlite3"
_LOCAL_COPY_OF = "label_studio_{}.sqlite3"  # of a person's own project, by its number

Seen = Mapping[str, str]


@dataclass(frozen=True)
class Linked:
    """One project of a task.

    Attributes:
        project: the project with its local copy.
        theirs: what Label Studio says of it.
        person: whose it is; None for the one that all share.
    """

    project: LinkedProject
    theirs: projects.Json
    person: projects.Person | None = None


@contextmanager
def linked_projects(project: Project, task: Task) -> Iterator[list[Linked]]:
    """The task's projects: the one that all share, where there is one, then those of single people.

    Raises:
        LabelStudioError: there is none, or several that all share.
    """
    folder = project.settings.annotations(task.name)
    with connect(project.settings) as studio, ExitStack() as stack:
        own = projects.people_of(studio, task)
        shared = projects.find_project(studio, task, required=not own)
        found: list[tuple[projects.Person | None, projects.Json, str]] = []
        found += [] if shared is None else [(None, shared, LOCAL_COPY)]
        found += [(person, theirs, _LOCAL_COPY_OF.format(theirs["id"])) for person, theirs in own]
        linked = []
        for person, theirs, name in found:
            number = int(theirs["id"])
            copy = stack.enter_context(LocalCopy(folder / name, studio.url, number))
            linked.append(Linked(LinkedProject(studio, number, copy), theirs, person))
        yield linked


@dataclass(frozen=True)
class Part:
    """What goes to one project.

    Attributes:
        linked: the project.
        sample: the points, at least one.
        purpose: of their tasks, empty for annotation.
    """

    linked: Linked
    sample: Sample
    purpose: str = ""


def parts_of(linked: Sequence[Linked], sample: Sample, purpose: str = "") -> list[Part]:
    """Split a sample over the projects of a task.

    What a third person settles goes to the project that all share. Everything else goes there too, unless
    people have projects of their own; points that the shared project has already are then left to it.

    Args:
        linked: the task's projects; where there are several, their local copies are up to date.
        sample: points of one table.
        purpose: of their tasks, empty for annotation.

    Raises:
        LabelStudioError: adjudication, and no project that all share.
    """
    shares = {one.person.email: one for one in linked if one.person and one.person.overlap is not None}
    shared = next((one for one in linked if one.person is None), None)
    if purpose == ADJUDICATION and shared is None:
        raise LabelStudioError(
            "what a third person settles goes to a project that all share, and there is none; make it: "
            "`adaptml annotate setup TASK`, without --annotators"
        )
    if shared is not None and (purpose or not shares):
        return [Part(shared, sample, purpose)]
    ids = sample.frame["id"].tolist()
    there: dict[str, set[str]] = {key: set() for key in ids}
    for one in linked:
        for key in one.project.copy.find(sample.table, ids):
            there[key] |= {one.person.email} if one.person else {""}
    overlap = max(one.person.overlap or 0.0 for one in shares.values() if one.person)
    free = [key for key in ids if "" not in there[key]]
    given = people.distribute(free, sample.table, list(shares), overlap, there)
    parts = [Part(shares[email], only(sample, keys)) for email, keys in given.items()]
    return [part for part in parts if len(part.sample.frame)]


def changed_parts(linked: Sequence[Linked], sample: Sample, now: Mapping[str, Seen]) -> list[Part]:
    """What of some changed points goes to which project: those who were asked before are asked again.

    Where a point was never asked, as gold of a spreadsheet, it goes to the project that all share, or to all
    people. Points that have a task of their present wording already are left out.

    Args:
        linked: the task's projects; their local copies are up to date.
        sample: points that changed.
        now: id → column → hash of what there is to see of it now.
    """
    ids = sample.frame["id"].tolist()
    has: list[set[str]] = []
    as_now: list[set[str]] = []
    for one in linked:
        wordings = one.project.copy.wordings(sample.table, ids)
        has.append(set(wordings))
        as_now.append(
            {key for key, seen in wordings.items() if any(not differ(s, now[key]) for s in seen if s)}
        )
    new = set(ids).difference(*has)
    shared = any(one.person is None for one in linked)
    parts = []
    for one, having, done in zip(linked, has, as_now, strict=True):
        takes = having | (new if one.person is None or not shared else set())
        wanted = [key for key in ids if key in takes - done]
        if wanted:
            parts.append(Part(one, only(sample, wanted), _asked_again(wanted, now)))
    return parts


def _asked_again(ids: Sequence[str], now: Mapping[str, Seen]) -> str:
    """A purpose of its own for each wording, so that a point can change and be asked more than once."""
    text = "\0".join(f"{key}\0{seen_text(now[key])}" for key in sorted(ids))
    return f"changed {hashlib.sha256(text.encode()).hexdigest()[:12]}"


def only(sample: Sample, ids: Collection[str]) -> Sample:
    """The points of a sample that are among some ids."""
    return replace(sample, frame=sample.frame[sample.frame["id"].isin(set(ids))])
