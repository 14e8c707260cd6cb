"""Labelling functions whose rule is data: it can be written as JSON, and votes on a whole column at once."""

from typing import Any

from pydantic import ValidationError
from snorkel.labeling import LabelingFunction

from adaptml.errors import LabellingError
from adaptml.rules.core import NumberRule, RegexRule, Rule
from adaptml.tasks import ABSTAIN
from adaptml.tasks.class_sets import VoteFor, label_name
from adaptml.validation import validation_problems


class RuleLF(LabelingFunction):  # type: ignore[misc]
    """Votes `label` on the data points that its rule finds; abstains on the others.

    Attributes:
        rule: what it looks for.
        label: a member of the task's classes, their number or a class name; or a set of these.
    """

    def __init__(self, rule: Rule, label: VoteFor) -> None:
        super().__init__(rule.name, self._vote)
        self.rule = rule
        self.label = label

    @property
    def column(self) -> str:
        """What it looks at."""
        return self.rule.column

    def to_json(self) -> str:
        """The rule as JSON, from which `lf_from_json` makes it again."""
        return self.rule.model_dump_json(exclude_none=True)

    def _vote(self, x: Any) -> VoteFor:
        return self.label if self.rule.hits([getattr(x, self.column)])[0] else ABSTAIN


class RegexLF(RuleLF):
    """Votes where a regular expression is found, see `regex_lf`."""


class NumberLF(RuleLF):
    """Votes where a number is in a range, see `number_lf`."""


def regex_lf(name: str, pattern: str, label: VoteFor, column: str) -> RegexLF:
    """A labelling function that votes `label` where a regular expression is found in a text.

    Args:
        name: name of the LF, unique within the task.
        pattern: of Python's `re`. Letters match in either case; `(?-i:US)` is a part for which case counts.
        label: as for `keyword_lf`.
        column: one of the task's LF features; its values are texts. Texts that are equal are searched once.

    Raises:
        LabellingError: `pattern` is no regular expression.

    Example:
        >>> from types import SimpleNamespace
        >>> late = adaptml.regex_lf("late", r"\\b\\d+ hours? late\\b", "complaint", "text")
        >>> late(SimpleNamespace(text="Three? FIVE? It was 5 HOURS LATE"))
        'complaint'
    """
    try:
        return RegexLF(RegexRule(name=name, label=label_name(label), column=column, pattern=pattern), label)
    except ValidationError as error:
        raise no_rule(name, error) from error


def number_lf(
    name: str, label: VoteFor, column: str, *, above: float | None = None, below: float | None = None
) -> NumberLF:
    """A labelling function that votes `label` where a number is above one bound, below another, or both.

    Args:
        name: name of the LF, unique within the task.
        label: as for `keyword_lf`.
        column: one of the task's LF features; its values are numbers, of which some may be missing.
        above, below: bounds, at least one; a number that is equal to one is outside.

    Raises:
        LabellingError: no bound, or bounds with nothing between them.

    Example:
        >>> from types import SimpleNamespace
        >>> late = adaptml.number_lf("late", "complaint", "delay_minutes", above=15)
        >>> late(SimpleNamespace(delay_minutes=40))
        'complaint'
    """
    try:
        rule = NumberRule(name=name, label=label_name(label), column=column, above=above, below=below)
    except ValidationError as error:
        raise no_rule(name, error) from error
    return NumberLF(rule, label)


def no_rule(name: str, error: ValidationError) -> LabellingError:
    """Why what was given makes no labelling function, in one line."""
    return LabellingError(f"the labelling function {name!r}: {'; '.join(validation_problems(error))}")
