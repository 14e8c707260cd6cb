"""Regular expressions in linear time find what `re` finds, and nothing keeps them busy."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adaptml.rules.linear import LinearSearch, NotLinearError

LETTERS = "aAbBkK\u212a\u017fsßiİı1²_ \n-é\u0301म\u0947.\x1c"
ATOMS = [
    *"abkKsiıé_1", r"\.", r"\w", r"\W", r"\d", r"\s", r"\S", r"\b", r"\B", "^", "$", r"\A", r"\Z", ".",
    "[a-z]", "[^a-k]", r"[^\W_]", r"[\w-]", "[^k]", "(?-i:a)", "(?-i:[A-K])", "(?a:\\w)", "(?a:\\b)", "(?s:.)",
    "(?m:^)", "(?m:$)", "é", "[é-ü]", "म", "\\u212a",
]  # fmt: skip


def _bigger(inner):
    counts = st.sampled_from(["*", "+", "?", "*?", "{2}", "{0,2}", "{1,}", "{0}"])
    return st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda two: f"(?:{two[0]}|{two[1]})"),
        inner.map(lambda one: f"({one})"),
        st.tuples(inner, counts).map(lambda two: f"(?:{two[0]}){two[1]}"),
    )


PATTERNS = st.recursive(st.sampled_from(ATOMS), _bigger, max_leaves=7)


@settings(max_examples=150, deadline=None)
@given(PATTERNS, st.lists(st.text(LETTERS, max_size=7), min_size=1, max_size=4), st.sampled_from([0, re.I]))
def test_it_finds_what_re_finds(pattern, texts, flags):
    search, expected = LinearSearch(pattern, flags), re.compile(pattern, flags)
    assert [search.found(text) for text in texts] == [expected.search(text) is not None for text in texts]


@pytest.mark.parametrize(
    "pattern", ["(a+)+$", "(a|aa)+$", "^(a|a?)+x$", "(.*)*x$", "(?:|a|){30}b", "(a?){40}a{40}$"]
)
def test_expressions_that_double_with_each_letter_are_answered(pattern):
    assert not LinearSearch(pattern).found("a" * 39 + "!" + "a" * 39 + "!")


@pytest.mark.parametrize(
    "pattern",
    [
        r"(a)\1",
        "a(?=b)",
        "a(?!b)",
        "(?<=a)b",
        "(?>a)",
        "a++",
        "(a)(?(1)b|c)",
        "(?:[a-z]{60}){60}",
        "a{9999999}",
    ],
)
def test_what_cannot_be_searched_in_that_time_is_refused(pattern):
    with pytest.raises(NotLinearError, match="the expression"):
        LinearSearch(pattern)


def test_repeating_nothing_a_thousand_million_times_is_nothing():
    assert LinearSearch("(?:(?:){900000000}){900000000}a").found("ba")
    assert LinearSearch("((((((((((((((((((((a)*)*)*)*)*)*)*)*)*)*)*)*)*)*)*)*)*)*)*)*b").found("aab")


def test_states_are_forgotten_before_they_fill_the_memory(monkeypatch):
    monkeypatch.setattr("adaptml.rules.linear.MAX_KEPT", 3)
    search = LinearSearch("[a-c]+d{2}")
    assert [search.found(text) for text in ["abcabcdd", "abcd", "xyzabdd", ""]] == [True, False, True, False]
    assert search._n_kept <= 3
