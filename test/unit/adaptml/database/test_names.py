"""Names: refused in our words before the database is asked, or made such that every database takes them."""

import pandas as pd
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from adaptml.database import Database
from adaptml.database.names import MAX_BYTES, check_names, safe_name
from adaptml.errors import DatabaseError

DIALECTS = ("sqlite", "postgresql", "crate")
# As CrateDB's own code and tests have them.
GOOD_ON_CRATEDB = [
    "%s",
    "a b",
    "__name",
    "_name_",
    "_Name",
    "_name1",
    "'index'",
    "Text",
    "select",
    "é",
    "a:b",
    "#",
]
BAD_COLUMNS = [
    "user.name",
    ".",
    "a[0]",
    "a['x']",
    "_score",
    "_id",
    "_a",
    "_field_name",
    "a\tb",
    "a\nb",
    "%(x)s",
    "",
]
BAD_TABLES = ["my posts", "a.b", 'a"', "a,b", "a*", "a\\b", "a/b", "a|b", "a>b", "a?", "a<b", "_posts", ""]


@pytest.mark.parametrize("name", BAD_COLUMNS)
def test_columns_that_cratedb_does_not_take(name: str) -> None:
    with pytest.raises(DatabaseError) as caught:
        check_names("crate", "posts", ["id", name])
    assert str(caught.value).startswith(f"no column can be named {name!r} on ")
    assert str(caught.value).endswith(f"; name it {safe_name(name)!r}, say")


@pytest.mark.parametrize("name", BAD_TABLES)
def test_tables_that_cratedb_does_not_take(name: str) -> None:
    with pytest.raises(DatabaseError, match=r"^no table can be named "):
        check_names("crate", name, ["id"])


@pytest.mark.parametrize("name", GOOD_ON_CRATEDB)
def test_columns_that_every_database_takes_as_they_are(name: str, database: Database) -> None:
    check_names("crate", None, [name])
    database.create_table("posts", {"id": sa.Text(), name: sa.Text()})
    database.add_columns("posts", {f"{name} 2": sa.Text()})
    assert list(database.columns("posts")) == ["id", name, f"{name} 2"]
    database.upsert("posts", pd.DataFrame({"id": ["a"], name: ["x"], f"{name} 2": ["y"]}), ["id"])
    database.upsert("posts", pd.DataFrame({"id": ["a"], name: ["z"]}), ["id"])
    read = database.read(pd.DataFrame({"table_name": ["posts"], "id": ["a"]}), [name, f"{name} 2"])
    assert read[[name, f"{name} 2"]].to_numpy().tolist() == [["z", "y"]]


def test_a_name_that_postgresql_would_cut_off_is_refused() -> None:
    check_names("postgresql", "p" * 63, ["é" * 31])
    with pytest.raises(DatabaseError, match=r"on PostgreSQL, which takes 63 bytes; name it 'é{31}', say"):
        check_names("postgresql", None, ["é" * 32])
    check_names("sqlite", None, ["é" * 32, "xmin"])
    with pytest.raises(
        DatabaseError, match=r"'xmin' on PostgreSQL, which has a column of its own so .* 'xmin_2'"
    ):
        check_names("postgresql", None, ["xmin"])


def test_a_table_is_not_made_where_a_name_is_refused(crate: Database) -> None:
    with pytest.raises(
        DatabaseError, match=r"no column can be named 'user.name' on CrateDB, which takes no '\.'"
    ):
        crate.create_table("fresh", {"id": sa.Text(), "user.name": sa.Text()})
    with pytest.raises(DatabaseError, match=r"no column can be named 'a\[0\]' on CrateDB"):
        crate.add_columns("posts", {"a[0]": sa.Text()})


@pytest.mark.parametrize(
    ("given_name", "made"),
    [
        ("user.name", "user_name"),
        ("My posts (2)", "My_posts_2"),
        ("_score", "score"),
        ("a[0]", "a_0"),
        ("%s", "s"),
        ("नमस्ते", "नमस्ते"),
        ("e\u0301", "é"),
        ("☃", "unnamed"),
        ("", "unnamed"),
        ("é" * 40, "é" * 31),
    ],
)
def test_a_safe_name_is_like_the_given_one(given_name: str, made: str) -> None:
    assert safe_name(given_name) == made


@given(st.text() | st.sampled_from(["xmin", ".ctid"]))
def test_a_safe_name_is_taken_everywhere_and_stays_as_it_is(name: str) -> None:
    made = safe_name(name)
    assert safe_name(made) == made
    assert 1 <= len(made.encode()) <= MAX_BYTES
    for dialect in DIALECTS:
        check_names(dialect, made, [made])
