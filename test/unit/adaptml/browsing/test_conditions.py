import datetime

import pandas as pd
import pytest
import sqlalchemy as sa
from cratedb_server import recording

from adaptml.browsing.conditions import Condition, operators, parse
from adaptml.browsing.counts import count_found, count_rows
from adaptml.browsing.paging import checked, page, rows_among
from adaptml.database import Database, TextList, Vector
from adaptml.errors import FrameError, UnknownColumnError, UnknownTableError

ROWS = [
    ("a", "Free MONEY 100%", 3, ["win", "now"], True, datetime.date(2026, 1, 31)),
    ("b", "free_money", -1, ["winner"], False, datetime.date(2026, 2, 1)),
    ("c", "", None, [], None, None),
    ("d", None, 10, None, True, None),
    ("e", "<b>שלום</b> 😀", 3, ['say "win"'], False, datetime.date(2025, 1, 1)),
]


FOUND = [
    ("txt contains MONEY", "ab"),
    ("txt contains 100%", "a"),
    ("txt contains _", "b"),
    ("txt contains 😀", "e"),
    ("txt lacks money", "cde"),
    ("txt is free_money", "b"),
    ("txt is-not free_money", "acde"),
    ("txt begins free", "ab"),
    ("txt is-empty", "cd"),
    ("txt is-filled", "abe"),
    ("n = 3", "ae"),
    ("n != 3", "bd"),
    ("n >= 3", "ade"),
    ("n < 2.5", "b"),
    ("n is-empty", "c"),
    ("words has win", "a"),
    ('words has say "win"', "e"),
    ("words is-empty", "d"),
    ("seen is yes", "ad"),
    ("seen is no", "be"),
    ("day > 2026-01-31", "b"),
    ("day <= 2026-01-31", "ae"),
    ("vec is-filled", "abcde"),
    ("* contains money", "ab"),
    ("* contains d", "d"),
    ("id is d", "d"),
    ("id begins b", "b"),
    ("txt contains ' OR 1=1 --", ""),
]


@pytest.fixture
def posts(database: Database) -> Database:
    types = {
        "id": sa.Text(), "txt": sa.Text(), "n": sa.Integer(), "words": TextList(), "seen": sa.Boolean(),
        "day": sa.Date(), "vec": Vector(),
    }  # fmt: skip
    database.create_table("posts", types)
    frame = pd.DataFrame([[*row, [1.0]] for row in ROWS], columns=list(types), dtype=object)
    database.upsert("posts", frame, ["id"])
    return database


def test_a_condition_finds_its_rows(posts: Database) -> None:
    for condition, ids in FOUND:
        asked = checked(posts, "posts", [parse(condition)])
        assert ("".join(page(posts, "posts", asked).ids), condition) == (ids, condition)
        assert count_found(posts, "posts", asked) == len(ids)
        among = rows_among(posts, "posts", ["e", "zz", "a", "b"], asked).ids
        assert "".join(among) == "".join(key for key in "eab" if key in ids)


def test_conditions_all_hold(posts: Database) -> None:
    asked = [parse("txt contains free"), parse("n > 0")]
    assert page(posts, "posts", asked).ids == ["a"]


def test_what_does_not_fit_is_said(posts: Database) -> None:
    with pytest.raises(UnknownColumnError, match="no column 'nope'; its columns are id, txt"):
        checked(posts, "posts", [Condition("nope", "is", "x")])
    with pytest.raises(FrameError, match=r"'txt' .* '>' does not go with it; expected one of contains"):
        checked(posts, "posts", [Condition("txt", ">", "1")])
    with pytest.raises(FrameError, match="'many' is no number; 'n' > wants one"):
        checked(posts, "posts", [Condition("n", ">", "many")])
    with pytest.raises(FrameError, match="'inf' is no number"):
        checked(posts, "posts", [Condition("n", ">", "inf")])
    with pytest.raises(FrameError, match="'soon' is no date; 'day' wants one such as 2026-01-31"):
        checked(posts, "posts", [Condition("day", "=", "soon")])
    with pytest.raises(FrameError, match="'perhaps' is neither yes nor no"):
        checked(posts, "posts", [Condition("seen", "is", "perhaps")])
    with pytest.raises(UnknownTableError, match="no table 'nope'"):
        checked(posts, "nope", [])
    with pytest.raises(FrameError, match="'likes 3' has no operator; expected COLUMN OPERATOR VALUE"):
        parse("likes 3")


def test_a_name_that_holds_an_operator_is_told_by_the_table() -> None:
    assert parse("what is it is yes") == Condition("what", "is", "it is yes")
    assert parse("what is it is yes", ["what is it"]) == Condition("what is it", "is", "yes")
    assert parse("@label is-empty") == Condition("@label", "is-empty")
    assert operators("@prob:spam", None) == ("<", "<=", ">", ">=")


def test_pages_forwards_and_backwards(posts: Database) -> None:
    first = page(posts, "posts", n=2)
    assert (first.ids, first.more) == (["a", "b"], True)
    assert first.columns == ["txt", "n", "words", "seen", "day"]
    assert first.cells[0] == ["Free MONEY 100%", 3, ["win", "now"], True, datetime.date(2026, 1, 31)]
    last = page(posts, "posts", n=3, after="b")
    assert (last.ids, last.more) == (["c", "d", "e"], False)
    back = page(posts, "posts", n=2, before="d")
    assert (back.ids, back.more) == (["b", "c"], True)
    assert page(posts, "posts", n=2, after="e").ids == []


def test_whole_numbers_as_ids_come_in_their_own_order(database: Database) -> None:
    database.create_table("numbers", {"id": sa.BigInteger(), "txt": sa.Text()})
    frame = pd.DataFrame({"id": [9, 10, 100], "txt": ["x" * 100_000, "y", "z"]})
    database.upsert("numbers", frame, ["id"])
    found = page(database, "numbers", n=2)
    assert found.ids == ["9", "10"]
    assert len(found.cells[0][0]) == 601
    assert page(database, "numbers", after="10").ids == ["100"]
    assert page(database, "numbers", [Condition("id", "begins", "10")]).ids == ["10", "100"]
    assert page(database, "numbers", [Condition("id", "is", "x")]).ids == []


def test_rows_are_counted_up_to_a_bound(posts: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    assert count_rows(posts, "posts") == (5, True)
    monkeypatch.setattr("adaptml.browsing.counts.EXACT_ROWS", 3)
    guessed = count_rows(posts, "posts")
    assert guessed.exact is False
    assert guessed.rows in (4, 5)
    with posts.engine.begin() as connection:
        connection.exec_driver_sql("CREATE VIEW few AS SELECT id FROM posts")
    assert count_rows(posts, "few") == (4, False)


def test_cratedb_is_asked_in_its_own_words() -> None:
    conditions = [
        parse(text)
        for text in (
            "txt contains 50%", "txt is x", "txt is-empty", "txt lacks y", "lemmas has k", "n >= 2", "id is a",
        )
    ]  # fmt: skip
    with recording() as server, Database(server.url, patience_s=5) as crate:
        page(crate, "posts", conditions)
        assert count_rows(crate, "posts") == (2, True)
    request = next(sent for sent in server.sent if "LIMIT" in sent["stmt"])
    assert "lower(posts.txt) LIKE $" in request["stmt"]
    assert "ESCAPE" not in request["stmt"]
    assert "= ANY (posts.lemmas)" in request["stmt"]
    assert "%50\\%%" in request["args"]
    assert "vec" not in request["stmt"]
