"""Words and phrases that mark a class, worked out by hand on a few rows."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adaptml.errors import LabellingError
from adaptml.features.words import phrases, split
from adaptml.project import Project
from dataprogramming.next_rule.log_odds import log_odds
from dataprogramming.next_rule.words import class_words, marking_phrases

COUNTS = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=9)


def test_log_odds_by_hand() -> None:
    # All rows are 20, so that the prior counts as 2: half a row for a word that is in 5 of them.
    delta, z = log_odds([4, 1], 10, [1, 1], 10, [5, 2], 20)
    expected = math.log(4.5 / 7.5) - math.log(1.5 / 10.5)
    assert delta == pytest.approx([expected, 0])
    assert z == pytest.approx([expected / math.sqrt(1 / 4.5 + 1 / 1.5), 0])


def test_a_word_in_every_row_tells_nothing() -> None:
    assert [value.tolist() for value in log_odds([3], 3, [2], 2, [5], 5)] == [[0.0], [0.0]]


@given(COUNTS)
def test_groups_that_change_places_change_the_sign(counts: list[tuple[int, int]]) -> None:
    one, other = ([pair[side] for pair in counts] for side in (0, 1))
    every = [max(1, a + b) for a, b in counts]
    there, back = log_odds(one, 9, other, 9, every, 30), log_odds(other, 9, one, 9, every, 30)
    for first, second in zip(there, back, strict=True):
        np.testing.assert_allclose(first, -second, atol=1e-12)
        assert np.isfinite(first).all()


def test_phrases_do_not_reach_over_signs() -> None:
    assert phrases(split("Win it, NOW 😾"), 3) == {
        "win",
        "it",
        "win it",
        "now",
        ":pouting_cat:",
        "now :pouting_cat:",
    }


def test_phrases_that_are_in_the_same_rows_are_shown_once() -> None:
    texts = [phrases(text.split(), 3) for text in ("new york", "new york", "old york", "old rome", "rome")]
    one = np.array([True, True, False, False, False])
    frame = marking_phrases(texts, one, ~one, np.array([False, True, True, False, False]), 9)
    assert frame["phrase"].tolist() == ["york", "new"]  # "new york" is where "new" is
    assert frame[["one", "other", "reached"]].to_numpy().tolist() == [[2, 1, 2], [2, 0, 1]]


def test_words_of_the_pets(pets: Project) -> None:
    task = pets.task("pets")
    votes = pets.apply_lfs(task, "posts")
    # Of cats by gold: 3, 5, 6; by votes alone: 1. Of dogs: 2. Uncovered: 4. Wrong on gold are 3, 5 and 6.
    found = class_words(pets, task, votes, "cat", "tokens", among="wrong")
    assert (found.one, found.other, found.reached, found.gold, found.rows) == (4, 1, 3, 3, 6)
    assert found.frame["phrase"].tolist() == ["purr"]
    assert found.frame[["one", "other", "reached"]].iloc[0].tolist() == [3, 0, 2]
    assert class_words(pets, task, votes, "cat", "txt").frame.empty  # no word of "Sun" is in a second row
    rest = class_words(pets, task, votes, "cat", "tokens", among="wrong", against="voted")
    assert (rest.one, rest.other) == (3, 2)


@pytest.mark.parametrize(
    ("given", "facts"),
    [
        ({"class_name": "cow"}, ["'cow'", "cat, dog"]),
        ({"among": "some"}, ["'some'", "uncovered, wrong, all"]),
        ({"against": "none"}, ["'none'", "classes, rest, voted"]),
        ({"among": "all", "against": "voted"}, ["all rows", "uncovered or wrong"]),
        ({"column": "n"}, ["'n'", "int", "text or lists of text"]),
    ],
)
def test_what_cannot_be_asked(pets: Project, given: dict[str, str], facts: list[str]) -> None:
    import sqlalchemy as sa

    task = pets.task("pets")
    votes = pets.apply_lfs(task, "posts")
    with pets.database.engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE posts ADD COLUMN n INTEGER DEFAULT 1"))
    pets.close()
    with pytest.raises(LabellingError) as raised:
        class_words(pets, task, votes, **{"class_name": "cat", "column": "tokens"} | given)
    assert all(fact in str(raised.value) for fact in facts)
