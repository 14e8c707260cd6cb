"""Slices whose weakness was planted, and what they are made of."""

from math import comb

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa

from adaptml.fixing.grouping import by_length, by_rule, by_value, slices_of
from adaptml.fixing.slices import Slice, compare_slices
from adaptml.project import Project
from adaptml.tasks import MULTICLASS, MULTILABEL
from adaptml.tasks.metrics import Metric, Outcome, accuracy_of

ACCURACY, POSITIVE = accuracy_of(MULTICLASS), Metric("f1_of_positive", MULTICLASS, 1, "spam")


def right(scores: np.ndarray) -> tuple[np.ndarray, Outcome]:
    """Points of two classes in turn, taken for their own where the score is 1."""
    Y = np.eye(2, dtype=np.int8)[np.arange(len(scores)) % 2]
    predicted = np.where(scores[:, None] == 1, Y, 1 - Y).astype(np.int8)
    return Y, Outcome(predicted.astype(float), predicted)


def test_a_planted_slice_by_hand() -> None:
    """Of 10 points 5 are right, of the other 90 are 81: Fisher's p is the chance of 5 or fewer of the 86 among 10."""
    scores = np.array([1.0] * 5 + [0.0] * 5 + [1.0] * 81 + [0.0] * 9)
    weak, strong = np.arange(100) < 10, np.arange(100) >= 60
    found, n = compare_slices(ACCURACY, *right(scores), [Slice("strong", strong), Slice("weak", weak)])
    assert n == 2
    p = sum(comb(86, i) * comb(14, 10 - i) for i in range(6)) / comb(100, 10)
    weakest = found[0]
    assert (weakest.slice.name, weakest.value, weakest.rest) == ("weak", 0.5, 0.9)
    assert weakest.q == pytest.approx(2 * p)  # the smaller of two p is doubled
    assert (weakest.low, weakest.high) == pytest.approx((0.2366, 0.7634), abs=1e-4)  # Wilson, 5 of 10


def test_of_many_slices_that_are_chance_none_is_clear() -> None:
    rng = np.random.default_rng(0)
    scores = (rng.random(400) < 0.8).astype(float)
    slices = [Slice(f"s{i}", rng.random(400) < 0.3) for i in range(200)]
    found, n = compare_slices(ACCURACY, *right(scores), slices)
    assert n == 200
    assert any(one.value < one.rest - 0.05 for one in found)  # some look weak
    assert min(one.q for one in found) > 0.05
    planted = np.arange(400) < 40
    scores[planted] *= rng.random(40) < 0.5
    found, _ = compare_slices(ACCURACY, *right(scores), [*slices, Slice("planted", planted)])
    assert [one.slice.name for one in found if one.q <= 0.05] == ["planted"]


def test_scores_between_right_and_wrong() -> None:
    """Of the first twenty points two of three classes are missed, an F1 of 1/2; of most others one, 4/5."""
    Y = np.ones((80, 3), np.int8)
    predicted = np.ones((80, 3), np.int8)
    predicted[:70, 1] = 0
    predicted[:20, 2] = 0
    metric, said = accuracy_of(MULTILABEL), Outcome(predicted.astype(float), predicted)
    low = Slice("low", np.arange(80) < 20)
    found, _ = compare_slices(metric, Y, said, [low])
    assert (found[0].value, found[0].low, found[0].high) == pytest.approx((0.5, 0.5, 0.5))
    assert found[0].rest == pytest.approx((50 * 0.8 + 10) / 60)
    assert found[0].q < 1e-6
    assert compare_slices(metric, Y, Outcome(Y.astype(float), Y), [low]) == ([], 1)


def test_a_slice_of_missed_spam_is_seen_where_the_accuracy_is_that_of_the_rest() -> None:
    """Of 20 points 2 are wrong, both of its 4 of spam; of 80 others 8 are wrong, none of their 40 of spam.

    The F1 of spam is 2·2 / (4 + 2) = 2/3 against 2·40 / (40 + 48), and nothing tells the accuracies apart.
    """
    true = np.array([1] * 4 + [0] * 16 + [1] * 40 + [0] * 40)
    named = np.array([1, 1, 0, 0] + [0] * 16 + [1] * 48 + [0] * 32)
    Y, predicted = (np.eye(2, dtype=np.int8)[of] for of in (true, named))
    said, inside = Outcome(predicted.astype(float), predicted), np.arange(100) < 20
    assert compare_slices(ACCURACY, Y, said, [Slice("s", inside)]) == ([], 1)
    found = compare_slices(POSITIVE, Y, said, [Slice("s", inside)])[0][0]
    assert (found.value, found.rest, found.metric) == (pytest.approx(2 / 3), pytest.approx(80 / 88), POSITIVE)
    assert found.low < 2 / 3 < found.high


def test_a_permutation_test_by_hand() -> None:
    """One of ten points in a slice of all spam that is missed; as bad are the draws that hold it: one in ten.

    With it every ten points of ten have an F1 of at most 18 / 19, and without it of 1.
    """
    true = np.array([1] * 50 + [0] * 50)
    named = true.copy()
    named[0] = 0
    Y, predicted = (np.eye(2, dtype=np.int8)[of] for of in (true, named))
    said, inside = Outcome(predicted.astype(float), predicted), np.isin(np.arange(100), [*range(9), 99])
    found = compare_slices(POSITIVE, Y, said, [Slice("s", inside)])[0][0]
    assert found.value == pytest.approx(16 / 17)
    # Of those that hold the missed one, those with 8 or fewer of the 49 found: hypergeometric.
    p = 0.1 * sum(comb(49, i) * comb(50, 9 - i) for i in range(9)) / comb(99, 9)
    assert found.q == pytest.approx(p, abs=0.01)


def test_the_f1_of_one_class_cannot_be_compared() -> None:
    """A slice without spam: how often points are right is, and is said."""
    scores = np.ones(60)
    Y, _ = right(scores)
    Y[:10] = [1, 0]
    predicted = Y.copy()
    predicted[:5] = [0, 1]
    said = Outcome(predicted.astype(float), predicted)
    found = compare_slices(POSITIVE, Y, said, [Slice("s", np.arange(60) < 10)])[0][0]
    assert (found.metric, found.value, found.rest) == (ACCURACY, 0.5, 1.0)


def test_the_lower_log_loss_is_the_better() -> None:
    Y, said = right(np.ones(40))
    probs = np.abs(said.probs - np.where(np.arange(40) < 20, 0.4, 0.1)[:, None])
    loss = Metric("log_loss", MULTICLASS)
    slices = [Slice("unsure", np.arange(40) < 20), Slice("odd", np.arange(40) % 2 == 0)]
    found, _ = compare_slices(loss, Y, Outcome(probs, said.predicted), slices)
    assert [one.slice.name for one in found] == ["unsure"]
    assert (found[0].value, found[0].rest) == pytest.approx((-np.log(0.6), -np.log(0.9)))


def test_few_points_and_the_same_points_are_not_looked_at() -> None:
    few, all_but_few = np.arange(50) < 9, np.arange(50) >= 9
    twice = np.arange(50) < 20
    slices = [Slice("few", few), Slice("rest", all_but_few), Slice("a", twice), Slice("b", twice.copy())]
    assert compare_slices(ACCURACY, *right(np.zeros(50)), slices)[1] == 1
    assert compare_slices(ACCURACY, *right(np.zeros(0)), []) == ([], 0)


def masks(slices: list[Slice]) -> dict[str, list[int]]:
    return {one.name: np.flatnonzero(one.mask).tolist() for one in slices}


def test_rules_that_vote_and_points_without_a_vote() -> None:
    keys = pd.DataFrame({"table_name": "t", "id": ["a", "b", "c", "d"]})
    votes = pd.DataFrame({"table_name": "t", "id": ["c", "a", "b"], "one": [0, -1, -1], "two": [3, 1, -1]})
    found = list(by_rule(keys, votes))  # d was given no rule, so that nobody knows
    assert masks(found) == {"the rule one votes": [2], "the rule two votes": [0, 2], "no rule votes": [1]}
    assert [one.conditions for one in found] == [
        (("@vote:one", "is-filled", ""),),
        (("@vote:two", "is-filled", ""),),
        (("@votes", "is", "uncovered"),),
    ]


def test_lengths_and_values() -> None:
    assert masks(list(by_length("txt", np.array([1, 2, 3, 4, 5, 6, 7, 8, np.nan])))) == {
        "txt of 1 to 2 words": [0, 1],
        "txt of 3 to 4 words": [2, 3],
        "txt of 5 to 6 words": [4, 5],
        "txt of 7 to 8 words": [6, 7],
    }
    assert masks(list(by_length("txt", np.array([1, 1, 1, 1, 9])))) == {
        "txt of 1 word": [0, 1, 2, 3],
        "txt of 9 words": [4],
    }
    languages = list(by_value("lang", ["en", "de", None, "en", ""]))
    assert masks(languages) == {"lang is empty": [2, 4], "lang is de": [1], "lang is en": [0, 3]}
    assert languages[2].conditions == (("lang", "is", "en"),)
    numbers = list(by_value("n", [float(i) for i in range(40)]))
    assert (numbers[0].name, numbers[0].conditions) == (
        "n from 0 to 9",
        (("n", ">=", "0"), ("n", "<=", "9")),
    )
    assert [int(one.mask.sum()) for one in numbers] == [10, 10, 10, 10]
    assert masks(list(by_value("yes", [True, False]))) == {"yes is False": [1], "yes is True": [0]}


def test_columns_of_the_data_table(project: Project) -> None:
    """A text column of many values has lengths where people see it; vectors and lists are not looked at."""
    database = project.database
    database.create_table(
        "posts",
        {"id": sa.Text(), "txt": sa.Text(), "other": sa.Text(), "lang": sa.Text(), "likes": sa.Integer()},
    )
    rows = [(f"{i:02}", "word " * (1 + i % 2), f"text {i}", ["en", "de"][i % 2], i) for i in range(40)]
    database.upsert("posts", pd.DataFrame(rows, columns=["id", "txt", "other", "lang", "likes"]), ["id"])
    found = slices_of(project, database.keys("posts"), ["txt", "other"], None)
    assert [one.name for one in found] == [
        "txt of 1 word", "txt of 2 words", "other of 2 words", "txt is word ", "txt is word word ", "lang is de", "lang is en",
        "likes from 0 to 9", "likes from 10 to 19", "likes from 20 to 29", "likes from 30 to 39",
    ]  # fmt: skip
