"""A few rows that are asked of SQLite's driver are those that SQLAlchemy gives, or none."""

import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from adaptml.database import Database, TextList, Vector
from adaptml.database.few_rows import MOST, driver_rows, few_rows
from adaptml.errors import DatabaseUnavailableError, UnknownColumnError, UnknownTableError

COLUMNS = ["vec", "words", "n", "day"]
IDS = ["b", "a", "é 'x'", "7", '"', "\\", "-", "…"]


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Database:
    made = Database(f"sqlite:///{tmp_path_factory.mktemp('few') / 'data.db'}", patience_s=0.1)
    types = {"id": sa.Text(), "vec": Vector(), "words": TextList(), "n": sa.Double(), "day": sa.Date()}
    made.create_table("points", types)
    frame = pd.DataFrame({"id": IDS, "n": range(len(IDS))})
    frame["vec"] = [np.array([n, 0.5], np.float32) for n in range(len(IDS))]
    frame["words"] = [["a", key] for key in IDS]
    frame["day"] = pd.Series([pd.Timestamp("2026-01-02").date()] * len(IDS), dtype=object)
    made.upsert("points", frame, ["id"])
    return made


def plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray) else value


@given(ids=st.lists(st.sampled_from(IDS), min_size=1, unique=True))
def test_they_are_those_of_by_key(database: Database, ids: list[str]) -> None:
    few = few_rows(database, "points", COLUMNS, ids)
    (rows,) = database.by_key("points", COLUMNS, ids)
    assert few is not None
    assert few.ids == ids
    expected, positions = rows.columns(), rows.positions.tolist()
    for name in COLUMNS:
        at = dict(zip(positions, expected[name], strict=True))
        assert [plain(value) for value in few.columns()[name]] == [plain(at[i]) for i in range(len(ids))]
    assert few.positions.tolist() == [*range(len(ids))]


def test_ids_of_any_kind(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "data.db") as connection:
        connection.execute("CREATE TABLE whole (id INTEGER PRIMARY KEY, x REAL)")
        connection.execute("CREATE TABLE untyped (id, x REAL)")
        connection.execute("INSERT INTO whole VALUES (7, 1.5), (8, 2.5)")
        connection.execute("INSERT INTO untyped VALUES (7, 1.5), ('8', 2.5)")
    connection.close()
    with Database(f"sqlite:///{tmp_path / 'data.db'}") as database:
        for table in ("whole", "untyped"):
            rows = few_rows(database, table, ["x"], ["8", "7"])
            assert rows is not None
            assert (rows.ids, list(rows.cells["x"])) == (["8", "7"], [2.5, 1.5])
        assert few_rows(database, "whole", ["x"], ["07"]) is None


def test_what_is_out_of_the_ordinary_is_left_to_by_key(database: Database) -> None:
    assert few_rows(database, "points", ["n"], ["a", "not there"]) is None
    assert few_rows(database, "points", ["n"], []) is None
    assert few_rows(database, "points", ["n"], ["a", "nul\0"]) is None
    assert few_rows(database, "points", ["n"], [f"x{n}" for n in range(MOST + 1)]) is None
    with pytest.raises(UnknownTableError, match="no table 'pionts'"):
        few_rows(database, "pionts", ["n"], ["a"])
    with pytest.raises(UnknownColumnError, match="has no column m"):
        few_rows(database, "points", ["m"], ["a"])


def test_an_id_that_two_rows_have_is_left_to_by_key(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "data.db") as connection:
        connection.execute("CREATE TABLE twice (id TEXT, x REAL)")
        connection.execute("INSERT INTO twice VALUES ('a', 1.5), ('a', 2.5), ('b', 3.5)")
    connection.close()
    with Database(f"sqlite:///{tmp_path / 'data.db'}") as database:
        assert few_rows(database, "twice", ["x"], ["a"]) is None
        assert few_rows(database, "twice", ["x"], ["a", "b"]) is None
        assert few_rows(database, "twice", ["x"], ["b"]) is not None


def test_a_table_that_is_made_again_is_looked_at_again(tmp_path: Path) -> None:
    path = tmp_path / "data.db"

    def make(cells: str) -> None:
        connection = sqlite3.connect(path)
        connection.executescript(f"DROP TABLE IF EXISTS t; CREATE TABLE t {cells}")
        connection.close()

    make("(id TEXT PRIMARY KEY, x REAL); INSERT INTO t VALUES ('1', 1.5)")
    with Database(f"sqlite:///{path}") as database:
        assert few_rows(database, "t", ["x"], ["1"]) is not None
        make("(id INTEGER PRIMARY KEY, x BLOB); INSERT INTO t VALUES (1, x'0000803f')")
        few_rows(database, "t", ["x"], ["1"])  # None, or of the table as it is
        rows = few_rows(database, "t", ["x"], ["1"])
        assert rows is not None
        assert rows.columns()["x"][0].tolist() == [1.0]
        make("(id INTEGER PRIMARY KEY, y REAL)")
        assert few_rows(database, "t", ["x"], ["1"]) is None
        with pytest.raises(UnknownColumnError):
            few_rows(database, "t", ["x"], ["1"])


def test_a_locked_file_is_said_to_be_away(tmp_path: Path) -> None:
    path = tmp_path / "data.db"
    with Database(f"sqlite:///{path}", patience_s=0.05) as database:
        database.create_table("t", {"id": sa.Text(), "x": sa.Double()})
        database.upsert("t", pd.DataFrame({"id": ["a"], "x": [1.5]}), ["id"])
        assert few_rows(database, "t", ["x"], ["a"]) is not None
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(DatabaseUnavailableError):
            few_rows(database, "t", ["x"], ["a"])
        other.close()
        assert few_rows(database, "t", ["x"], ["a"]) is not None


def test_a_query_with_other_parameters_is_left_to_sqlalchemy(database: Database) -> None:
    query = sa.select(sa.literal(1), sa.bindparam("given", type_=sa.Text()))
    assert driver_rows(database, query, {"given": "x"}) is None
    assert driver_rows(database, sa.select(sa.bindparam("given", type_=sa.Text())), {"given": "x"}) == [
        ("x",)
    ]
