"""What one watch compares, by hand on small numbers and on made-up posts; nothing is read."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adaptml.frames import write_frame
from adaptml.tasks import Task
from adaptml.tasks.vote_codes import VoteCodes
from benchmarks.watch import CLASSES, SHIFTS, compared, posts
from dataprogramming.watching.gold_over_time import gold_over_time
from dataprogramming.watching.served import drawn_rows
from dataprogramming.watching.statistics import (
    Kind,
    Quantity,
    auc,
    compare_means,
    compare_shares,
    holm,
    judged,
)
from dataprogramming.watching.told_apart import told_apart
from dataprogramming.watching.verdict import verdict
from dataprogramming.watching.voted import VoteCounts, compare_votes
from dataprogramming.watching.words import new_words

N_OLD, N_NEW = 1_000, 400


def shares(old: tuple[int, int], new: tuple[int, int]) -> Quantity:
    return compare_shares(Kind.COVERAGE, "coverage/a", "rows that a votes on", old, new, "a")


def test_holm_by_hand() -> None:
    # sorted .005 .01 .03 .04, times 4 3 2 1: .02 .03 .06 .04; none may be below the one before it
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1, 1]
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_is_between_p_and_bonferroni_and_keeps_the_order(p: list[float]) -> None:
    found = np.array(holm(p))
    assert (found >= np.array(p) - 1e-12).all()
    assert (found <= np.minimum(1, len(p) * np.array(p)) + 1e-12).all()
    assert (np.diff(found[np.argsort(p, kind="stable")]) >= 0).all()


def test_a_share_by_hand() -> None:
    # The lady who tastes tea: 3 of 4 against 1 of 4; (1 + 16 + 16 + 1) of 70 tables are no likelier.
    assert shares((3, 4), (1, 4)).p == pytest.approx(34 / 70)
    found = shares((50, 100), (0, 100))
    assert (found.old.value, found.new.value, found.new.n) == (0.5, 0.0, 100)
    assert found.new.low == pytest.approx(0)


@pytest.mark.parametrize(
    ("old", "new", "large"),
    [
        (500, 550, True),  # 5 points
        (500, 549, False),
        (10, 20, True),  # 1 point, and double
        (20, 10, True),  # half
        (20, 11, False),
        (9, 18, False),  # double, and less than a point
        (30, 0, True),
    ],
)
def test_how_far_a_share_must_move(old: int, new: int, large: bool) -> None:
    assert shares((old, 1000), (new, 1000)).large is large


def test_a_certain_difference_that_is_small_is_no_move() -> None:
    (found,) = judged([shares((500_000, 1_000_000), (510_000, 1_000_000))])
    assert found.adjusted < 1e-6
    assert not found.moved


def test_means_by_hand() -> None:
    old, new = np.array([0.0, 1.0] * 20), np.ones(40)
    found = compare_means(Kind.CONFIDENCE, "confidence", "mean confidence", old, new)
    assert (found.old.value, found.new.value) == (0.5, 1.0)
    assert found.p < 1e-5
    alike = compare_means(Kind.CONFIDENCE, "confidence", "mean confidence", new, new)
    assert (alike.p, alike.moved, alike.new.low, alike.new.high) == (1.0, False, 1.0, 1.0)


def test_auc_by_hand() -> None:
    # of the pairs (1, 3) (1, 0) (2, 3) (2, 0), new is the higher in two
    assert auc(np.array([1.0, 2.0]), np.array([3.0, 0.0]))[0] == 0.5
    assert auc(np.zeros(3), np.ones(3))[0] == 1.0
    assert auc(np.ones(3), np.ones(3)) == (0.5, 0.5, 1.0)


def test_votes_are_counted_by_row() -> None:
    L = np.array([[0, 0, -1], [1, 0, -1], [-1, -1, -1], [-1, 1, -1]], np.int8)
    counts = VoteCounts(3, VoteCodes(2)).add(L).add(L[:1])
    assert (counts.n, counts.covered) == (5, 4)
    assert counts.by_lf.tolist() == [3, 4, 0]
    assert counts.by_class.tolist() == [3, 2]  # rows with a vote for the class, however many
    found = compare_votes(["a", "b", "c"], ["x", "y"], counts, counts)
    assert [q.key for q in found] == [
        "coverage/a",
        "coverage/b",
        "coverage/c",
        "without_votes",
    ]  # 4 are too few
    assert [q.old.value for q in found] == [0.6, 0.8, 0.0, 0.2]
    assert {q.p for q in found} == {1.0}


def test_new_words_are_chosen_on_one_half_and_tested_on_the_other() -> None:
    old, new = ["the sun, the sea"] * 100, ["the sun"] * 50 + ["the flood: #dyke"] * 50
    found = new_words(old, new, 0)
    assert found is not None
    assert set(found.words) == {"flood", "#dyke"}
    assert (found.of_old, found.of_new) == (50, 50)
    assert found.old == [0, 0]
    assert found.quantity.new.n == 50
    assert found.has_any.tolist() == [False] * 50 + [True] * 50
    assert found.quantity.title in ("rows with flood or #dyke", "rows with #dyke or flood")
    assert new_words(old, new[:20], 0) is None  # too few
    assert new_words(["…"] * 100, ["!"] * 100, 0) is None  # no word at all
    assert new_words(old, ["the sun, the sea"] * 100, 0) is None  # none is more frequent


def test_vectors_tell_new_rows_only_where_they_differ() -> None:
    rng = np.random.default_rng(0)
    old, new = rng.normal(size=(300, 5)), rng.normal(size=(200, 5))
    same = told_apart(old.astype(np.float32), new.astype(np.float32), 0)
    new[:100] += 2
    shifted = told_apart(old.astype(np.float32), new.astype(np.float32), 0)
    assert same is not None
    assert shifted is not None
    assert not judged([same.quantity])[0].moved
    (quantity,) = judged([shifted.quantity])
    assert quantity.moved
    assert quantity.new.low < quantity.new.value < quantity.new.high
    newest = np.argsort(-shifted.scores)[:50]
    assert (newest < 100).mean() > 0.9
    assert told_apart(old[:59].astype(np.float32), new.astype(np.float32), 0) is None


def test_false_alarms_where_nothing_moves() -> None:
    """A short form of `python -m benchmarks.watch`."""
    alarms = [
        [q.key for q in compared(posts(N_OLD, 2 * seed), posts(N_NEW, 2 * seed + 1), seed) if q.moved]
        for seed in range(20)
    ]
    assert sum(map(bool, alarms)) <= 1, alarms


@pytest.mark.parametrize(
    ("shift", "key"),
    list(zip(SHIFTS[1:], ["voted/travel", "coverage/taste", "words"], strict=True)),
)
def test_each_shift_is_seen_in_what_it_moves(shift: str, key: str) -> None:
    found = compared(posts(N_OLD, 0), posts(N_NEW, 1, shift), 0)
    assert key in [q.key for q in found if q.moved]
    told = verdict(found, 50)
    assert ("look at rule taste" in told) == (shift == "a rule dies")


def test_the_model_on_gold_by_when_it_was_made() -> None:
    task = Task.model_validate({"classes": list(CLASSES)})
    gold = pd.DataFrame({"table_name": "t", "id": list("abcdef")}).assign(
        gold_label=[["food"], ["food"], ["food"], ["sport"], ["sport"], ["food", "sport"]],
        made_at=[
            datetime(2026, 1, 1, tzinfo=UTC),  # before the training
            datetime(2026, 3, 1, tzinfo=UTC),  # of the training
            datetime(2026, 3, 2, tzinfo=UTC),
            datetime(2026, 5, 1, tzinfo=UTC),
            datetime(2026, 5, 2, tzinfo=UTC),
            datetime(2026, 5, 3, tzinfo=UTC),  # not one class
        ],
    )
    learned = np.array([False, True, False, False, False, False])

    def predict(keys: pd.DataFrame) -> pd.DataFrame:
        assert keys["id"].tolist() == ["c", "d", "e"]
        return keys[["table_name", "id"]].assign(label=[["food"], ["food"], ["sport"]])[::-1]

    found = gold_over_time(task, gold, learned, datetime(2026, 2, 1, tzinfo=UTC), predict)
    assert [(p.name, p.right.value, p.right.n) for p in found.periods] == [
        ("2026-03", 1, 1),
        ("2026-05", 0.5, 2),
    ]
    assert found.n_left_out == 3
    assert found.lines()[0][1].startswith(
        "accuracy 2026-03 1.000 (0.207 to 1.000, 1 points); 2026-05 0.500 (0.095"
    )
    late = gold_over_time(task, gold, learned, datetime(2026, 6, 1, tzinfo=UTC), pytest.fail)
    assert (late.periods, late.n_left_out) == ((), 6)


@pytest.mark.parametrize("most", [3, 7, 100])
def test_rows_of_a_file_are_drawn_once_each_in_their_order(most: int, tmp_path: Path) -> None:
    path = write_frame(
        pd.DataFrame({"id": [str(i) for i in range(7)], "other": 0}), tmp_path / "rows.parquet"
    )
    drawn = drawn_rows(path, ["id"], most, 0)
    ids = [int(key) for key in drawn["id"]]
    assert drawn.columns.tolist() == ["id"]
    assert len(ids) == min(most, 7)
    assert ids == sorted(set(ids))
