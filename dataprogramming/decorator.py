"""`@labeling_function`: a rule written as a function."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from snorkel.labeling import LabelingFunction

from adaptml.tasks.class_sets import AllBut, ClassSet, is_class_set

Rule = Callable[..., Any]


def labeling_function(
    name: str | Rule | None = None,
    resources: Mapping[str, Any] | None = None,
    pre: Sequence[Any] | None = None,
    sets: Sequence[ClassSet] = (),
) -> Any:
    """Make a labelling function of a rule: a function of one data point that votes or abstains.

    Snorkel's decorator of that name does the same, and its labelling functions can be used beside these.
    Here the parentheses may be left out.

    Args:
        name: name of the LF, unique within the task; default: the rule's own name.
        resources: further arguments that the rule is called with, by name.
        pre: Snorkel preprocessors that a data point goes through first.
        sets: the sets of classes that the rule may vote for where it cannot tell which it is, such as
            `[{"cat", "dog"}, adaptml.not_("cat")]`. It returns one as it stands here, or as an equal one.

    Returns:
        A Snorkel `LabelingFunction`; of a decorator with parentheses, what makes one. The rule gets a data
        point `x` with one attribute per LF feature, and returns a class name or one of the task's `labels`;
        None, -1 and `labels.ABSTAIN` abstain.

    Raises:
        TypeError: what is decorated cannot be called, or `sets` is no list of sets.

    Example:
        >>> from types import SimpleNamespace
        >>> @adaptml.labeling_function
        ... def asks_to_subscribe(x):
        ...     return "spam" if "subscribe" in x.text.lower() else None
        >>> asks_to_subscribe
        LabelingFunction asks_to_subscribe, Preprocessors: []
        >>> asks_to_subscribe(SimpleNamespace(text="SUBSCRIBE to my channel"))
        'spam'
        >>> @adaptml.labeling_function(sets=[{"cat", "dog"}])
        ... def has_fur(x):
        ...     return {"cat", "dog"} if "fur" in x.text else None
        >>> sorted(has_fur(SimpleNamespace(text="soft fur")))
        ['cat', 'dog']
    """
    declared = _frozen(sets)

    def decorate(rule: Rule) -> Any:
        """The labelling function of a rule."""
        if not callable(rule):
            raise TypeError(f"a labelling function is made of a function of one data point; given {rule!r}")
        chosen = name if isinstance(name, str) else rule.__name__
        made = LabelingFunction(chosen, rule, resources=resources, pre=pre)
        if declared:
            made.sets = declared
        return made

    return decorate(name) if callable(name) else decorate


def _frozen(sets: Sequence[ClassSet]) -> tuple[ClassSet, ...]:
    """The sets as nobody changes them any more."""
    if not isinstance(sets, list | tuple) or not all(map(is_class_set, sets)):
        raise TypeError(f"sets is {sets!r}; expected a list of sets of classes, such as [{{'cat', 'dog'}}]")
    return tuple(one if isinstance(one, AllBut) else frozenset(one) for one in sets)
