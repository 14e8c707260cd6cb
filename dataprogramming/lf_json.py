"""Labelling functions from the JSON that they wrote."""

from adaptml.rules.core import KeywordRule, LikeRule, NumberRule, RegexRule, rule_from_json
from dataprogramming.keyword_lfs import KeywordLF
from dataprogramming.like_lfs import LikeLF
from dataprogramming.rule_lfs import NumberLF, RegexLF, RuleLF

# Kind of rule → its labelling function. What subclasses of these do, nobody knows.
RULE_LFS: dict[type, type[RuleLF]] = {
    KeywordRule: KeywordLF, RegexRule: RegexLF, NumberRule: NumberLF, LikeRule: LikeLF
}  # fmt: skip


def is_data(lf: object) -> bool:
    """Whether a labelling function is a rule that is data, and nothing else."""
    return type(lf) in RULE_LFS.values()


def lf_from_json(text: str | bytes) -> RuleLF:
    """The labelling function that wrote this with its `to_json`; it votes alike.

    Raises:
        LabellingError: it is no rule.

    Example:
        >>> late = adaptml.number_lf("late", "complaint", "delay_minutes", above=15)
        >>> late.to_json()
        '{"name":"late","label":"complaint","column":"delay_minutes","kind":"number","above":15.0}'
        >>> adaptml.lf_from_json(late.to_json()).rule == late.rule
        True
    """
    rule = rule_from_json(text)
    return RULE_LFS[type(rule)](rule, rule.label)
