"""Cells of every type come back as what they are; those that cannot be read are named by table, column and id."""

import datetime as dt
from contextlib import closing
from decimal import Decimal

import pandas as pd
import pytest

from adaptml.database import Database
from adaptml.errors import DatabaseError, DatabaseUnavailableError
from adaptml.features.changes import find_changes
from adaptml.features.values import Known


def keys(*ids: str) -> pd.DataFrame:
    return pd.DataFrame({"table_name": "posts", "id": list(ids)})


def test_what_is_no_vector_is_read_as_what_it_is(database: Database) -> None:
    if database.engine.dialect.name != "postgresql":
        pytest.skip("only PostgreSQL has these types")
    with database.engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE TABLE posts (id text PRIMARY KEY, at timestamptz, price numeric(9, 2), doc jsonb, day date, ok "
            "boolean, ints int[], tags varchar(9)[], odd bytea)"
        )
        connection.exec_driver_sql(
            "INSERT INTO posts VALUES ('a', '2026-01-31 12:00:00+00', 1.50, '{\"k\": [1]}', '2026-01-31', true, "
            "'{1, 2}', '{x, y}', '\\x01')"
        )
    row = database.read(keys("a"), ["at", "price", "doc", "day", "ok", "tags"]).iloc[0]
    assert row["at"] == dt.datetime(2026, 1, 31, 12, tzinfo=dt.UTC)
    assert row["price"] == Decimal("1.50")
    assert row["doc"] == {"k": [1]}
    assert row["day"] == dt.date(2026, 1, 31)
    assert row["ok"] is True
    assert row["tags"] == ["x", "y"]
    with pytest.raises(
        DatabaseError,
        match=r"^id 'a' of table 'posts' has in column 'odd' 1 bytes, which are not 4 for each number \(float32\); c",
    ):
        database.read(keys("a"), ["odd"])


@pytest.mark.parametrize(
    ("kind", "value", "problem"),
    [
        ("BLOB", b"1234567", r"7 bytes, which are not 4 for each number \(float32\)"),
        ("JSON", '["a"', "text that is not JSON"),
        ("JSON", "[" * 100_000, "text that is not JSON"),
    ],
)
def test_a_cell_that_is_not_what_its_column_is(kind: str, value: object, problem: str) -> None:
    with closing(Database("sqlite:///:memory:")) as database:
        with database.engine.begin() as connection:
            connection.exec_driver_sql(f"CREATE TABLE posts (id INTEGER PRIMARY KEY, cell {kind})")
            good = b"1234" if kind == "BLOB" else "[]"
            connection.exec_driver_sql("INSERT INTO posts VALUES (?, ?)", [(1, good), (2, None), (3, value)])
        expected = rf"^id '3' of table 'posts' has in column 'cell' {problem}; correct this row$"
        with pytest.raises(DatabaseError, match=expected):
            database.read(keys("1", "2", "3"), ["cell"])
        with pytest.raises(DatabaseError, match=expected):
            [rows.columns() for rows in database.read_stored(keys("3", "1"), ["cell"])]
        with pytest.raises(DatabaseError, match=expected):
            list(database.scan("posts", ["cell"]))
        assert len(database.read(keys("1", "2"), ["cell"])) == 2


def test_text_that_is_not_utf8_is_named() -> None:
    with closing(Database("sqlite:///:memory:")) as database:
        with database.engine.begin() as connection:
            connection.exec_driver_sql("CREATE TABLE posts (id TEXT PRIMARY KEY, txt TEXT)")
            connection.exec_driver_sql("INSERT INTO posts VALUES ('a', 'ä'), ('b', CAST(x'e462' AS TEXT))")
        expected = r"^id 'b' of table 'posts' has in column 'txt' text that is not UTF-8; correct this row$"
        for ask in (
            lambda: database.read(keys("a", "b"), ["txt"]),
            lambda: list(database.read_stored(keys("a", "b"), ["txt"])),
            lambda: list(database.scan("posts", ["txt"])),
            lambda: find_changes(database, "posts", ["txt"], [Known.none()]),
        ):
            with pytest.raises(DatabaseError, match=expected) as caught:
                ask()
            assert not isinstance(caught.value, DatabaseUnavailableError)
        assert database.read(keys("a"), ["txt"])["txt"].tolist() == ["ä"]  # the connection decodes as before
        with database.engine.begin() as connection:
            connection.exec_driver_sql("UPDATE posts SET id = CAST(x'ff' AS TEXT) WHERE id = 'b'")
        with pytest.raises(DatabaseError, match=r"holds text that is not UTF-8: .* column 'id'"):
            database.keys("posts")
