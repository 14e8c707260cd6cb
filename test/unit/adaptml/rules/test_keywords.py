"""Keywords: where they are found, against a slow search that does one after the other."""

import unicodedata
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adaptml.errors import LabellingError
from adaptml.features.lemmas import lemmatize, token_lemmas
from adaptml.features.words import is_sign, split, written
from adaptml.rules.keywords import Keyword, KeywordSearch


def found(keywords: Sequence[Keyword], values: Sequence[Any]) -> list[set[str]]:
    """Texts of the keywords in each value."""
    rows, numbers = KeywordSearch(keywords).find(values, "the rule")
    return [{keywords[number].text for number in numbers[rows == row]} for row in range(len(values))]


def words(*texts: str, exact: bool = False, language: str = "en") -> list[Keyword]:
    return [Keyword(text, exact, language) for text in texts]


@pytest.mark.parametrize(
    ("keyword", "hits", "misses"),
    [
        ("cancelled", ["They CANCELLED it", "please cancel", ["cancel"], ["Cancelled"], "Cancels?"], ["cancellation", ["cance"], []]),
        ("worst", ["the worst", "Worst!", ["bad"]], ["worsted", ["worsted"]]),
        ("lost", ["lost", ["lose"], "losing"], ["closet"]),
        ("customer service", ["Customer  service!", "customer-service", "#CustomerService", ["customer", "service"], ["customer service"]],
         ["customer", "service customer", "our customer's own service", ["service", "customer"]]),
        ("don't", ["I don’t", "I DONT", "do not", ["do", "not"]], ["do it", "not"]),
        ("😾", ["grr😾grr", ["😾"], [":pouting_cat:"], ":pouting_cat:"], ["😺", "pouting cat"]),
        ("👍", ["👍🏽", "👍"], ["👎"]),
        ("#CustomerService", ["so #customerservice", ["#customerservice"]], ["customer service", "#customerservices"]),
        ("@vet", ["hi @Vet!"], ["vet", "@vets", "me@vet.org"]),
        ("example.org", ["see https://www.example.org/a?b", ["example.org"]], ["example", "org"]),
        ("C++", ["in c++", ["c++"]], ["c", "a c +", ["c"]]),
        ("911", ["call 911!", ["911"]], ["9110", "9.11"]),
        ("gbẹ̀san", ["GBẸ̀SAN", "gbẹ̀san."], ["gbẹsan", "san"]),
        ("猫です", ["私は猫です。"], ["猫"]),
    ],
)  # fmt: skip
def test_where_a_keyword_is_found(keyword: str, hits: list[Any], misses: list[Any]) -> None:
    for value in hits:
        assert found(words(keyword), [value]) == [{keyword}], value
    for value in misses:
        assert found(words(keyword), [value]) == [set()], value


def test_exact_keywords_are_found_as_they_are_written() -> None:
    exact = words("US", "Customer Service", "best", exact=True)
    values = [
        "the US",
        "us",
        "Customer Service",
        "customer service",
        "the best",
        "good",
        ["US"],
        ["us"],
        ["best"],
    ]
    assert found(exact, values) == [
        {"US"}, set(), {"Customer Service"}, set(), {"best"}, set(), {"US"}, set(), {"best"},
    ]  # fmt: skip


def test_keywords_of_several_kinds_and_values_of_several_kinds_at_once() -> None:
    keywords = [Keyword("US", True, "en"), Keyword("chats", False, "fr"), Keyword("cats", False, "en")]
    values = [
        "The US cat",
        None,
        ["chat"],
        float("nan"),
        "un chat",
        [],
        np.array(["cat"], object),
        ("US",),
        {"cats"},
    ]
    assert found(keywords, values) == [
        {"US", "cats"}, set(), {"chats"}, set(), {"chats"}, set(), {"cats"}, {"US"}, {"cats"},
    ]  # fmt: skip
    assert found(keywords, []) == []


def test_keywords_that_touch_or_overlap_are_all_found() -> None:
    keywords = words("cat", "dog", "cat dog", "dog bird", "bird cat", "dogs")
    expected = {"cat", "dog", "cat dog", "dog bird", "dogs"}
    assert found(keywords, ["cat dog bird", ["cat", "dog", "bird"]]) == [expected, expected]


def test_lemmas_are_of_the_language_of_the_keyword() -> None:
    assert found(words("kittens", language="yo"), ["a kitten", "KITTENS"]) == [set(), {"kittens"}]


def test_what_stands_between_tokens_is_no_part_of_them() -> None:
    values = [["a\x1fcat", "b\x1ecat"], ["cat"], ["c\x1f"], "cat\x1fcat", ["", "cat"], [""]]
    assert found(words("cat"), values) == [set(), {"cat"}, set(), {"cat"}, {"cat"}, set()]
    assert found(words("a\x1fcat"), [["a cat"], ["cat"]]) == [{"a\x1fcat"}, set()]


@pytest.mark.parametrize("wrong", [[5], [["a", 5]], ["a", 5], [b"cat"], [[None]]])
def test_values_that_are_no_texts_are_named(wrong: list[Any]) -> None:
    with pytest.raises(LabellingError, match=r"^the rule, which holds .*; expected text or lists of text: "):
        KeywordSearch(words("cat")).find(wrong, "the rule")


# The slow search: everything that is said in KeywordSearch's docstring, one comparison after the other.


def plain(text: str, exact: bool) -> str:
    text = unicodedata.normalize("NFC", text).replace("’", "'")
    return text if exact else text.lower()


def has(tokens: Sequence[str], wanted: Sequence[str]) -> bool:
    n = len(wanted)
    return n > 0 and any(list(tokens[i : i + n]) == list(wanted) for i in range(len(tokens) - n + 1))


def holds(keyword: Keyword, value: Any) -> bool:
    if value is None:
        return False
    tokens = split(keyword.text)
    forms = [[plain(written(token), keyword.exact) for token in tokens]]
    if not keyword.exact and tokens and not is_sign(tokens[0]) and not is_sign(tokens[-1]):
        whole = [token_lemmas(token, keyword.language, whole=True) for token in tokens]
        forms.append([lemma for lemmas in whole for lemma in lemmas])
    if isinstance(value, str):
        as_written = [plain(written(token), keyword.exact) for token in split(value)]
        as_one = plain(keyword.text.strip(), keyword.exact) in as_written
        return (
            as_one
            or has(as_written, forms[0])
            or (len(forms) > 1 and has(lemmatize(value, keyword.language), forms[1]))
        )
    items = [plain(item, keyword.exact) for item in value]
    return plain(keyword.text.strip(), keyword.exact) in items or any(has(items, form) for form in forms)


PIECES = [
    *("cats.org", "cancelled", "Cancel", "cancels", "best", "GOOD", "don't", "Don’t", "do", "not", "US", "us", "#DogLife", "dog"),
    *("life", "😾", ":pouting_cat:", "👍🏽", "gbẹ̀san", "GBE\u0323\u0300SAN", "e\u0301te\u0301", "Été", "@vet", "www.cats.org"),
    *(",", "!", "-", "c++", "ΟΔΟΣ", "οδος", "İ", "猫で", "5", "1,000", "a_b"),
]  # fmt: skip
TEXTS = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=4)), max_size=6).map(" ".join)
LISTS = st.lists(
    st.one_of(st.sampled_from(PIECES), st.sampled_from(["customer service", "dog life"])), max_size=5
)
KEYWORDS = st.builds(
    Keyword,
    st.lists(st.sampled_from(PIECES), min_size=1, max_size=3).map(" ".join),
    st.booleans(),
    st.sampled_from(["en", "de", "yo"]),
)


@given(st.lists(KEYWORDS, min_size=1, max_size=6), st.lists(st.one_of(TEXTS, LISTS, st.none()), max_size=6))
def test_all_at_once_is_one_after_the_other(keywords: list[Keyword], values: list[Any]) -> None:
    rows, numbers = KeywordSearch(keywords).find(values, "the rule")
    pairs = set(zip(rows.tolist(), numbers.tolist(), strict=True))
    assert pairs == {
        (row, number)
        for row, value in enumerate(values)
        for number, keyword in enumerate(keywords)
        if holds(keyword, value)
    }


@given(TEXTS, st.sampled_from(PIECES))
def test_a_text_and_its_lemmas_are_searched_alike(text: str, piece: str) -> None:
    """What a lemma column holds of a text is found there, too."""
    in_lemmas = found(words(piece), [lemmatize(text)])[0]
    if not any(is_sign(token) for token in split(piece)) and has(
        lemmatize(text), Keyword(piece, False, "en").lemmas
    ):
        assert in_lemmas == found(words(piece), [text])[0] == {piece}
