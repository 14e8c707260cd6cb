"""Applying labelling functions: equal to Snorkel's own applier, clear about what goes wrong."""

from collections import Counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from snorkel.labeling import LabelingFunction, PandasLFApplier, labeling_function
from snorkel.preprocess import preprocessor

from adaptml.errors import LabellingError
from adaptml.tasks import Label
from adaptml.tasks import Labels as TaskLabels
from dataprogramming.applier import apply_to_frame
from dataprogramming.keyword_lfs import keyword_lf

LABELS = TaskLabels(["cat", "dog"])
WORDS = ["purr", "bark", "hiss", "mew", "run"]


@preprocessor()
def counted(x):  # type: ignore[no-untyped-def]
    x.length = len(x.tokens)
    return x


@labeling_function(pre=[counted])
def long(x):  # type: ignore[no-untyped-def]
    return LABELS.dog if x.length > 2 else LABELS.ABSTAIN


@labeling_function(resources={"limit": 3})
def big(x, limit):  # type: ignore[no-untyped-def]
    return 0 if x.weight > limit else -1


def frame(*rows: tuple[list[str] | None, float]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "table_name": "t",
            "id": [str(i) for i in range(len(rows))],
            "tokens": pd.Series([tokens for tokens, _ in rows], dtype=object),
            "weight": [weight for _, weight in rows],
        }
    )


@given(
    st.lists(
        st.tuples(st.lists(st.sampled_from(WORDS), max_size=4), st.floats(0, 6)), min_size=1, max_size=12
    ),
    st.lists(
        st.tuples(st.sets(st.sampled_from(WORDS), min_size=1), st.sampled_from(list(LABELS))), max_size=5
    ),
)
def test_equals_snorkels_applier(
    rows: list[tuple[list[str], float]], rules: list[tuple[set[str], Label]]
) -> None:
    lfs = [keyword_lf(f"k{i}", words, label, "tokens") for i, (words, label) in enumerate(rules)]
    lfs = [long, *lfs, big]
    expected = PandasLFApplier(lfs).apply(frame(*rows), progress_bar=False)
    votes = apply_to_frame(lfs, frame(*rows), LABELS)
    assert votes.dtype == np.int8
    np.testing.assert_array_equal(votes, expected)


def test_a_missing_list_has_no_tokens_and_a_missing_value_is_none() -> None:
    seen = []
    look = LabelingFunction("look", lambda x: seen.append(x.tokens))
    votes = apply_to_frame(
        [keyword_lf("p", ["purr"], 0, "tokens"), look], frame((None, 1.0), (["purr"], 1.0)), LABELS
    )
    assert votes.tolist() == [[-1, -1], [0, -1]]
    assert seen == [None, ["purr"]]


def test_votes_by_name_and_columns_with_any_name() -> None:
    data = frame((["purr"], 1.0)).rename(columns={"tokens": "my tokens"})
    by_item = LabelingFunction("by_item", lambda x: "dog" if "purr" in x["my tokens"] else "ABSTAIN")
    assert apply_to_frame(
        [keyword_lf("p", ["purr"], "cat", "my tokens"), by_item], data, LABELS
    ).tolist() == [[0, 1]]


@pytest.mark.parametrize("vote", [2, -2, "fish", True, 0.5, 1.0, np.float64(1), 1 + 0j])
def test_a_vote_that_is_no_class(vote: object) -> None:
    with pytest.raises(LabellingError) as raised:
        apply_to_frame([LabelingFunction("odd", lambda x: vote)], frame(([], 1.0)), LABELS)
    assert str(raised.value) == (
        f"the labelling function 'odd' voted {vote!r} on data point t/0; "
        "expected one of the classes cat, dog, or ABSTAIN"
    )


@pytest.mark.parametrize("vote", [1, 3, np.int64(4), 5])
def test_a_whole_number_is_no_vote_where_classes_are_numbers(vote: int) -> None:
    """Classes are named 1 to 5: as a place, 1 would be the class 2."""
    stars = TaskLabels(["1", "2", "3", "4", "5"])
    for lf in (LabelingFunction("odd", lambda x: vote), keyword_lf("odd", ["a"], vote, "tokens")):
        with pytest.raises(
            LabellingError, match=r"'odd' voted .* on data point t/0; the classes 1, 2, 3, 4, 5"
        ) as e:
            apply_to_frame([lf], frame((["a"], 1.0)), stars)
        assert str(e.value).endswith("return the name as text, such as '1'")


def test_names_and_members_are_votes_where_classes_are_numbers() -> None:
    stars = TaskLabels(["1", "2", "-1"])
    votes = iter(["2", stars["2"], None, "-1"])
    data = frame(*[([], 1.0)] * 4)
    assert apply_to_frame([LabelingFunction("stars", lambda x: next(votes))], data, stars).tolist() == [
        [1], [1], [-1], [2],
    ]  # fmt: skip
    with pytest.raises(LabellingError, match="voted -1 on"):
        apply_to_frame([LabelingFunction("stars", lambda x: -1)], data, stars)
    abstains = LabelingFunction("stars", lambda x: -1)
    assert apply_to_frame([abstains], data, TaskLabels(["1", "2"])).tolist() == [[-1]] * 4


def test_an_lf_that_raises_is_named_with_its_place() -> None:
    bad = LabelingFunction("bad", lambda x: 1 // len(x.tokens or []))
    with pytest.raises(LabellingError) as raised:
        apply_to_frame([bad], frame((["a"], 1.0), (None, 1.0)), LABELS)
    line = bad._f.__code__.co_firstlineno
    assert str(raised.value) == (
        f"the labelling function 'bad' failed on data point t/1 (tokens is missing there), at {__file__}, line "
        f"{line}: ZeroDivisionError: integer division or modulo by zero; fix it, or allow failures with "
        "--fault-tolerant, which counts them as abstentions"
    )


def test_failures_are_counted_when_asked_for() -> None:
    bad = LabelingFunction("bad", lambda x: 1 // int(x.weight))
    faults: Counter[str] = Counter()
    votes = apply_to_frame([bad], frame(([], 1.0), ([], 0.0), ([], 0.0), ([], 1.0)), LABELS, failures=faults)
    assert votes.tolist() == [[1], [-1], [-1], [1]]
    assert faults == {"bad": 2}


def test_keywords_in_a_text_column() -> None:
    data = frame(([], 1.0)).assign(tokens="It PURRED!")
    assert apply_to_frame([keyword_lf("p", ["purr"], 0, "tokens")], data, LABELS).tolist() == [[0]]
    with pytest.raises(
        LabellingError, match="'p' looks at the column 'weight', which holds float; expected text"
    ):
        apply_to_frame([keyword_lf("p", ["purr"], 0, "weight")], data, LABELS)


def test_keywords_in_a_column_that_is_not_there() -> None:
    with pytest.raises(
        LabellingError, match="'p' needs the column 'nope'; the LF features are tokens, weight; name it"
    ):
        apply_to_frame([keyword_lf("p", ["purr"], 0, "nope")], frame(([], 1.0)), LABELS)
