"""Classes that changed: what the names of before mean now.

A task file keeps a list of changes, the oldest first. A name has one meaning for all time: whether a label
was given before or after a change, its name alone says what it is now. Changes after which that would not
hold are refused, so that exports, frames and runs of any time can be read without knowing when they were
made.
"""

import datetime
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from adaptml.errors import listed

Possible = frozenset[str | None]  # what a name can be now: present classes, None for none of them


class ClassChange(BaseModel):
    """One change of a task's classes.

    Attributes:
        date: when.
        before: the class names until then, in their order.
        becomes: old name → what it became: one name where it was renamed or merged, several where it was
            split, none where it was dropped. Names that are not here stayed; classes that were added are in
            no list.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    date: datetime.date
    before: tuple[str, ...] = Field(min_length=2)
    becomes: dict[str, tuple[str, ...]] = {}

    @model_validator(mode="after")
    def _of_names_before(self) -> Self:
        unknown = sorted(set(self.becomes) - set(self.before))
        if unknown:
            raise ValueError(f"becomes names {listed(unknown)}; expected names in before")
        if len(set(self.before)) < len(self.before):
            raise ValueError("before has a name that is duplicated; expected each class once")
        return self

    def targets(self, name: str) -> tuple[str, ...]:
        """What one class of before became; itself where it stayed."""
        return self.becomes.get(name, (name,))


@dataclass(frozen=True)
class Now:
    """The label set of a point in the names of now.

    Attributes:
        labels: its classes, in the task's order; behind them, as they are, names that the task never had.
        undecided: names of the set that do not say which class it is now: one that was split, or in a
            multiclass task the only one, which was dropped. A point with any has to be labelled anew.
    """

    labels: tuple[str, ...]
    undecided: tuple[str, ...] = ()


def meanings(changes: Sequence[ClassChange], class_names: Sequence[str]) -> dict[str, Possible]:
    """What each name that the task has or had can be now.

    Args:
        changes: the oldest first.
        class_names: the classes of now.

    Raises:
        ValueError: changes that do not lead to the classes of now, or a name that would mean two things.

    >>> was = ClassChange(date="2026-11-26", before=["cat", "hound"], becomes={"hound": ["dog"]})
    >>> meanings([was], ["cat", "dog"])["hound"]
    frozenset({'dog'})
    """
    now: dict[str, Possible] = {name: frozenset([name]) for name in class_names}
    found = dict(now)
    for change in reversed(changes):
        now = _before(change, now)
        for name, possible in now.items():
            if found.setdefault(name, possible) != possible:
                raise ValueError(_two_meanings(name, change, possible, found[name]))
    return found


def _before(change: ClassChange, after: Mapping[str, Possible]) -> dict[str, Possible]:
    """What the classes of before a change are now, from what those after it are."""
    absent = sorted({target for name in change.before for target in change.targets(name)} - set(after))
    if absent:
        raise ValueError(
            f"the change of {change.date} leads to {listed(absent)}, and the classes after it are "
            f"{listed([*after], 20)}; write in `becomes` what became of {listed(absent)}"
        )
    return {
        name: frozenset().union(*(after[target] for target in change.targets(name))) or frozenset([None])
        for name in change.before
    }


def _two_meanings(name: str, change: ClassChange, then: Possible, later: Possible) -> str:
    return (
        f"the name {name!r} would mean two things: until {change.date} what is now {in_words(then)}, and "
        f"later {in_words(later)}; take a name that the task never had, or take the change back with --undo"
    )


def in_words(possible: Collection[str | None]) -> str:
    """What a name can be now, for people.

    >>> in_words([None, "dog"])
    "'dog' or no class"
    """
    names = sorted(repr(name) for name in possible if name is not None)
    return " or ".join([*names, "no class"] if None in possible else names)


def translated(
    names: Sequence[str], meaning: Mapping[str, Possible], class_names: Sequence[str], *, exclusive: bool
) -> Now:
    """A label set of any time in the names of now.

    Args:
        names: its names.
        meaning: as `meanings` gives it.
        class_names: the classes of now, k names.
        exclusive: whether a point has exactly one class.
    """
    certain: set[str] = set()
    undecided: list[str] = []
    unknown = [name for name in dict.fromkeys(names) if name not in meaning]
    for name in names:
        possible = meaning.get(name, frozenset())
        if len(possible) > 1:
            undecided.append(name)
        else:
            certain |= {label for label in possible if label is not None}
    if exclusive and not certain and not unknown:
        undecided = [*names]
    known = [name for name in class_names if name in certain]
    return Now((*known, *unknown), tuple(undecided))
