"""The choices of the labelling page, also for what was annotated before the classes changed.

What Label Studio 1.23 does with a project that has annotations: it takes any new page; a box is checked where
its `alias`, or without one its `value`, is in the annotation; a name without a box is not seen, and is lost
when the person changes that annotation; what is stored, exported, and taken as a prediction is the alias. So
every name of before keeps a box. Annotations are not rewritten.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from adaptml.tasks.schema import NONE_CHOICE, Task


@dataclass(frozen=True)
class PageChoice:
    """One box of the labelling page.

    Attributes:
        shown: what people read.
        stored: what annotations hold: a name that the class has or had.
        earlier: whether it is for annotations of before alone, and only shown in those that hold it.
    """

    shown: str
    stored: str
    earlier: bool = False


def page_choices(task: Task, held: Mapping[str, int] | None = None) -> list[PageChoice]:
    """A box for each class, one for none of them, then one for each other name of before.

    A class that was only renamed is stored under the name that most annotations hold, so that these show it
    as any other does, and an undo finds nothing to do. One that others were merged into is stored under its
    own name: what was annotated before the merger and what after it stay apart.

    Args:
        task: the classes, and what became of those of before.
        held: name → how many annotations of the project hold it; None for a new one.
    """
    counts = held or {}
    boxes = []
    for name in task.class_names:
        names = [
            name,
            *(old for old, possible in task.meanings.items() if possible == {name} and old != name),
        ]
        merged = any(len({*names} & {*classes}) > 1 for classes in task.class_lists)
        boxes.append(PageChoice(name, name if merged else max(names, key=lambda old: counts.get(old, 0))))
    stored = {box.stored for box in boxes}
    boxes.append(PageChoice(NONE_CHOICE, NONE_CHOICE))
    others = [name for name in task.meanings if name not in stored]
    return [*boxes, *(PageChoice(_of_before(task, name), name, earlier=True) for name in others)]


def _of_before(task: Task, name: str) -> str:
    """How the page shows a name of before."""
    possible = task.meanings[name]
    if len(possible) > 1:
        return f"{name} (was split: choose anew)"
    (now,) = possible
    return f"{name} (no class any more)" if now is None else f"{now} (annotated as {name})"
