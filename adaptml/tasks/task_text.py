"""Changing the classes in the text of a task file: what is not about classes stays, byte for byte."""

from collections.abc import Mapping, Sequence
from typing import Any

from adaptml.tasks.class_changes import ClassChange
from adaptml.tasks.class_edits import PlannedClass
from adaptml.tasks.edit import drop, insert, put, without_positive
from adaptml.tasks.plain_yaml import read_yaml
from adaptml.tasks.scaffold import PLACEHOLDERS

_CHOSEN_WHEN = PLACEHOLDERS[1]  # a description that its writer is to replace


def with_classes(
    text: str,
    classes: Sequence[PlannedClass],
    positive: str | None,
    changes: Sequence[ClassChange],
    said: Mapping[str, Mapping[str, Any]] | None = None,
) -> str:
    """The text of a task file with other classes.

    Args:
        text: YAML, with the keys `classes`, and `class_changes` and `positive` where there are any.
        classes: the new list.
        positive: the positive class; None takes the key out, and a metric that is about it.
        changes: what `class_changes` is to say: what it says and one more, or one less.
        said: name → what a class that is new in the file says (`description`, `examples`); by default a
            description that its writer is to replace, where the others have one.

    Raises:
        TaskError: a text that is written such that this cannot be done.
    """
    text = _with_list(text, classes, said or {})
    text = without_positive(text) if positive is None else put(text, ["positive"], positive)
    there = len(read_yaml(text).get("class_changes") or [])
    if len(changes) < there:
        return drop(text, ["class_changes", there - 1])
    return insert(text, ["class_changes"], there, changes[-1].model_dump(mode="json", exclude_defaults=True))


def _with_list(text: str, planned: Sequence[PlannedClass], said: Mapping[str, Mapping[str, Any]]) -> str:
    """Names where they stand, items that are new, items that go."""
    items = read_yaml(text)["classes"]
    described = any(isinstance(item, dict) and "description" in item for item in items)
    there = [item["name"] if isinstance(item, dict) else item for item in items]
    place = 0
    for one in planned:
        if one.written_as is None:
            more = said.get(one.name, {"description": _CHOSEN_WHEN} if described else {})
            plain = isinstance(items[0], str) and not more
            text = insert(text, ["classes"], place, one.name if plain else {"name": one.name, **more})
            there.insert(place, None)
        else:
            place = there.index(one.written_as)
            inside = ["name"] if isinstance(read_yaml(text)["classes"][place], dict) else []
            text = put(text, ["classes", place, *inside], one.name)
        place += 1
    used = {one.written_as for one in planned} | {None}
    for place in reversed(range(len(there))):
        if there[place] not in used:
            text = drop(text, ["classes", place])
    return text
