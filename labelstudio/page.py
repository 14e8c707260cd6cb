"""The classes on a labelling page: its boxes, and what a new page changes about them."""

from collections.abc import Iterator, Mapping
from typing import Any
from xml.etree import ElementTree

from adaptml.tasks import NONE_CHOICE, Task
from adaptml.tasks.class_changes import in_words

CONTROL = "label"  # the name of our Choices in the labelling page

Json = dict[str, Any]
Boxes = dict[str, str]  # what a box shows → what annotations hold for it


def controls(config: str) -> Iterator[ElementTree.Element]:
    """The Choices controls of a labelling page."""
    yield from ElementTree.fromstring(config).iter("Choices")  # noqa: S314 - from our own server or our own words


def boxes(config: str) -> dict[str, Boxes]:
    """The boxes of each Choices control of a labelling page."""
    return {
        control.get("name", ""): {
            choice.get("value", ""): str(choice.get("alias") or choice.get("value", ""))
            for choice in control.iter("Choice")
        }
        for control in controls(config)
    }


def held_names(summary: Json) -> dict[str, int]:
    """How many annotations and drafts hold each name in our control.

    Args:
        summary: as Label Studio gives it of a project.
    """
    held: dict[str, int] = {}
    for part in ("created_labels", "created_labels_drafts"):
        for name, n in summary.get(part, {}).get(CONTROL, {}).items():
            held[name] = held.get(name, 0) + int(n)
    return {name: n for name, n in held.items() if n > 0}


def class_lines(task: Task, before: Boxes, held: Mapping[str, int]) -> list[str]:
    """What a new page changes about the classes, one line each.

    Args:
        task: the classes, and what became of those of before.
        before: the boxes of our control until now; those for annotations of an earlier change say nothing.
        held: name → how many annotations hold it.
    """
    ours = {*task.class_names, NONE_CHOICE}
    went = {name: task.meanings[name] for name in before if name in task.meanings and name not in ours}
    came = {label for possible in went.values() for label in possible}
    gone = [name for name in before if name not in ours and before[name] not in task.meanings]
    lines = [f"class added: {name}" for name in sorted(ours - set(before) - came)]
    lines += [f"class taken away: {name}" for name in sorted(gone)]
    for name, possible in went.items():
        n = held.get(before[name], 0)
        of_them = {True: "no longer say which class it is", False: "go on showing it"}[len(possible) > 1]
        if possible == {None}:
            of_them = "hold it"
        lines.append(
            f"class {name} is now {in_words(possible)}" + (f": {n} annotations {of_them}" if n else "")
        )
    return lines
