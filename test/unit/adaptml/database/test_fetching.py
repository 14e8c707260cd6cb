"""What SQLite's driver is asked by itself is what SQLAlchemy would give; what is known of a table stays known."""

import sqlite3
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import sqlalchemy as sa

from adaptml.database import Database, TextList, Vector
from adaptml.database.fetching import Prepared, fetched
from adaptml.errors import DatabaseUnavailableError

TYPES = {"id": sa.Text(), "words": TextList(), "vec": Vector(), "day": sa.Date(), "price": sa.Numeric(9, 2)}
TABLE = sa.table("points", *(sa.column(name, kind) for name, kind in TYPES.items()))
DAY, OTHER_DAY = date(2026, 1, 2), date(2026, 1, 3)


@pytest.fixture
def sqlite(tmp_path: Path) -> Database:
    database = Database(f"sqlite:///{tmp_path / 'data.db'}", patience_s=0.05)
    database.create_table("points", TYPES, ["id"])
    rows = [
        {"id": "a", "words": ["x", "ä"], "vec": [1, 0.5], "day": DAY, "price": Decimal("1.25")},
        {"id": "b", "words": None, "vec": None, "day": OTHER_DAY, "price": None},
    ]
    with database.engine.begin() as connection:
        connection.execute(sa.insert(TABLE), rows)
    return database


def plain(row: Any) -> list[Any]:
    return [value.tolist() if hasattr(value, "tolist") else value for value in row]


@pytest.mark.parametrize("given", [{"from_day": DAY, "n": 5}, {"from_day": OTHER_DAY, "n": 5}, {"from_day": DAY, "n": 0}])  # fmt: skip
def test_values_are_bound_and_cells_read_as_sqlalchemy_does(sqlite: Database, given: dict[str, Any]) -> None:
    from_day, n = sa.bindparam("from_day", type_=sa.Date()), sa.bindparam("n", type_=sa.Integer())
    query = sa.select(*TABLE.c, sa.literal("%s?")).where(TABLE.c.day >= from_day, TABLE.c.day >= from_day)
    query = query.where(TABLE.c.id != "c").order_by(TABLE.c.id).limit(n)
    prepared = Prepared(query)
    with sqlite.engine.connect() as connection:
        expected = [plain(row) for row in connection.execute(query, given)]
        for _ in range(2):
            assert [plain(row) for row in fetched(connection, prepared, given)] == expected


def test_a_file_that_is_locked_is_said_to_be_away(sqlite: Database) -> None:
    keys = pd.DataFrame({"table_name": ["points"], "id": ["a"]})
    assert sqlite.read(keys, ["words"])["words"].tolist() == [["x", "ä"]]
    other = sqlite3.connect(str(sqlite.engine.url.database), isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(DatabaseUnavailableError, match="does not answer: database is locked"):
        sqlite.read(keys, ["words"])
    other.close()
    assert sqlite.read(keys, ["words"])["words"].tolist() == [["x", "ä"]]


def made(path: Path, cells: str) -> sa.Table:
    """A table `t` of a file, made anew, as another database looks at it."""
    connection = sqlite3.connect(path)
    connection.executescript(f"DROP TABLE IF EXISTS t; CREATE TABLE t {cells}")
    connection.close()
    with Database(f"sqlite:///{path}") as database:
        return database.data_table("t")


def test_a_table_is_known_again_by_its_columns_types_and_keys(tmp_path: Path) -> None:
    path = tmp_path / "data.db"
    first = made(path, "(id TEXT PRIMARY KEY, x REAL)")
    assert made(path, "(id TEXT PRIMARY KEY, x REAL)") is first
    for cells in (
        "(id TEXT PRIMARY KEY, x BLOB)",
        "(id TEXT PRIMARY KEY, y REAL)",
        "(id TEXT, x REAL)",
        "(id TEXT NOT NULL PRIMARY KEY, x REAL)",
        "(id TEXT, x REAL, PRIMARY KEY (id, x))",
        "(x REAL, id TEXT PRIMARY KEY)",
    ):
        other = made(path, cells)
        assert other is not first
        assert [column.name for column in other.primary_key.columns] != [] or cells == "(id TEXT, x REAL)"
    assert isinstance(made(path, "(id TEXT PRIMARY KEY, x BLOB)").c.x.type, Vector)


def test_what_a_step_says_of_its_columns_is_kept_to_its_database(tmp_path: Path) -> None:
    with Database(f"sqlite:///{tmp_path / 'data.db'}") as database:
        database.create_table("t", {"id": sa.Text(), "words": TextList()}, ["id"])
        database.declare("t", {"words": sa.Text()})
        assert isinstance(database.data_table("t").c.words.type, sa.Text)
    with Database(f"sqlite:///{tmp_path / 'data.db'}") as database:
        assert isinstance(database.data_table("t").c.words.type, sa.JSON)
