"""Votes for a set of classes, as people write them: `{"cat", "dog"}` and `not_("cat")`."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import TypeGuard

import numpy as np

from adaptml.errors import listed
from adaptml.tasks.labels import ABSTAIN, Label, Labels, votes_by_name

_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")


@dataclass(frozen=True)
class AllBut:
    """What `not_` makes: a vote for all classes but some.

    Attributes:
        all_but: the classes that are ruled out, by name or number.
    """

    all_but: tuple[int | str, ...]

    def __repr__(self) -> str:
        return set_text(self)


ClassSet = Collection[int | str] | AllBut
VoteFor = int | str | ClassSet  # what a rule may vote for


def not_(*classes: int | str) -> AllBut:
    """A vote for any class but these: for a rule that knows what a point is not.

    Args:
        classes: at least one; names, or members of `params.labels`.

    Raises:
        TypeError: no class.

    Example:
        >>> from types import SimpleNamespace
        >>> barks = adaptml.keyword_lf("barks", ["woof"], adaptml.not_("cat"), "text")
        >>> barks(SimpleNamespace(text="Woof!"))
        not_('cat')
    """
    if not classes:
        raise TypeError("not_ rules out at least one class; name it, as in not_('cat')")
    return AllBut(tuple(map(_named, classes)))


def label_name(label: VoteFor) -> int | str | tuple[int | str, ...] | AllBut:
    """What a rule votes for as JSON has it: classes by their names; those of a set in order."""
    if isinstance(label, AllBut):
        return label
    if isinstance(label, list | tuple | set | frozenset):
        return tuple(sorted(map(_named, label), key=str))
    return _named(label)  # type: ignore[arg-type] # also a whole number of numpy's, which is no int


def is_class_set(vote: object) -> TypeGuard[ClassSet]:
    """Whether a vote is for a set of classes, in any of the forms in which a rule may give it."""
    return isinstance(vote, AllBut | list | tuple | set | frozenset)


def class_numbers(labels: Labels, vote: ClassSet) -> tuple[int, ...]:
    """The classes that a vote for a set leaves open: their numbers, rising.

    Args:
        labels: the task's classes.
        vote: a list, tuple or set of names, numbers or members of the labels; or what `not_` makes.

    Raises:
        ValueError: it leaves no class open, or names something that is no class.

    Example:
        >>> labels = Labels(["cat", "dog", "bird"])
        >>> class_numbers(labels, {"bird", "dog"}), class_numbers(labels, not_("cat"))
        ((1, 2), (1, 2))
    """
    found = {_class_number(labels, item) for item in _items(vote)}
    if isinstance(vote, AllBut):
        found = {int(label) for label in labels if label != ABSTAIN} - found
    if not found:
        raise ValueError(f"{set_text(vote)} leaves no class open")
    return tuple(sorted(found))


def set_text(vote: ClassSet) -> str:
    """A set of classes as a person writes it, such as `{'cat', 'dog'}` and `not_('cat')`."""
    items = [repr(_named(item)) for item in _items(vote)]
    if isinstance(vote, AllBut):
        return f"not_({', '.join(items)})"
    if not items:
        return "an empty set"
    return f"{{{', '.join(sorted(items) if isinstance(vote, set | frozenset) else items)}}}"


def set_words(vote: ClassSet) -> str:
    """The same in words, as a rule says it: "cat or dog", "not cat"."""
    items = [str(_named(item)) for item in _items(vote)]
    if isinstance(vote, AllBut):
        return f"not {items[0]}" if len(items) == 1 else f"neither {' nor '.join(items)}"
    return " or ".join(sorted(items) if isinstance(vote, set | frozenset) else items)


def numbers_as_names(labels: Labels) -> list[str]:
    """Names of classes that are numbers, so that a whole number as a vote could be meant as a name."""
    return [label.name for label in labels if _NUMBER.fullmatch(label.name)]


def _items(vote: ClassSet) -> Collection[int | str]:
    return vote.all_but if isinstance(vote, AllBut) else vote


def _named(item: int | str) -> int | str:
    """A class by its name, where it has one."""
    return item.name if isinstance(item, Label) else item


def _class_number(labels: Labels, item: int | str) -> int:
    item = _named(item)
    by_name = votes_by_name(labels)
    if isinstance(item, str) and by_name.get(item, ABSTAIN) != ABSTAIN:
        return int(by_name[item])
    names = [label.name for label in labels if label != ABSTAIN]
    is_place = isinstance(item, int | np.integer) and not isinstance(item, bool) and 0 <= item < len(names)
    if not is_place:
        raise ValueError(f"{item!r} is no class; expected some of {', '.join(names)}")
    numbers = numbers_as_names(labels)
    if numbers:
        raise ValueError(numbers_sentence(numbers))
    return int(item)


def numbers_sentence(numbers: list[str]) -> str:
    """Why a whole number is no vote where classes are numbers themselves."""
    return (
        f"the classes {listed(numbers)} are numbers themselves, and a whole number would mean "
        f"the place of a class: return the name as text, such as {numbers[0]!r}"
    )
