"""Votes in a table: found where they are of these rules and of the point as it is."""

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa

from adaptml.database import PackedVector, TextList
from adaptml.features.points import Points
from adaptml.rules import stored_votes
from adaptml.rules.of_model import ModelRules, VotingRule
from adaptml.rules.stored_votes import read_votes, votes_table, write_votes

TYPES = {"id": sa.Integer(), "text": sa.Text(), "words": TextList(), "likes": sa.Integer()}
ROWS = [(1, "a", ["x", "y"], 5), (2, None, [], None), (3, "c", None, 7)]
RULES = ModelRules(
    task="pets", lfs="abc", classes=("cat", "dog"), sets=((0, 1),),
    columns={name: name for name in ("text", "words", "likes")},
    rules=tuple(VotingRule(name=f"lf{j}") for j in range(5)),
)  # fmt: skip
VOTES = np.array([[0, -1, 1, -1, 2], [-1] * 5, [1, 1, 1, 1, 1]], np.int8)


@pytest.fixture
def points(database):
    database.create_table("posts", TYPES)
    database.upsert("posts", pd.DataFrame(ROWS, columns=list(TYPES)), ["id"])
    return Points(database, database)


def keys(*ids):
    return pd.DataFrame({"table_name": "posts", "id": list(ids)})


def test_votes_are_found_where_nothing_has_changed_since(points, monkeypatch):
    monkeypatch.setattr(stored_votes, "WRITE_ROWS", 2)
    assert write_votes(points, RULES, keys("1", "2", "9", "3"), np.insert(VOTES, 2, 0, axis=0), "one") == 3
    votes, there = read_votes(points, RULES, "posts", ["3", "1", "2", "9"])
    assert there.tolist() == [True, True, True, False]
    assert votes.tolist() == [*VOTES[[2, 0, 1]].tolist(), [-1] * 5]
    changed = pd.DataFrame([(1, "a", ["x", "Y"], 5), (2, None, [], 0)], columns=list(TYPES))
    points.database.upsert("posts", changed, ["id"])
    assert read_votes(points, RULES, "posts", ["1", "2", "3"])[1].tolist() == [False, False, True]
    assert write_votes(points, RULES, keys("1"), VOTES[2:], "two") == 0  # the new row in place of the old one
    assert read_votes(points, RULES, "posts", ["1"])[0].tolist() == VOTES[2:].tolist()


def test_votes_of_other_rules_are_beside_them(points):
    other = RULES.model_copy(update={"lfs": "other"})
    assert write_votes(points, other, keys("1"), VOTES[:1], "one") == 1
    assert not read_votes(points, RULES, "posts", ["1"])[1].any()
    assert write_votes(points, RULES, keys("1"), VOTES[2:], "two") == 1
    assert read_votes(points, other, "posts", ["1"])[0].tolist() == VOTES[:1].tolist()


def test_without_a_table_there_are_none(points):
    assert not read_votes(points, RULES, "posts", ["1"])[1].any()


@pytest.mark.parametrize("packed", [[4.0, 0, 0, 0, 0], [0.5, 0, 0, 0, 0], [1.0], [-1.0, 0, 0, 0, 0]])
def test_what_somebody_else_put_into_the_table_is_no_vote(points, packed):
    write_votes(points, RULES, keys("1"), VOTES[:1], "one")
    where = {"table_name": ["posts"], "id": ["1"], "lfs": ["abc"]}
    points.results.declare(votes_table("pets"), {"votes": PackedVector(exact=True)})
    row = pd.DataFrame(where | {"votes": [np.float32(packed)]})
    points.results.upsert(votes_table("pets"), row, list(where))
    assert not read_votes(points, RULES, "posts", ["1"])[1].any()
