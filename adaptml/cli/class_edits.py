"""What `adaptml task classes` is given, as changes of classes; and how they changed so far."""

import csv
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from adaptml.errors import TaskError, listed
from adaptml.tasks import Task


def edits_of(
    task: Task,
    rename: Sequence[str],
    merge: Sequence[str],
    split: Sequence[str],
    add: Sequence[str],
    drop: Sequence[str],
) -> dict[str, Any]:
    """The arguments of `change_classes`; none where nothing was given.

    Args:
        task: whose classes tell which `=` stands between two names, where names hold some.
        rename: `A=B`.
        merge: `A,B=C`.
        split: `A=B,C`.
        add, drop: a name each, or several with commas between.

    Raises:
        TaskError: something of another form.
    """
    found: dict[str, Any] = {"rename": {}, "merge": {}, "split": {}}
    for text in rename:
        old, new = _sides(text, task, "--rename A=B")
        found["rename"][_one(old, text)] = _one(new, text)
    for text in merge:
        old, new = _sides(text, task, "--merge A,B=C")
        found["merge"].setdefault(_one(new, text), []).extend(old)
    for text in split:
        old, new = _sides(text, task, "--split A=B,C")
        found["split"][_one(old, text)] = new
    found |= {
        "add": [n for text in add for n in _names(text)],
        "drop": [n for text in drop for n in _names(text)],
    }
    return {name: value for name, value in found.items() if value}


def _sides(text: str, task: Task, form: str) -> tuple[list[str], list[str]]:
    """The names before and behind the `=`: the first one that has classes before it."""
    places = [place for place, sign in enumerate(text) if sign == "="]
    sides = [(_names(text[:place]), _names(text[place + 1 :])) for place in places]
    for old, new in sides:
        if new and old and all(name in task.class_names for name in old):
            return old, new
    if not sides or not all(sides[0]):
        raise TaskError(f"cannot make sense of {text!r}; expected {form}")
    return sides[0]


def _names(text: str) -> list[str]:
    """Names with commas between; one that holds a comma is in quotes."""
    (row,) = [*csv.reader([text], skipinitialspace=True)] or [[]]
    return [name.strip() for name in row if name.strip()]


def _one(names: Collection[str], text: str) -> str:
    if len(names) != 1:
        raise TaskError(f"{text!r} has {listed([*names])} where one name is expected; give each change alone")
    return next(iter(names))


def history(task: Task) -> Iterator[str]:
    """The classes of a task and how they came to be, a line each."""
    yield f"classes of task {task.name}: {', '.join(task.class_names)}"
    for change in reversed(task.class_changes):
        became = [f"{name} → {', '.join(new) or 'dropped'}" for name, new in change.becomes.items()]
        yield f"  until {change.date}: {', '.join(change.before)}" + (
            f"; {'; '.join(became)}" if became else ""
        )
