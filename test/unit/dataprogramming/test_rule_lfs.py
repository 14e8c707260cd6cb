"""Labelling functions whose rule is data: keywords, regular expressions, numbers, word lists."""

import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from snorkel.labeling import LabelingFunction, PandasLFApplier

import adaptml
from adaptml.errors import LabellingError
from adaptml.tasks import Labels, Task
from dataprogramming.applier import apply_to_frame
from dataprogramming.keyword_lfs import keyword_lf
from dataprogramming.lf_json import is_data, lf_from_json
from dataprogramming.lfs import load_lfs
from dataprogramming.rule_lfs import RuleLF, number_lf, regex_lf

LABELS = Labels(["ham", "spam"])
FRAME = pd.DataFrame(
    {
        "txt": ["They CANCEL it", "I don't mind", None, "wait 5 hours 😾", "great customer service"],
        "lemmas": pd.Series([["they", "cancel", "it"], ["i", "do", "not", "mind"], None, [], ["customer"]], dtype=object),
        "minutes": [5, 20, np.nan, 40, 15],
    }
)  # fmt: skip
LFS = [
    keyword_lf("bad", ["cancelled", "😾", "don't"], LABELS.spam, "txt"),
    keyword_lf("bad_lemmas", ["cancelled", "don't"], "spam", "lemmas"),
    regex_lf("hours", r"\b\d+ hours?\b", 1, "txt"),
    number_lf("late", LABELS.spam, "minutes", above=15),
    keyword_lf("good", ["customer service"], LABELS.ham, "txt"),
]
VOTES = [[1, 1, -1, -1, -1], [1, 1, -1, 1, -1], [-1, -1, -1, -1, -1], [1, -1, 1, 1, -1], [-1, -1, -1, -1, 0]]


def test_votes_by_hand() -> None:
    assert apply_to_frame(LFS, FRAME, LABELS).tolist() == VOTES


def test_votes_are_those_that_each_casts_on_its_own() -> None:
    numbered = [lf for lf in LFS if not isinstance(lf.label, str)]  # Snorkel takes numbers alone
    alone = PandasLFApplier(numbered).apply(FRAME, progress_bar=False)
    np.testing.assert_array_equal(apply_to_frame(numbered, FRAME, LABELS), alone)


def test_json_brings_labelling_functions_back() -> None:
    again = [lf_from_json(lf.to_json()) for lf in LFS]
    assert [type(lf) for lf in again] == [type(lf) for lf in LFS]
    assert [lf.rule for lf in again] == [lf.rule for lf in LFS]
    assert [lf.label for lf in again] == ["spam", "spam", 1, "spam", "ham"]
    assert apply_to_frame(again, FRAME, LABELS).tolist() == VOTES
    with pytest.raises(LabellingError, match="this is no rule"):
        lf_from_json("{}")


def test_a_subclass_is_no_data_for_nobody_knows_what_it_does() -> None:
    class Never(type(LFS[2])):  # type: ignore[misc]
        def _vote(self, x: Any) -> int:
            return -1

    never = Never(LFS[2].rule, 1)
    assert is_data(LFS[2])
    assert not is_data(never)
    assert not is_data(LabelingFunction("f", lambda x: -1))
    assert apply_to_frame([never], FRAME, LABELS)[:, 0].tolist() == [-1] * 5


@pytest.mark.parametrize(
    ("make", "facts"),
    [
        (lambda: keyword_lf("a", "cat", 0, "txt"), ["'a'", "the text 'cat'", "['cat']"]),
        (lambda: keyword_lf("a", [], 0, "txt"), ["'a'", "no keyword", "at least one"]),
        (lambda: keyword_lf("a", ["b", " "], 0, "txt"), ["'a'", "the keyword ' '", "expected words"]),
        (lambda: keyword_lf("a", ["b", 5], 0, "txt"), ["'a'", "the keyword 5"]),  # type: ignore[list-item]
        (lambda: regex_lf("a", "(", 0, "txt"), ["'a'", "pattern", "no regular expression", "position 0"]),
        (lambda: number_lf("a", 0, "n"), ["'a'", "above, below or both"]),
        (lambda: number_lf("a", 0, "n", above=3, below=2), ["'a'", "above 3", "below 2"]),
        (lambda: number_lf("a", 0, "n", above="x"), ["'a'", "above", "'x'"]),  # type: ignore[arg-type]
    ],
)
def test_rules_that_cannot_be_made(make: Any, facts: list[str]) -> None:
    with pytest.raises(LabellingError) as raised:
        make()
    assert [fact for fact in facts if fact not in str(raised.value)] == []
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("lf", [LFS[2], LFS[3]], ids=["regex", "number"])
def test_a_column_that_is_not_there_or_of_another_type(lf: RuleLF) -> None:
    with pytest.raises(
        LabellingError, match=f"'{lf.name}' needs the column '{lf.column}'; the LF features are"
    ):
        apply_to_frame([lf], FRAME[["lemmas"]], LABELS)
    with pytest.raises(
        LabellingError, match=f"'{lf.name}' looks at the column '{lf.column}', which holds list"
    ):
        apply_to_frame([lf], FRAME.assign(**{lf.column: FRAME["lemmas"]}), LABELS)


def test_keywords_take_the_language_of_their_task() -> None:
    lfs = [keyword_lf("a", ["chats"], "ham", "txt"), LabelingFunction("b", lambda x: None)]
    task = Task(classes=["ham", "spam"], language="fr", lfs=lfs)
    loaded, _ = load_lfs(task)
    assert loaded.rule.language == "fr"
    assert loaded(SimpleNamespace(txt="le chat")) == "ham"
    kept = lf_from_json(keyword_lf("a", ["chats"], "ham", "txt").to_json())
    assert load_lfs(Task(classes=["ham", "spam"], language="fr", lfs=[kept]))[0].rule.language == "en"


def write(folder: Path, lfs: str, words: bytes | None = None) -> Task:
    folder.mkdir()
    (folder / "lfs.py").write_text(lfs)
    if words is not None:
        (folder / "negative.txt").write_bytes(words)
    return Task(name=folder.name, classes=("ham", "spam"), lf_features=("txt",), folder=folder)


LOOKUP = """
from adaptml import keyword_lf, lookup
NEGATIVE = lookup("negative.txt")
def get_lfs(params):
    return [keyword_lf("bad", NEGATIVE, "spam", "txt")]
"""


def test_a_word_list_lies_beside_the_task(tmp_path: Path) -> None:
    words = "\ufeff# what angry people write\nworst\n\n  customer service \r\n#\tnote\n#\n#Fail\n😾".encode()
    task = write(tmp_path / "mails", LOOKUP, words)
    assert load_lfs(task)[0].keywords == {"worst", "customer service", "#Fail", "😾"}
    loaded = []
    thread = threading.Thread(target=lambda: loaded.extend(load_lfs(task)))  # no folder of its own there
    thread.start()
    thread.join()
    assert len(loaded) == 1


@pytest.mark.parametrize(
    ("words", "facts"),
    [
        (None, ["negative.txt cannot be read: No such file"]),
        (b"caf\xe9", ["negative.txt is not UTF-8", "position 3", "save it"]),
        (b"# nothing\n\n", ["negative.txt holds no word", "one a line"]),
    ],
)
def test_a_word_list_that_cannot_be_used(tmp_path: Path, words: bytes | None, facts: list[str]) -> None:
    task = write(tmp_path / "mails", LOOKUP, words)
    with pytest.raises(LabellingError) as raised:
        load_lfs(task)
    assert [fact for fact in [str(tmp_path / "mails"), *facts] if fact not in str(raised.value)] == []
    assert "\n" not in str(raised.value)


@given(
    st.lists(
        st.text(st.characters(codec="ascii", categories=["L"]), min_size=1, max_size=6),
        min_size=1,
        max_size=4,
    )
)
def test_the_lines_of_a_word_list_are_its_words(words: list[str]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "words.txt"
        file.write_text("\n".join(words), encoding="utf-8")
        assert adaptml.lookup(file) == words
