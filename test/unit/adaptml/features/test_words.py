"""Splitting texts: what is a token, in which scripts, and what it counts as."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adaptml.features.emoji import emoji_name
from adaptml.features.words import normalized, parts, spans, split, written

# Letters, marks, signs and emoji that split's expression tells apart, more often than by chance.
MIXED = st.text(
    st.one_of(
        st.sampled_from("aZé\u0301\u0323#@:/._'’-5 \n😾👍🏽\u200d\ufe0f🇨🇦क़ि猫ไม"),
        st.characters(codec="utf-8"),
    )
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Two barn-owls, it’s 3:40!", ["Two", "barn", "-", "owls", ",", "it’s", "3:40", "!"]),
        ("see https://example.org/cats?x=1, (www.dogs.net)", ["see", "https://example.org/cats?x=1", ",", "(", "www.dogs.net", ")"]),
        ('<a href="http://t.co/x">3</a>', ["<", "a", "href", "=", '"', "http://t.co/x", '"', ">", "3", "<", "/", "a", ">"]),
        ("mail me@owls.com or @vet_24 a@b", ["mail", "me@owls.com", "or", "@vet_24", "a", "@", "b"]),
        ("#snakes #50Shades #1 &#39; C#", ["#snakes", "#50Shades", "#", "1", "&", "#", "39", ";", "C", "#"]),
        ("covid19 2x $1,000.50 3.5mm snake_case", ["covid19", "2x", "$", "1,000.50", "3.5", "mm", "snake", "_", "case"]),
        ("😾😾 ❤️ 👩🏽‍🚀 🇨🇦🇫🇷 3️⃣ :pouting_cat: a:b:c", ["😾", "😾", "❤️", "👩🏽‍🚀", "🇨🇦", "🇫🇷", "3️⃣", ":pouting_cat:", "a", ":", "b", ":", "c"]),
        ("gbẹ̀san fẹ́", ["gbẹ̀san", "fẹ́"]),  # Yoruba: marks without a letter of their own
        ("लड़कों ने மொழி", ["लड़कों", "ने", "மொழி"]),  # Hindi and Tamil: vowels are marks
        ("e\u0301te\u0301", ["été"]),  # French, decomposed
        ("می‌خواهم", ["می‌خواهم"]),  # Persian: a joiner inside
        ("猫です ไม่ดี", ["猫", "で", "す", "ไ", "ม่", "ดี"]),  # no blanks between words: letters
        ("", []),
        (" \n\t", []),
    ],
)  # fmt: skip
def test_tokens_by_hand(text: str, expected: list[str]) -> None:
    assert split(text) == [normalized(token) for token in expected]


@given(MIXED)
def test_tokens_are_the_text_without_its_blanks(text: str) -> None:
    clean = normalized(text)
    assert "".join(split(text)) == "".join(clean.split())
    assert [clean[start:end] for start, end in spans(clean)] == split(text)


@given(MIXED)
def test_a_text_is_split_alike_however_it_was_typed(text: str) -> None:
    assert split(unicodedata.normalize("NFD", text)) == split(text)


@given(
    st.lists(st.text("abcXYZ", min_size=1, max_size=8), max_size=6),
    st.sampled_from([" ", ", ", ". ", "\n", "! "]),
)
def test_plain_words_are_found_whole_whatever_stands_between(words: list[str], between: str) -> None:
    found = split(between.join(words))
    assert [token for token in found if token.isalpha()] == words


def test_a_long_row_of_signs_takes_no_time_that_grows_with_its_square() -> None:
    assert len(split("." * 200_000)) == 200_000
    assert len(split("#" * 100_000 + "@" * 100_000 + "a" * 100_000)) >= 100_000


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        ("https://www.Example.org:80/cats?x=1", "Example.org"),
        ("www.dogs.net", "dogs.net"),
        ("HTTP://t.co", "t.co"),
        ("me.too@owls.co.uk", "owls.co.uk"),
        ("it’s", "it's"),
        ("#Cats", "#Cats"),
        ("@Vet", "@Vet"),
        ("1,000", "1,000"),
    ],
)
def test_what_a_token_counts_as(token: str, expected: str) -> None:
    assert split(token) == [token]
    assert written(token) == expected


@pytest.mark.parametrize(
    ("token", "name"),
    [
        ("😾", ":pouting_cat:"),
        ("🐱", ":cat_face:"),
        ("👍", ":thumbs_up:"),
        ("👍🏿", ":thumbs_up:"),
        ("❤", ":heavy_black_heart:"),
        ("❤️", ":heavy_black_heart:"),
        ("👨‍👩‍👧", ":man_woman_girl:"),
        ("🏃🏽‍♀️", ":runner_female:"),
        ("🇨🇦", ":flag_ca:"),
        ("🏴󠁧󠁢󠁳󠁣󠁴󠁿", ":flag_gbsct:"),
        ("#️⃣", ":keycap_number:"),
        ("7️⃣", ":keycap_7:"),
        (":pouting_cat:", ":pouting_cat:"),
        ("🏽", ":emoji_modifier_fitzpatrick_type_4:"),
        ("\U0001faff", ":u1faff:"),  # nothing yet
        ("cat", ""),
        ("猫", ""),
        ("5", ""),
        ("", ""),
    ],
)
def test_names_of_emoji(token: str, name: str) -> None:
    assert emoji_name(token) == name
    assert split(token) == ([token] if token else [])
    assert split(name) == ([name] if name else [])  # a name is a token, too


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        ("#CustomerService", ["Customer", "Service"]),
        ("#customer_service", ["customer", "service"]),
        ("#ILoveCats", ["I", "Love", "Cats"]),
        ("#iPhone", ["iPhone"]),
        ("#covid19", ["covid19"]),
        ("#GBẸ̀SAN", ["GBẸ̀SAN"]),
        ("YouTube", ["You", "Tube"]),
        ("ÉcoleNormale", ["École", "Normale"]),
        ("iPhone", []),
        ("PhD", []),
        ("CEOs", []),
        ("NASA", []),
        ("Cats", []),
        ("cats", []),
        ("#", []),
        ("#️⃣", []),
    ],
)
def test_words_inside_of_a_token(token: str, expected: list[str]) -> None:
    assert parts(normalized(token)) == [normalized(part) for part in expected]


@given(MIXED)
def test_parts_are_the_token_cut(text: str) -> None:
    for token in split(text):
        found = parts(token)
        assert not found or "".join(found) == token.replace("#", "", 1).replace("_", "")
