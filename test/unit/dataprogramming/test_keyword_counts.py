"""Each keyword's rows, counted once a row."""

import pytest

from adaptml.errors import LabellingError
from dataprogramming.keyword_counts import keyword_hits_by_keyword
from dataprogramming.keyword_lfs import keyword_lf

LF = keyword_lf("spam_words", ["free", "click", "win", "never"], "spam", "lemmas")


def test_counts_by_hand() -> None:
    tokens = [["free", "free", "cat"], ["win", "free"], None, [], ["click"], ["clicks"], ["click", "free"]]
    hits = keyword_hits_by_keyword(LF, tokens)
    assert hits == {"free": 3, "click": 2, "win": 1, "never": 0}
    assert list(hits) == ["free", "click", "win", "never"]


def test_no_rows() -> None:
    assert keyword_hits_by_keyword(LF, []) == {"click": 0, "free": 0, "never": 0, "win": 0}


def test_a_column_of_texts_is_refused() -> None:
    with pytest.raises(LabellingError, match=r"spam_words.*lemmas.*str"):
        keyword_hits_by_keyword(LF, ["free click"])
