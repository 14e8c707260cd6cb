"""The part of a text that is shown, and what is marked in it."""

from adaptml.rules.core import KeywordRule, RegexRule
from dataprogramming.marking import excerpt

CATS = KeywordRule(name="cats", label="cat", column="tokens", keywords=["cat"])
NUMBERS = RegexRule(name="numbers", label="cat", column="txt", pattern=r"\d+")


def test_matches_of_several_rules_are_marked_in_order() -> None:
    made = excerpt("2 cats, 30 dogs", [CATS, NUMBERS], "txt", 100)
    assert made.parts == [
        ("2", True),
        (" ", False),
        ("cats", True),
        (", ", False),
        ("30", True),
        (" dogs", False),
    ]
    assert (made.start, made.length) == (0, 15)


def test_an_expression_is_looked_for_in_its_column_alone() -> None:
    assert excerpt("2 cats", [NUMBERS], "title", 100).parts == [("2 cats", False)]


def test_a_long_text_begins_near_a_match_that_is_far_back() -> None:
    made = excerpt("x " * 400 + "cat", [CATS], "txt", 150)
    assert (made.start, made.length) == (700, 803)
    assert made.parts[-1] == ("cat", True)


def test_a_long_text_without_a_match_is_cut() -> None:
    made = excerpt("x" * 1000, [CATS], "txt", 150)
    assert (made.parts, made.start, made.length) == ([("x" * 150, False)], 0, 1000)
