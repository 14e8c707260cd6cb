import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adaptml.database import Database, TextList, Vector, WritebackKind, cratedb, write_back
from adaptml.database import rows as source_rows
from adaptml.database.splitting import split
from adaptml.errors import (
    DatabaseError,
    DatabaseUnavailableError,
    MissingDataPointsError,
    SettingsError,
    UnknownColumnError,
    UnknownTableError,
)
from adaptml.tasks import Task
from test.support.statements import sent

COLUMNS = {"id": sa.Text(), "txt": sa.Text(), "lemmas": TextList(), "vec": Vector(), "stars": sa.Integer()}


def rows(ids: list[str]) -> pd.DataFrame:
    """Rows whose every value tells their id."""
    return pd.DataFrame(
        {
            "id": ids,
            "txt": [f"text of {i}" for i in ids],
            "lemmas": [[i, "x"] for i in ids],
            "vec": [np.array([len(i), 0.5], dtype=np.float32) for i in ids],
            "stars": range(len(ids)),
        }
    )


def odd(database: Database) -> str:
    """A table's name that ends a statement where it is not quoted; CrateDB takes no space and no quotation mark."""
    return "odd';--" if cratedb.is_cratedb(database.engine) else 'odd "name"; --'


@pytest.fixture
def filled(database: Database) -> Database:
    for table in ("posts", odd(database)):
        database.create_table(table, COLUMNS)
        database.upsert(table, rows([f"{table[0]}{i}" for i in range(20)]), ["id"])
    return database


def keys(*pairs: tuple[str, str]) -> pd.DataFrame:
    return pd.DataFrame(list(pairs), columns=["table_name", "id"])


def test_every_type_comes_back_in_key_order_from_several_tables(filled: Database) -> None:
    asked = keys(("posts", "p3"), (odd(filled), "o1"), ("posts", "p10"), ("posts", "p3"))
    frame = filled.read(asked, ["txt", "lemmas", "vec", "stars"])
    assert frame[["table_name", "id"]].equals(asked)
    assert frame["txt"].tolist() == ["text of p3", "text of o1", "text of p10", "text of p3"]
    assert frame["lemmas"].tolist() == [["p3", "x"], ["o1", "x"], ["p10", "x"], ["p3", "x"]]
    assert [v.tolist() for v in frame["vec"]] == [[2, 0.5], [2, 0.5], [3, 0.5], [2, 0.5]]
    assert {v.dtype for v in frame["vec"]} == {np.dtype(np.float32)}
    assert frame["stars"].tolist() == [3, 1, 10, 3]


def test_the_pair_of_table_and_id_is_the_key(filled: Database) -> None:
    with pytest.raises(MissingDataPointsError) as caught:
        filled.read(keys(("posts", "o1"), ("posts", "p1"), ("posts", "zz"), ("posts", "zz")), ["txt"])
    assert caught.value.missing == [("posts", "o1"), ("posts", "zz")]
    assert str(caught.value) == (
        "2 of 4 data points are not in their table: posts/o1, posts/zz; "
        "load them into the table or take them out of the frame"
    )


def test_more_ids_than_one_statement_takes(database: Database) -> None:
    ids = [f"n{i}" for i in range(12_345)]
    database.create_table("many", {"id": sa.Text(), "n": sa.Integer()})
    database.upsert("many", pd.DataFrame({"id": ids, "n": range(len(ids))}), ["id"])
    order = np.random.default_rng(3).permutation(len(ids))
    asked = pd.DataFrame({"table_name": "many", "id": [ids[i] for i in order]})
    assert database.read(asked, ["n"])["n"].tolist() == order.tolist()


@pytest.mark.parametrize("n", [1, 2, 3, 4, 6, 7])
def test_chunks_of_three_meet_without_a_gap_and_none_asks_for_a_row_again(
    n: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two tables whose keys alternate: row i of table `a` says a0, a1 …, of table `b` b0, b1 …."""
    monkeypatch.setattr(source_rows, "CHUNK_ROWS", 3)
    monkeypatch.setattr(source_rows, "BY_PAGE", 2)  # never
    asked = keys(*((table, str(i)) for i in range(n) for table in ("a", "b")))
    with closing(Database(f"sqlite:///{tmp_path / 'data.db'}")) as database:
        for table in ("a", "b"):
            database.create_table(table, {"id": sa.Text(), "txt": sa.Text()})
            told = pd.DataFrame({"id": [str(i) for i in range(n)], "txt": [f"{table}{i}" for i in range(n)]})
            database.upsert(table, told, ["id"])
        statements = sent(database.engine, monkeypatch)
        read = database.read(asked, ["txt"])
    n_ids = [len(json.loads(bound[0])) for statement, bound in statements if ".txt" in statement]
    assert read["txt"].tolist() == [f"{table}{i}" for i in range(n) for table in ("a", "b")]
    assert sum(n_ids) == 2 * n
    assert max(n_ids) <= 3


def test_unknown_names_say_what_there_is(filled: Database) -> None:
    with pytest.raises(
        UnknownTableError, match=rf"^no table 'nope' in .*; its tables are {odd(filled)}, posts$"
    ):
        filled.read(keys(("nope", "1")), ["txt"])
    with pytest.raises(UnknownColumnError) as caught:
        filled.read(keys(("posts", "p1")), ["txt", "; DROP TABLE posts"])
    assert str(caught.value) == (
        "table 'posts' has no column ; DROP TABLE posts; its columns are id, txt, lemmas, vec, stars"
    )
    assert filled.count("posts") == 20


def test_missing_points_can_be_skipped(filled: Database) -> None:
    asked = keys(("posts", "zz"), ("posts", "p2"), ("posts", "o1"), ("posts", "p1"))
    frame = filled.read(asked, ["txt"], skip_missing=True)
    assert frame.to_dict("list") == {
        "table_name": ["posts"] * 2, "id": ["p2", "p1"], "txt": ["text of p2", "text of p1"],
    }  # fmt: skip
    assert filled.read(asked.iloc[:1], ["txt"], skip_missing=True).empty


def test_keys_of_all_rows_and_of_those_that_meet_a_condition(filled: Database) -> None:
    frame = filled.keys("posts")
    assert list(frame.columns) == ["table_name", "id"]
    assert frame["id"].tolist() == sorted(f"p{i}" for i in range(20))
    assert set(frame["table_name"]) == {"posts"}
    assert filled.keys("posts", "stars >= 18")["id"].tolist() == ["p18", "p19"]
    assert filled.keys("posts", "txt LIKE '%p1_' AND stars <> 11 OR stars = 0")["id"].tolist() == [
        "p0", "p10", *(f"p{i}" for i in range(12, 20)),
    ]  # fmt: skip
    assert filled.keys("posts", "txt = ':a'").empty  # a colon is not a parameter
    assert filled.keys(odd(filled), "id = 'o3'").to_dict("list") == {
        "table_name": [odd(filled)], "id": ["o3"],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("where", "facts"),
    [
        ("id = 'p1'; DROP TABLE posts", ["semicolon", "id = 'p1'; DROP TABLE posts"]),
        ("colour = 'red'", ["colour", "posts", "id, txt, lemmas, vec, stars"]),
        ("stars >", ["stars >", "posts"]),
        ("", ["''", "posts"]),
        ("1=1) --", ["1=1) --"]),
    ],
)
def test_a_condition_that_cannot_be_used_is_one_line(filled: Database, where: str, facts: list[str]) -> None:
    with pytest.raises(DatabaseError) as caught:
        filled.keys("posts", where)
    assert not isinstance(caught.value, DatabaseUnavailableError)
    assert all(fact in str(caught.value) for fact in facts)
    assert "\n" not in str(caught.value)
    assert filled.count("posts") == 20


def test_a_condition_cannot_write(filled: Database) -> None:
    if filled.engine.dialect.name != "postgresql":
        pytest.skip("only PostgreSQL has functions that a condition could write with")
    with filled.engine.begin() as connection:
        connection.exec_driver_sql("CREATE SEQUENCE numbers")
        connection.exec_driver_sql(
            "CREATE FUNCTION wipe() RETURNS boolean LANGUAGE plpgsql AS "
            "$$ BEGIN DELETE FROM posts; RETURN true; END $$"
        )
    for where in (
        "wipe()",
        "nextval('numbers') > 0",
        "set_config('transaction_read_only', 'off', true) = 'off' AND wipe()",
    ):
        with pytest.raises(DatabaseError, match=r"read-only transaction|read-write mode must be set before"):
            filled.keys("posts", where)
    assert filled.count("posts") == 20


def test_keys_of_results_are_each_named_once(database: Database) -> None:
    frame = keys(("t", "2"), ("t", "1"), ("u", "1")).assign(annotator="1")
    frame["label"] = [["a"], [], ["a"]]
    write_back(database, Task(name="animals", classes=["a", "b"]), WritebackKind.ANNOTATIONS, frame, "run1")
    write_back(
        database, Task(name="animals", classes=["a", "b"]), WritebackKind.ANNOTATIONS, frame.iloc[:1], "run2"
    )
    found = database.result_keys("animals_annotations")
    assert sorted(found.itertuples(index=False, name=None)) == [("t", "1"), ("t", "2"), ("u", "1")]
    with pytest.raises(UnknownTableError, match="animals_labels"):
        database.result_keys("animals_labels")
    database.create_table("posts", {"id": sa.Text()})
    with pytest.raises(UnknownColumnError, match="table_name"):
        database.result_keys("posts")


@given(
    ids=st.lists(
        st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), min_size=1), unique=True
    )
)
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_is_an_id(tmp_path_factory: pytest.TempPathFactory, ids: list[str]) -> None:
    with closing(Database(f"sqlite:///{tmp_path_factory.mktemp('ids') / 'data.db'}")) as database:
        database.create_table("t", COLUMNS)
        database.upsert("t", rows(ids), ["id"])
        asked = pd.DataFrame({"table_name": "t", "id": ids[::-1]}, dtype=object)
        assert database.read(asked, ["lemmas"])["lemmas"].tolist() == [[i, "x"] for i in ids[::-1]]


@pytest.mark.parametrize("rows", [1, 2, 3])
def test_ranges_of_ids_fill_a_table_without_a_gap(filled: Database, rows: int) -> None:
    every = [key for read in filled.scan_stored("posts", []) for key in read.ids]
    ranges = split(filled, "posts", rows)
    parts = [
        [key for read in filled.scan_stored("posts", [], within=one) for key in read.ids] for one in ranges
    ]
    assert parts == [every[start : start + rows] for start in range(0, len(every), rows)]


def test_scan_visits_each_row_once_although_rows_are_changed_meanwhile(filled: Database) -> None:
    filled.add_columns("posts", {"new": sa.Text()})
    seen: list[str] = []
    for chunk in filled.scan("posts", ["txt"], chunk_rows=7):
        seen += chunk["id"].tolist()
        filled.upsert("posts", pd.DataFrame({"id": chunk["id"], "new": chunk["txt"]}), ["id"])
    assert seen == sorted(f"p{i}" for i in range(20))
    assert filled.read(keys(("posts", "p7")), ["new"])["new"].tolist() == ["text of p7"]


def test_null_is_none(filled: Database) -> None:
    filled.upsert(
        "posts", pd.DataFrame({"id": ["p1"], "lemmas": [None], "vec": [None], "txt": [None]}), ["id"]
    )
    row = filled.read(keys(("posts", "p2"), ("posts", "p1")), ["lemmas", "vec", "txt"]).iloc[1]
    assert row["lemmas"] is None
    assert row["vec"] is None
    assert row["txt"] is None


def test_a_duplicated_id_in_a_view_is_refused(filled: Database) -> None:
    with filled.engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE VIEW doubled AS SELECT id, txt FROM posts UNION ALL SELECT id, txt FROM posts"
        )
    with pytest.raises(DatabaseError, match=r"^duplicated ids in table 'doubled': p1; ids must be unique"):
        filled.read(keys(("doubled", "p1")), ["txt"])


@pytest.mark.parametrize("kind", [sa.Float(), sa.Boolean(), sa.DateTime()])
def test_an_id_of_another_type_is_refused(database: Database, kind: sa.types.TypeEngine[Any]) -> None:
    database.create_table("odd", {"id": kind, "txt": sa.Text()})
    with pytest.raises(
        DatabaseError,
        match=r"^column id of table 'odd' is [A-Z ]+; expected text, whole numbers or UUIDs: make",
    ):
        database.keys("odd")


def test_upsert_is_all_or_nothing(filled: Database) -> None:
    bad = rows(["new1", "new2"]).assign(id=["new1", None])
    with pytest.raises(DatabaseError, match=r"refused: .*(null|NULL)"):
        filled.upsert("posts", pd.concat([rows(["fine"]), bad]), ["id"])
    assert filled.count("posts") == 20


def test_a_database_that_is_away(tmp_path: Path) -> None:
    address = "postgresql+psycopg://me:secret@127.0.0.1:1/none"
    with closing(Database(address)) as away, pytest.raises(DatabaseUnavailableError) as caught:
        away.tables()
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(
        "the database postgresql+psycopg://me:***@127.0.0.1:1/none does not answer: "
    )


def test_a_database_that_is_locked(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'data.db'}", patience_s=0.1)
    database.create_table("t", COLUMNS)
    other = sqlite3.connect(tmp_path / "data.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(
        DatabaseUnavailableError, match=r"does not answer: database is locked; see that it runs"
    ):
        database.upsert("t", rows(["a"]), ["id"])
    other.execute("ROLLBACK")
    other.close()
    assert database.upsert("t", rows(["a"]), ["id"]) == 1
    database.close()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("no address", "database_url cannot be read as an address"),
        ("crate://a:b@h:4200,i:4200", r"database_url cannot be read as an address \(invalid literal for int"),
        (
            "oracle+nothing://x",
            r"database_url .* needs a driver that is not installed .*: expected one of sqlite:///",
        ),
        (
            "postgresql+psycopg2://a:secret@h/d",
            r"database_url .* not installed .*: pip install -e '\.\[postgresql\]'$",
        ),
    ],
)
def test_an_address_that_cannot_be_read(url: str, message: str) -> None:
    with pytest.raises(SettingsError, match=f"^{message}"):
        Database(url)


def test_vectors_take_four_bytes_a_number(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'data.db'}")
    database.create_table("t", COLUMNS)
    database.upsert("t", rows(["a"]).assign(vec=[np.zeros(384)]), ["id"])
    connection = sqlite3.connect(tmp_path / "data.db")
    assert connection.execute("SELECT length(vec) FROM t").fetchone() == (4 * 384,)
    connection.close()
    database.close()


@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), max_size=20))
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_vector_comes_back_as_it_was(database: Database, numbers: list[float]) -> None:
    database.create_table("vectors", {"id": sa.Text(), "vec": Vector()})
    database.upsert("vectors", pd.DataFrame({"id": ["a", "b"], "vec": [numbers, None]}), ["id"])
    read = database.read(keys(("vectors", "a"), ("vectors", "b")), ["vec"])["vec"]
    assert read[0].tolist() == numbers
    assert read[1] is None
    if numbers and database.engine.dialect.name == "postgresql":  # an array like any other one there
        with database.engine.connect() as connection:
            first = connection.exec_driver_sql("SELECT vec[1] FROM vectors WHERE id = 'a'").scalar_one()
        assert first == pytest.approx(numbers[0])
