"""Rules as data: what they vote on, and that JSON brings them back."""

import json
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from adaptml.errors import LabellingError
from adaptml.rules.core import Example, KeywordRule, LikeRule, NumberRule, RegexRule, Rule, rule_from_json

NAMES = {"name": "late", "label": "bad", "column": "txt"}


def test_a_regular_expression_by_hand() -> None:
    rule = RegexRule(pattern="\\b\\d+ hours?\\b|e\u0301t\xe9|(?-i:US)", **NAMES)
    texts = ["5 HOURS", "five hours", None, float("nan"), "\xe9te\u0301!", "us", "in the US", "5 HOURS"]
    assert rule.hits(texts).tolist() == [True, False, False, False, True, False, True, True]


def test_equal_texts_are_searched_once() -> None:
    searched = []

    class Counting:
        def search(self, text: str) -> None:
            searched.append(text)

    rule = RegexRule(pattern="a", **NAMES)
    rule.__dict__["_expression"] = Counting()
    rule.hits(["x", "y", "x", None, "x"])
    assert searched == ["x", "y"]


def test_a_range_of_numbers_by_hand() -> None:
    values = [15, 15.5, 40, None, float("nan"), True, Decimal(20)]
    assert NumberRule(above=15, **NAMES).hits(values).tolist() == [
        False,
        True,
        True,
        False,
        False,
        False,
        True,
    ]
    assert NumberRule(below=15.5, **NAMES).hits(values).tolist() == [
        True,
        False,
        False,
        False,
        False,
        True,
        False,
    ]
    assert NumberRule(above=15, below=40, **NAMES).hits(values).tolist() == [
        False, True, False, False, False, False, True,
    ]  # fmt: skip
    assert NumberRule(above=0, **NAMES).hits([]).tolist() == []


@pytest.mark.parametrize(
    ("rule", "values", "facts"),
    [
        (RegexRule(pattern="a", **NAMES), ["a", ["a"]], ["'late'", "'txt'", "holds list", "expected text"]),
        (NumberRule(above=1, **NAMES), [2, "3"], ["'late'", "'txt'", "holds str", "expected numbers"]),
        (
            KeywordRule(keywords={"a"}, **NAMES),
            [2],
            ["'late'", "'txt'", "holds int", "expected text or lists"],
        ),
    ],
)
def test_values_of_a_wrong_type_are_named(rule: Rule, values: list[object], facts: list[str]) -> None:
    with pytest.raises(LabellingError) as raised:
        rule.hits(values)
    assert [fact for fact in facts if fact not in str(raised.value)] == []


RULES = st.one_of(
    st.builds(
        KeywordRule,
        name=st.text(),
        label=st.one_of(st.integers(0, 5), st.text()),
        column=st.text(),
        keywords=st.frozensets(st.text(st.characters(codec="utf-8")), min_size=1),
        exact=st.booleans(),
        language=st.sampled_from(["en", "yo"]),
    ),
    st.builds(
        RegexRule, name=st.text(), label=st.text(), column=st.text(), pattern=st.sampled_from(["a", r"\bé\d"])
    ),
    st.builds(NumberRule, name=st.text(), label=st.integers(0, 5), column=st.text(), above=st.floats(-9, 9)),
)


@given(RULES)
def test_json_brings_a_rule_back(rule: Rule) -> None:
    written = rule.model_dump_json(exclude_none=True)
    assert rule_from_json(written) == rule
    assert json.loads(written)["kind"] == rule.kind


def test_json_of_equal_rules_is_equal() -> None:
    one = KeywordRule(keywords=["b", "a", "c"], **NAMES)
    assert one.model_dump_json() == KeywordRule(keywords=["c", "a", "b"], **NAMES).model_dump_json()
    assert json.loads(one.model_dump_json()) == {
        **NAMES, "kind": "keywords", "keywords": ["a", "b", "c"], "exact": False, "language": "en",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        ("[1", ["JSON"]),
        ("{}", ["kind"]),
        ('{"kind": "code", "name": "a"}', ["kind", "'code'"]),
        ('{"kind": "regex", "name": "a", "label": "b", "column": "c", "pattern": "("}', ["pattern", "no regular expression"]),
        ('{"kind": "number", "name": "a", "label": "b", "column": "c"}', ["above, below or both"]),
        ('{"kind": "keywords", "name": "a", "label": "b", "column": "c", "keywords": []}', ["keywords"]),
        ('{"kind": "number", "name": "a", "label": "b", "column": "c", "above": 1, "run": "x"}', ["run: unknown key"]),
    ],
)  # fmt: skip
def test_json_that_is_no_rule(text: str, facts: list[str]) -> None:
    with pytest.raises(LabellingError, match=r"^this is no rule: ") as raised:
        rule_from_json(text)
    assert [fact for fact in facts if fact not in str(raised.value)] == []
    assert "\n" not in str(raised.value)


def test_a_range_with_nothing_in_it_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"no number is above 5\.0 and below 5\.0"):
        NumberRule(above=5, below=5, **NAMES)


def example(*vector: float) -> Example:
    return Example(table_name="posts", id="1", vector=vector)


def test_likeness_by_hand() -> None:
    rule = LikeRule(like=[example(2, 0), example(0, 3)], unlike=[example(1, 1)], above=0.8, **NAMES)
    # Cosines with the nearest example and the counterexample: 1, .71; .89, .95; .98, .83; 0, 0; -, -
    vectors = [np.array(v, np.float32) for v in ([5, 0], [1, 2], [1, 5], [0, 0])]
    assert rule.hits([*vectors, None, [0.0, 9.0], float("nan")]).tolist() == [
        True, False, True, False, False, True, False,
    ]  # fmt: skip
    assert LikeRule(like=[example(1, 1)], above=0.95, **NAMES).hits([[1, 2], [1, 3]]).tolist() == [
        False,
        False,
    ]
    assert LikeRule(like=[example(1, 1)], above=0.94, **NAMES).hits([[1, 2], [1, 3]]).tolist() == [
        True,
        False,
    ]
    assert rule.hits([]).tolist() == []
    assert rule_from_json(rule.model_dump_json()) == rule


@pytest.mark.parametrize(
    ("value", "facts"),
    [([1, 2, 3], ["3 numbers", "of 2 numbers"]), ("text", ["holds str", "choose them again"])],
)
def test_vectors_of_another_length(value: object, facts: list[str]) -> None:
    rule = LikeRule(like=[example(2, 0)], above=0.8, **NAMES)
    with pytest.raises(LabellingError) as raised:
        rule.hits([[1, 2], value])
    assert all(fact in str(raised.value) for fact in ["'late'", "'txt'", *facts])
