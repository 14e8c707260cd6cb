"""Slices whose weakness was planted, and what they are made of."""

from math import comb

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa

from adaptml.fixing.grouping import by_length, by_rule, by_value, slices_of
from adaptml.fixing.slices import Slice, compare_slices
from adaptml.project import Project


def test_a_planted_slice_by_hand() -> None:
    """Of 10 points 5 are right, of the other 90 are 81: Fisher's p is the chance of 5 or fewer of the 86 among 10."""
    scores = np.array([1.0] * 5 + [0.0] * 5 + [1.0] * 81 + [0.0] * 9)
    weak, strong = np.arange(100) < 10, np.arange(100) >= 60
    found, n = compare_slices(scores, [Slice("strong", strong), Slice("weak", weak)], shares=True)
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
    found, n = compare_slices(scores, slices, shares=True)
    assert n == 200
    assert any(one.value < one.rest - 0.05 for one in found)  # some look weak
    assert min(one.q for one in found) > 0.05
    planted = np.arange(400) < 40
    scores[planted] *= rng.random(40) < 0.5
    found, _ = compare_slices(scores, [*slices, Slice("planted", planted)], shares=True)
    assert [one.slice.name for one in found if one.q <= 0.05] == ["planted"]


def test_scores_between_right_and_wrong() -> None:
    scores = np.concatenate([np.full(20, 0.4), np.linspace(0.5, 1, 60)])
    found, _ = compare_slices(scores, [Slice("low", np.arange(80) < 20)], shares=False)
    assert (found[0].value, found[0].low, found[0].high) == pytest.approx((0.4, 0.4, 0.4))
    assert found[0].q < 1e-6
    assert compare_slices(np.ones(80), [Slice("same", np.arange(80) < 20)], shares=False) == ([], 1)


def test_few_points_and_the_same_points_are_not_looked_at() -> None:
    few, all_but_few = np.arange(50) < 9, np.arange(50) >= 9
    twice = np.arange(50) < 20
    slices = [Slice("few", few), Slice("rest", all_but_few), Slice("a", twice), Slice("b", twice.copy())]
    assert compare_slices(np.zeros(50), slices, shares=True)[1] == 1
    assert compare_slices(np.zeros(0), [], shares=True) == ([], 0)


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
