"""Sets of classes as people write them, and the numbers of votes that stand for them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adaptml.tasks import Labels
from adaptml.tasks.class_sets import AllBut, class_numbers, not_, set_text, set_words
from adaptml.tasks.vote_codes import VoteCodes

NAMES = ["cat", "dog", "bird", "fish"]
LABELS = Labels(NAMES, {"hound": "dog"})
CODES = VoteCodes(4, ((0, 1), (1, 2, 3), (2, 3)))  # cat or dog, not cat, bird or fish


@pytest.mark.parametrize(
    ("written", "numbers"),
    [
        ({"cat", "dog"}, (0, 1)),
        (["dog", "cat", "dog"], (0, 1)),
        ((LABELS.dog, 0), (0, 1)),
        (frozenset({"hound", LABELS.dog}), (1,)),  # one class under two names
        (not_("cat"), (1, 2, 3)),
        (not_(LABELS.cat, "hound"), (2, 3)),
        (set(NAMES), (0, 1, 2, 3)),
    ],
)
def test_a_set_is_written_by_name_number_or_member(written: object, numbers: tuple[int, ...]) -> None:
    assert class_numbers(LABELS, written) == numbers  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (set(), "an empty set leaves no class open"),
        (not_(*NAMES), "not_('cat', 'dog', 'bird', 'fish') leaves no class open"),
        (["cat", "wolf"], "'wolf' is no class; expected some of cat, dog, bird, fish"),
        (["cat", None], "None is no class"),
        (["cat", LABELS.ABSTAIN], "'ABSTAIN' is no class"),
        ([0, True], "True is no class"),
        ([0, 4], "4 is no class"),
        ([0, 1.0], "1.0 is no class"),
    ],
)
def test_what_is_no_class_is_named(written: object, said: str) -> None:
    with pytest.raises(ValueError, match="class") as error:
        class_numbers(LABELS, written)  # type: ignore[arg-type]
    assert said in str(error.value)


def test_whole_numbers_are_refused_where_classes_are_numbers() -> None:
    stars = Labels(["1", "2", "3"])
    assert class_numbers(stars, {"1", "2"}) == (0, 1)
    with pytest.raises(ValueError, match=r"are numbers themselves, .* such as '1'"):
        class_numbers(stars, [1, 2])


def test_sets_are_shown_as_code_and_in_words() -> None:
    assert (set_text({"dog", "cat"}), set_words({"dog", "cat"})) == ("{'cat', 'dog'}", "cat or dog")
    assert (set_text(not_(LABELS.cat)), set_words(not_(LABELS.cat))) == ("not_('cat')", "not cat")
    assert set_words(not_("cat", "dog")) == "neither cat nor dog"
    with pytest.raises(TypeError, match=r"not_\('cat'\)"):
        not_()


def test_codes_have_names_that_say_the_shorter_thing() -> None:
    assert CODES.names(NAMES) == [*NAMES, "cat or dog", "not cat", "bird or fish"]
    many = list("abcdefgh")
    assert VoteCodes(8, ((2, 3, 4, 5, 6, 7),)).names(many)[8:] == ["neither a nor b"]
    assert VoteCodes(3, ((0, 1),)).names(many[:3])[3:] == ["a or b"]  # not "not c"


def test_votes_contradict_one_another_where_no_class_fits_both() -> None:
    """Rows: cat and "cat or dog"; cat and "not cat"; the two sets; silence; all three; bird and "cat or dog"."""
    L = np.array([[0, 4, -1], [0, 5, -1], [4, 5, -1], [-1, -1, -1], [4, 5, 6], [2, -1, 4]], np.int8)
    assert CODES.disagree(L).tolist() == [False, True, False, False, True, True]
    Y = np.eye(4, dtype=np.int8)[[0, 0, 1, 0, 3, 0]]
    assert CODES.right(L, Y).tolist() == [
        [True, True, False],
        [True, False, False],
        [True, True, False],
        [False, False, False],
        [False, True, True],
        [False, False, True],
    ]


written_sets = st.one_of(
    st.sets(st.sampled_from(NAMES), min_size=1),
    st.lists(st.sampled_from([*LABELS][1:]), min_size=1),
    st.sets(st.integers(0, 3), min_size=1),
    st.sets(st.sampled_from(NAMES), min_size=1, max_size=3).map(lambda names: AllBut(tuple(names))),
)


@given(written_sets)
def test_a_set_and_its_complement_leave_open_what_the_other_rules_out(written: object) -> None:
    mine = class_numbers(LABELS, written)  # type: ignore[arg-type]
    if len(mine) < 4:
        others = class_numbers(LABELS, AllBut(mine))
        assert sorted((*mine, *others)) == [0, 1, 2, 3]


@given(st.lists(st.lists(st.integers(-1, 6), min_size=3, max_size=3), max_size=8))
def test_rows_disagree_as_counted_pair_by_pair(rows: list[list[int]]) -> None:
    L = np.array(rows, np.int8).reshape(len(rows), 3)
    classes = {c: {c} for c in range(4)} | {4 + i: set(found) for i, found in enumerate(CODES.sets)}
    expected = [
        any(not classes[a] & classes[b] for a in row for b in row if a >= 0 and b >= 0) for row in rows
    ]
    assert CODES.disagree(L).tolist() == expected
