import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adaptml.errors import FeatureError
from adaptml.features import lemmas
from adaptml.features.lemmas import lemmatize


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The kittens purred, galloped and hissed!", ["the", "kitten", "purr", "gallop", "and", "hiss"]),
        ("HOOVES Labrador geese Labradors", ["hoof", "labrador", "goose", "labradors"]),
        ("the cat's bed, the cat’s toy", ["the", "cat", "bed", "the", "cat", "toy"]),
        ("see https://example.org/cats?x=1, www.dogs.net or mail me@owls.com @vet_24", ["see", "or", "mail"]),
        ("#snakes 2 barn-owls 🐍 ... 3rd", ["snake", "barn", "owl", "rd"]),
        ("", []),
        (" \n\t", []),
        (None, []),
    ],
)
def test_words_become_lower_case_lemmas_and_the_rest_is_dropped(
    text: str | None, expected: list[str]
) -> None:
    assert lemmatize(text) == expected


@given(st.text())
def test_any_text_gives_words_without_blanks_or_digits(text: str) -> None:
    for lemma in lemmatize(text):
        assert lemma == lemma.lower()
        assert lemma
        assert not any(sign.isspace() or sign in "@#,.!?0123456789" for sign in lemma)


def test_without_the_dictionary_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "simplemma", None)
    lemmas._lemma.cache_clear()
    with pytest.raises(
        FeatureError, match=r"^lemmas need a library .*simplemma.*pip install -e '\.\[featurize\]'$"
    ):
        lemmatize("kittens")
