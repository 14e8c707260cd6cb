"""Bring the local copy of a project up to date: what changed, or everything, page by page."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from adaptml.errors import LabelStudioError
from labelstudio.client import LabelStudio
from labelstudio.local_copy import LocalCopy

# Reading a task costs the server milliseconds; a page stays far below its time limit and our memory,
# also where texts have 100 kB.
PAGE_IDS = 250
# Above this many changed tasks, reading everything is quicker than asking which they are.
MAX_CHANGED = 1_000
_TIME = "%Y-%m-%dT%H:%M:%S.%fZ"
_LONG_AGO = "1970-01-01T00:00:00.000000Z"
_ROUNDS = 5

Advance = Callable[[int], None]


@dataclass(frozen=True)
class LinkedProject:
    """A project of a Label Studio and the local copy of its tasks.

    Attributes:
        studio: the server.
        number: id of the project.
        copy: takes what is read of it.
    """

    studio: LabelStudio
    number: int
    copy: LocalCopy


def refresh(linked: LinkedProject, advance: Advance = lambda _: None) -> int:
    """Make the local copy equal to the project, and check by their counts that it is.

    A pass over everything that was cut short continues where it stopped. People may annotate meanwhile.

    Args:
        linked: the project and its copy.
        advance: is called with the number of tasks just read.

    Returns:
        How many tasks were read.

    Raises:
        LabelStudioError: the counts still differ after several rounds.
    """
    read = 0
    if linked.copy.note("read_until") is None:
        read += _read_all(linked, advance)
    for attempt in range(_ROUNDS):
        changed = _read_changed(linked, advance)
        read += changed or 0
        said, seen = counts(linked), linked.copy.counts()
        if said == seen and changed is not None:
            return read
        if changed is None or attempt == 0:  # what was deleted by hand, only a look at everything tells
            read += _read_all(linked, advance)
    raise LabelStudioError(
        f"project {linked.number} has {said[0]} tasks and {said[1]} annotations, and {seen[0]} and {seen[1]} "
        "were read; expected the same: it changes quickly, try again in a while"
    )


def counts(linked: LinkedProject) -> tuple[int, int]:
    """How many tasks and annotations, skipped ones included, the server says that a project has."""
    info = linked.studio.project(linked.number)
    return int(info["task_number"]), int(info["total_annotations_number"]) + int(
        info["skipped_annotations_number"]
    )


def latest_change(linked: LinkedProject) -> str:
    """When a task of the project last changed, by the server's clock."""
    tasks, _ = linked.studio.list_tasks(linked.number, 1, order="-updated_at")
    return str(tasks[0]["updated_at"]) if tasks else _LONG_AGO


def _read_all(linked: LinkedProject, advance: Advance) -> int:
    """Read every task, by id. What changes meanwhile is read again afterwards."""
    if linked.copy.note("next_id") is None:
        linked.copy.keep(pass_began=latest_change(linked), next_id=0, read_until=None)
    read = 0
    tasks, _ = linked.studio.list_tasks(linked.number, 1, order="-id")
    last = int(tasks[0]["id"]) if tasks else 0
    first = int(linked.copy.note("next_id") or 0)
    while first <= last:
        found = linked.studio.export(linked.number, range(first, first + PAGE_IDS))
        end = first + PAGE_IDS - 1
        if not found:  # ids of other projects: on to our next one
            following, _ = linked.studio.list_tasks(linked.number, 1, after_id=end)
            end = int(following[0]["id"]) - 1 if following else last
        linked.copy.put_range(first, end, found, next_id=end + 1)
        first = end + 1
        read += len(found)
        advance(len(found))
    linked.copy.forget([], beyond=last)
    linked.copy.keep(read_until=linked.copy.note("pass_began"), next_id=None, pass_began=None)
    return read


def _read_changed(linked: LinkedProject, advance: Advance) -> int | None:
    """Read the tasks that changed since the last time; None, and nothing is read, where they are too many."""
    since = linked.copy.note("read_until") or _LONG_AGO
    latest, read, after = since, 0, 0
    while True:
        listed, total = linked.studio.list_tasks(
            linked.number, PAGE_IDS, after_id=after, changed_after=_utc(since)
        )
        if total > MAX_CHANGED and not read:
            return None
        if not listed:
            break
        ids = [int(task["id"]) for task in listed]
        linked.copy.put(linked.studio.export(linked.number, ids))
        latest = max([latest, *(str(task["updated_at"]) for task in listed)], key=datetime.fromisoformat)
        after = ids[-1]
        read += len(ids)
        advance(len(ids))
        if len(ids) == total:
            break
    linked.copy.keep(read_until=latest)
    return read


def _utc(time: str) -> str:
    """A time of the server's in the one form that its filters take."""
    return datetime.fromisoformat(time).strftime(_TIME)
