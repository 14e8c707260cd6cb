"""Each keyword's rows, counted once a row."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adaptml.errors import LabellingError
from adaptml.project import Project
from dataprogramming import keyword_counts
from dataprogramming.keyword_counts import count_keywords, keyword_hits_of, silent_sentence
from dataprogramming.keyword_lfs import keyword_lf
from dataprogramming.rule_lfs import regex_lf

LF = keyword_lf("spam_words", ["free", "click", "win", "never"], "spam", "lemmas")


def test_counts_by_hand() -> None:
    tokens = [["free", "free", "cat"], ["win", "free"], None, [], ["click"], ["clicks"], ["click", "free"]]
    hits = count_keywords([LF], tokens)["spam_words"]
    assert hits == {"free": 3, "click": 2, "win": 1, "never": 0}
    assert list(hits) == ["free", "click", "win", "never"]


def test_texts_and_lemmas_are_counted() -> None:
    assert count_keywords([LF], ["Click free, FREE!", "winning", ["free"]]) == {
        "spam_words": {"free": 2, "click": 1, "win": 1, "never": 0}
    }


def test_no_rows() -> None:
    assert count_keywords([LF], []) == {"spam_words": {"click": 0, "free": 0, "never": 0, "win": 0}}


def test_a_column_of_numbers_is_refused() -> None:
    with pytest.raises(LabellingError, match=r"spam_words.*lemmas.*int"):
        count_keywords([LF], [5])


@given(
    st.lists(st.lists(st.sampled_from(["free", "wins", "cat"]), max_size=3), max_size=5),
    st.lists(st.sets(st.sampled_from(["free", "win", "dog"]), min_size=1), min_size=1, max_size=3),
)
def test_several_together_are_each_alone(rows: list[list[str]], keywords: list[set[str]]) -> None:
    lfs = [keyword_lf(f"lf{j}", words, "spam", "lemmas") for j, words in enumerate(keywords)]
    together = count_keywords(lfs, rows)
    assert together == {lf.name: count_keywords([lf], rows)[lf.name] for lf in lfs}


def test_keywords_of_several_columns_are_counted_in_a_table(
    pets: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyword_counts, "CHUNK_ROWS", 4)
    lfs = [
        keyword_lf("cats", ["purred", "hiss"], "cat", "tokens"),
        regex_lf("other", "x", "cat", "txt"),
        keyword_lf("dogs", ["BARKS", "meow"], "dog", "txt"),
    ]
    points = pd.DataFrame({"table_name": "posts", "id": ["1", "2", "3", "4", "5", "6"]})
    hits = keyword_hits_of(pets.database, lfs, points)
    assert hits == {"cats": {"purred": 3, "hiss": 0}, "dogs": {"BARKS": 3, "meow": 0}}
    assert silent_sentence(hits, 6).startswith("2 keywords are in none of 6 rows: hiss (cats), meow (dogs); ")
    assert keyword_hits_of(pets.database, lfs[1:2], points) == {}
    assert keyword_hits_of(pets.database, lfs, points.iloc[:0])["cats"] == {"hiss": 0, "purred": 0}


def test_keywords_without_a_row_are_named() -> None:
    assert silent_sentence({"a": {"x": 1}}, 5) == ""
    assert silent_sentence({"a": {"x": 1, "y": 0}}, 5) == (
        "1 keyword is in none of 5 rows: y (a); `adaptml lemmas` shows what becomes of words"
    )
    many = {"a": {f"w{i:02}": 0 for i in range(12)}}
    assert silent_sentence(many, 5).startswith("12 keywords are in none of 5 rows: w00 (a), ")
    assert "w09 (a) and 2 more; " in silent_sentence(many, 5)
