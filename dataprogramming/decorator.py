"""`@labeling_function`: a rule written as a function."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from snorkel.labeling import LabelingFunction

Rule = Callable[..., Any]


def labeling_function(
    name: str | Rule | None = None,
    resources: Mapping[str, Any] | None = None,
    pre: Sequence[Any] | None = None,
) -> Any:
    """Make a labelling function of a rule: a function of one data point that votes or abstains.

    Snorkel's decorator of that name does the same, and its labelling functions can be used beside these.
    Here the parentheses may be left out.

    Args:
        name: name of the LF, unique within the task; default: the rule's own name.
        resources: further arguments that the rule is called with, by name.
        pre: Snorkel preprocessors that a data point goes through first.

    Returns:
        A Snorkel `LabelingFunction`; of a decorator with parentheses, what makes one. The rule gets a data
        point `x` with one attribute per LF feature, and returns a class name or one of the task's `labels`;
        None, -1 and `labels.ABSTAIN` abstain.

    Raises:
        TypeError: what is decorated cannot be called.

    Example:
        >>> from types import SimpleNamespace
        >>> @adaptml.labeling_function
        ... def asks_to_subscribe(x):
        ...     return "spam" if "subscribe" in x.text.lower() else None
        >>> asks_to_subscribe
        LabelingFunction asks_to_subscribe, Preprocessors: []
        >>> asks_to_subscribe(SimpleNamespace(text="SUBSCRIBE to my channel"))
        'spam'
    """

    def decorate(rule: Rule) -> Any:
        """The labelling function of a rule."""
        if not callable(rule):
            raise TypeError(f"a labelling function is made of a function of one data point; given {rule!r}")
        chosen = name if isinstance(name, str) else rule.__name__
        return LabelingFunction(chosen, rule, resources=resources, pre=pre)

    return decorate(name) if callable(name) else decorate
