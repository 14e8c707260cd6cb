"""Ids of every type of column: text outside, and the same answers as the same table with text ids."""

import random
import uuid
from collections.abc import Sequence
from contextlib import closing
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.dialects import postgresql

from adaptml.database import Database
from adaptml.database.keys import is_key, key_type, to_column, to_text
from adaptml.errors import DatabaseError, MissingDataPointsError
from test.support.statements import sent

NUMBERS = [7, 10, 9, -3, 0, 100, 2**40, -(2**63), 2**63 - 1, 12, 11, 8]
SMALL = [n for n in NUMBERS if abs(n) < 2**31]
UUIDS = [uuid.UUID(int=n * 2**100 + 5) for n in range(12)]
WORDS = ["b", "a", "Z", "ä", "10", "9"]
# The type of the column, where it is to be found, and what is in it.
COLUMNS: dict[str, tuple[str, str, Sequence[Any]]] = {
    "bigint": ("BIGINT PRIMARY KEY", "both", NUMBERS),
    "integer": ("INTEGER", "both", SMALL),
    "smallint": ("SMALLINT", "both", [n for n in NUMBERS if abs(n) < 2**15]),
    "numeric": ("NUMERIC(20, 0) PRIMARY KEY", "postgresql", [*map(Decimal, NUMBERS), Decimal(10**19)]),
    "uuid": ("UUID PRIMARY KEY", "postgresql", UUIDS),
    "varchar": ("VARCHAR(40) UNIQUE", "both", WORDS),
    "char": ("CHAR(5) PRIMARY KEY", "both", WORDS),
    "untyped": ("", "sqlite", [*NUMBERS, "x", "7.5", "007", ""]),
    "declared uuid": ("UUID", "sqlite", [str(key) for key in UUIDS]),
    "text among integers": ("INTEGER", "sqlite", [3, "three", 20]),
}


def fill(database: Database, table: str, kind: str, values: Sequence[Any]) -> list[str]:
    """A table of these ids, whose column `txt` tells them; gives the ids as text."""
    ids = [str(value) for value in values]
    with database.engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE TABLE {table} (id {kind}, txt TEXT)")
        sign = "?, ?" if connection.dialect.name == "sqlite" else "%s, %s"
        rows = [(value, f"row {key}") for value, key in zip(values, ids, strict=True)]
        connection.exec_driver_sql(f"INSERT INTO {table} VALUES ({sign})", rows)
    return ids


@pytest.fixture(params=list(COLUMNS.values()), ids=list(COLUMNS))
def column(request: pytest.FixtureRequest, database: Database) -> tuple[str, Sequence[Any]]:
    kind, where, values = request.param
    if where not in ("both", database.engine.dialect.name):
        pytest.skip(f"only {where} has such a column")
    return kind, values


def test_every_way_to_read_gives_what_text_ids_give(
    database: Database, column: tuple[str, Sequence[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adaptml.database.rows.CHUNK_ROWS", 2)
    monkeypatch.setattr("adaptml.database.rows.PAGE_ROWS", 3)
    ids = fill(database, "posts", *column)
    fill(database, "as_text", "TEXT PRIMARY KEY", ids)
    found = database.keys("posts")
    assert sorted(found["id"]) == sorted(ids)
    for asked in (found["id"].tolist(), ids, random.Random(1).sample(ids, 3)):
        frame = pd.DataFrame({"table_name": "posts", "id": asked})
        read = database.read(frame, ["txt"])
        assert read.equals(
            database.read(frame.assign(table_name="as_text"), ["txt"]).assign(table_name="posts")
        )
        texts: dict[str, str] = {}
        for rows in database.read_stored(frame, ["txt"]):
            assert [asked[place] for place in rows.positions] == list(rows.ids)
            texts |= dict(zip(rows.ids, rows.cells["txt"], strict=True))
        assert texts == {key: f"row {key}" for key in asked}
    chunks = list(database.scan("posts", ["txt"], chunk_rows=3))
    scanned = pd.concat(chunks, ignore_index=True)
    assert scanned["id"].tolist() == found["id"].tolist()
    assert scanned["txt"].tolist() == [f"row {key}" for key in found["id"]]


def test_integers_come_in_the_order_of_numbers(database: Database) -> None:
    fill(database, "posts", "BIGINT", [10, 9, -1, 100])
    assert database.keys("posts")["id"].tolist() == ["-1", "9", "10", "100"]


@pytest.mark.parametrize("kind", ["INTEGER PRIMARY KEY", "BIGINT", "SMALLINT", "NUMERIC(9, 0)"])
def test_other_writings_of_a_number_and_larger_ones_are_missing(database: Database, kind: str) -> None:
    fill(database, "posts", kind, [0, 1, 2])
    wrong = ["01", "1.0", " 1", "+1", "-0", "1e0", "", "one", "٢", str(2**63), str(-(2**70)), "9" * 5_000]
    asked = pd.DataFrame({"table_name": "posts", "id": ["1", *wrong]})
    with pytest.raises(MissingDataPointsError) as caught:
        database.read(asked, ["txt"])
    assert caught.value.missing == [("posts", key) for key in wrong]
    assert database.read(asked, ["txt"], skip_missing=True)["txt"].tolist() == ["row 1"]
    assert database.read(asked[1:], ["txt"], skip_missing=True).empty


def test_other_writings_of_a_uuid_are_missing(database: Database) -> None:
    if database.engine.dialect.name != "postgresql":
        pytest.skip("only PostgreSQL has UUIDs")
    key = UUIDS[11]
    fill(database, "posts", "UUID", [key])
    wrong = [str(key).upper(), key.hex, f"{{{key}}}", "x"]
    asked = pd.DataFrame({"table_name": "posts", "id": [*wrong, str(key)]})
    assert database.read(asked, ["txt"], skip_missing=True)["id"].tolist() == [str(key)]


def test_integers_in_a_frame_are_ids(database: Database) -> None:
    fill(database, "posts", "BIGINT", [1, 2])
    asked = pd.DataFrame({"table_name": "posts", "id": np.array([2, 1])})
    assert database.read(asked, ["txt"]).to_dict("list") == {
        "table_name": ["posts"] * 2, "id": ["2", "1"], "txt": ["row 2", "row 1"],
    }  # fmt: skip


def test_a_number_and_the_same_as_text_are_one_id_twice() -> None:
    with closing(Database("sqlite:///:memory:")) as database:
        fill(database, "posts", "", [1, "1", 2])
        asked = pd.DataFrame({"table_name": "posts", "id": ["1"]})
        with pytest.raises(DatabaseError, match="duplicated ids in table 'posts': 1;"):
            database.read(asked, ["txt"])
        for ask in (database.keys, database.check_ids, lambda table: list(database.scan(table, []))):
            with pytest.raises(DatabaseError, match=r"^table 'posts' has 1 duplicated id in 2 rows \(1\)"):
                ask("posts")


@pytest.mark.parametrize(
    ("value", "what"), [(1.5, "1.5, which is a number with a fraction"), (b"a", "bytes")]
)
def test_sqlite_holds_what_is_no_id(value: Any, what: str) -> None:
    with closing(Database("sqlite:///:memory:")) as database:
        fill(database, "posts", "", [1, value])
        with pytest.raises(
            DatabaseError, match=rf"^column id of table 'posts' holds .*{what}; expected text"
        ):
            database.keys("posts")


@pytest.mark.parametrize(
    ("kind", "values"),
    [("BIGINT PRIMARY KEY", range(5_000)), ("UUID PRIMARY KEY", [uuid.UUID(int=n) for n in range(5_000)]),
     ("CHAR(8) PRIMARY KEY", [f"k{n}" for n in range(5_000)])],
    ids=["bigint", "uuid", "char"],
)  # fmt: skip
def test_the_index_is_used(
    database: Database, kind: str, values: Sequence[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two of 5,000 rows are found without reading the others."""
    dialect = database.engine.dialect.name
    if dialect == "sqlite" and kind.startswith("UUID"):
        pytest.skip("only PostgreSQL has UUIDs")
    ids = fill(database, "posts", kind, values)
    with database.engine.begin() as connection:
        connection.exec_driver_sql("ANALYZE")
    statements = sent(database.engine, monkeypatch)
    asked = pd.DataFrame({"table_name": "posts", "id": [ids[3], ids[4]]})
    assert database.read(asked, ["txt"])["id"].tolist() == [ids[3], ids[4]]
    ((statement, bound),) = [
        one for one in statements if "posts.id IN" in one[0] or "posts.id = ANY" in one[0]
    ]
    explain = "EXPLAIN QUERY PLAN " if dialect == "sqlite" else "EXPLAIN "
    with database.engine.connect() as connection:
        plan = str(connection.exec_driver_sql(explain + statement, bound).fetchall())
    assert "SEARCH posts USING" in plan or "posts_pkey" in plan


TEXT = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]))
TYPES: list[tuple[sa.types.TypeEngine[Any], str, st.SearchStrategy[Any]]] = [
    (sa.BigInteger(), "postgresql", st.integers(-(2**63), 2**63 - 1)),
    (sa.Integer(), "postgresql", st.integers(-(2**31), 2**31 - 1)),
    (sa.SmallInteger(), "crate", st.integers(-(2**15), 2**15 - 1)),
    (sa.Numeric(30, 0), "postgresql", st.integers(-(10**30) + 1, 10**30 - 1).map(Decimal)),
    (sa.Uuid(), "postgresql", st.uuids()),
    (sa.Text(), "postgresql", TEXT),
    (sa.Integer(), "sqlite", st.integers(-(2**63), 2**63 - 1)),
    (
        sa.types.NullType(),
        "sqlite",
        st.integers(-(2**63), 2**63 - 1) | TEXT.filter(lambda t: not t.isdigit()),
    ),
]


@pytest.mark.parametrize(("kind", "dialect", "values"), TYPES)
def test_there_and_back(kind: sa.types.TypeEngine[Any], dialect: str, values: st.SearchStrategy[Any]) -> None:
    assert is_key(kind, dialect)

    @given(st.lists(values, unique_by=str))
    def check(given: list[Any]) -> None:
        ids = to_text(given, kind, dialect, "posts")
        assert ids == [str(value) for value in given]
        assert to_column(ids, kind, dialect)[: len(given)] == given

    check()


def test_types_of_id_columns() -> None:
    domain = postgresql.DOMAIN("key", sa.BigInteger())
    assert isinstance(key_type(domain, "postgresql"), sa.BigInteger)
    assert isinstance(key_type(sa.NUMERIC(), "sqlite"), sa.types.NullType)
    others: list[tuple[sa.types.TypeEngine[Any], str]] = [
        (sa.Numeric(9, 2), "postgresql"), (sa.Numeric(), "postgresql"), (sa.Float(), "sqlite"),
        (sa.LargeBinary(), "sqlite"), (sa.types.NullType(), "postgresql"), (sa.Date(), "sqlite"),
    ]  # fmt: skip
    for kind, dialect in others:
        assert not is_key(kind, dialect)


@given(
    numbers=st.lists(st.integers(-(2**63), 2**63 - 1), unique=True, min_size=1, max_size=30),
    asked=st.lists(st.integers(-5, 5).map(str) | TEXT, max_size=10),
)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_asked_integers_answer_as_their_texts_do(numbers: list[int], asked: list[str]) -> None:
    with closing(Database("sqlite:///:memory:")) as database:
        ids = fill(database, "posts", "INTEGER PRIMARY KEY", numbers)
        fill(database, "as_text", "TEXT PRIMARY KEY", ids)
        frame = pd.DataFrame({"id": [*asked, *ids]}, dtype=object)
        answers = [
            database.read(frame.assign(table_name=table), ["txt"], skip_missing=True)
            for table in ("posts", "as_text")
        ]
        assert answers[0]["id"].tolist() == answers[1]["id"].tolist()
        assert answers[0]["txt"].tolist() == answers[1]["txt"].tolist()
