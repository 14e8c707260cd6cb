"""Tables that are dropped, made again or changed while a database is open; a SQLite file that is replaced."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa

from adaptml.database import Database, Vector
from adaptml.errors import (
    DatabaseUnavailableError,
    MissingDataPointsError,
    UnknownColumnError,
    UnknownTableError,
)


def keys(*ids: str) -> pd.DataFrame:
    return pd.DataFrame({"table_name": "posts", "id": list(ids)})


@pytest.fixture
def other(database: Database) -> Iterator[Database]:
    """Another connection to the same database."""
    with Database(database.engine.url.render_as_string(hide_password=False)) as made:
        yield made


def run(database: Database, *statements: str) -> None:
    with database.engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def test_a_table_that_is_made_again_is_read_as_it_is_now(database: Database, other: Database) -> None:
    database.create_table("posts", {"id": sa.Text(), "x": sa.Float(), "vec": Vector()})
    database.upsert("posts", pd.DataFrame({"id": ["1"], "x": [0.5], "vec": [[1.0, 2.0]]}), ["id"])
    for _ in range(8):  # PostgreSQL's driver prepares a statement that it has seen often
        assert database.read(keys("1"), ["x"])["x"].tolist() == [0.5]
    run(other, "DROP TABLE posts", "CREATE TABLE posts (id BIGINT PRIMARY KEY, x TEXT, vec TEXT)")
    run(other, "INSERT INTO posts VALUES (1, 'half', '[3, 4]'), (2, 'two', NULL)")
    assert database.read(keys("2", "1"), ["x"])["x"].tolist() == ["two", "half"]
    assert database.read(keys("1"), ["vec"])["vec"].tolist() == ["[3, 4]"]
    run(other, "DROP TABLE posts", "CREATE TABLE posts (id VARCHAR(9) PRIMARY KEY, x BIGINT)")
    run(other, "INSERT INTO posts VALUES ('1', 7)")
    assert database.read(keys("1"), ["x"])["x"].tolist() == [7]
    with pytest.raises(UnknownColumnError, match="no column vec; its columns are id, x"):
        database.read(keys("1"), ["vec"])
    run(other, "DROP TABLE posts")
    with pytest.raises(UnknownTableError, match="no table 'posts'"):
        database.read(keys("1"), ["x"])
    run(other, "CREATE TABLE posts (id VARCHAR(9) PRIMARY KEY, y BIGINT)")
    with pytest.raises(UnknownColumnError, match="no column x; its columns are id, y"):
        database.read(keys("1"), ["x"])
    with pytest.raises(MissingDataPointsError):
        database.read(keys("1"), ["y"])


def test_a_column_that_is_renamed_and_one_of_another_type(database: Database, other: Database) -> None:
    run(
        database,
        "CREATE TABLE posts (id VARCHAR(9) PRIMARY KEY, x INTEGER)",
        "INSERT INTO posts VALUES ('1', 7)",
    )
    for _ in range(8):
        assert database.read(keys("1"), ["x"])["x"].tolist() == [7]
    if database.engine.dialect.name == "postgresql":
        run(other, "ALTER TABLE posts ALTER COLUMN x TYPE text")
        assert database.read(keys("1"), ["x"])["x"].tolist() == ["7"]
    run(other, "ALTER TABLE posts RENAME COLUMN x TO y")
    with pytest.raises(UnknownColumnError, match="no column x"):
        database.read(keys("1"), ["x"])
    run(other, "ALTER TABLE posts RENAME COLUMN y TO x")
    assert str(database.read(keys("1"), ["x"])["x"].tolist()[0]) == "7"


def make_file(path: Path, value: int, *, padding: int = 0) -> None:
    with closing(sqlite3.connect(path)) as connection:
        for number in range(padding):
            connection.execute(f"CREATE TABLE t{number} (id)")
        connection.execute("CREATE TABLE posts (id INTEGER PRIMARY KEY, x)")
        connection.execute("INSERT INTO posts VALUES (1, ?)", [value])
        connection.commit()


def test_a_file_that_is_replaced_is_read_and_none_is_made_in_its_place(tmp_path: Path) -> None:
    path, new = tmp_path / "data.db", tmp_path / "new.db"
    make_file(path, 1)
    with closing(Database(f"sqlite:///{path}")) as database:
        assert database.read(keys("1"), ["x"])["x"].tolist() == [1]
        for value in (2, 3):
            make_file(new, value, padding=value)
            new.replace(path)
            assert database.read(keys("1"), ["x"])["x"].tolist() == [value]
        path.unlink()
        for _ in range(3):
            with pytest.raises(
                DatabaseUnavailableError, match=r"does not answer: there is no file .*data\.db; see"
            ):
                database.read(keys("1"), ["x"])
            with pytest.raises(DatabaseUnavailableError):
                database.tables()
            assert not path.exists()
        make_file(path, 4)
        assert database.read(keys("1"), ["x"])["x"].tolist() == [4]


def test_every_thread_reads_the_new_file(tmp_path: Path) -> None:
    path, new = tmp_path / "data.db", tmp_path / "new.db"
    make_file(path, 1)
    make_file(new, 2)
    with closing(Database(f"sqlite:///{path}")) as database:
        barrier, answers = threading.Barrier(4), list[list[int]]()

        def ask() -> None:
            barrier.wait()
            before = database.read(keys("1"), ["x"])["x"].tolist()
            barrier.wait()
            barrier.wait()
            answers.append([*before, *database.read(keys("1"), ["x"])["x"].tolist()])

        threads = [threading.Thread(target=ask) for _ in range(3)]
        for thread in threads:
            thread.start()
        barrier.wait()
        barrier.wait()
        new.replace(path)
        barrier.wait()
        for thread in threads:
            thread.join()
        assert answers == [[1, 2]] * 3


def test_where_nothing_may_be_made_there_is_no_file_and_no_folder(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "data.db"
    with closing(Database(f"sqlite:///{path}", make=False)) as database:
        with pytest.raises(DatabaseUnavailableError, match="there is no file"):
            database.tables()
        assert not path.parent.exists()
        path.parent.mkdir()
        make_file(path, 1)
        assert database.read(keys("1"), ["x"])["x"].tolist() == [1]


def test_a_new_file_is_made_where_there_was_none(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "data.db"
    with closing(Database(f"sqlite:///{path}")) as database:
        assert database.tables() == []
        database.create_table("posts", {"id": sa.Text(), "vec": Vector()})
        database.upsert("posts", pd.DataFrame({"id": ["1"], "vec": [np.ones(2)]}), ["id"])
        assert database.read(keys("1"), ["vec"])["vec"][0].tolist() == [1, 1]


def test_what_is_known_of_a_file_is_asked_again_only_once_it_has_changed(tmp_path: Path) -> None:
    path = tmp_path / "data.db"
    with closing(sqlite3.connect(path)) as other, Database(f"sqlite:///{path}") as database:
        other.execute("CREATE TABLE posts (id TEXT PRIMARY KEY, x INTEGER)")
        known = database.data_table("posts", fresh=True)
        assert database.tables() == ["posts"]
        other.execute("INSERT INTO posts VALUES ('1', 7)")
        other.commit()
        assert database.data_table("posts", fresh=True) is known
        other.execute("ALTER TABLE posts ADD COLUMN y INTEGER")
        other.execute("CREATE VIEW seen AS SELECT * FROM posts")
        assert database.tables() == ["posts", "seen"]
        assert database.data_table("posts", fresh=True).c.keys() == ["id", "x", "y"]


def test_what_keeps_ids_apart(database: Database) -> None:
    run(
        database,
        "CREATE TABLE keyed (id VARCHAR(9) PRIMARY KEY)",
        "CREATE TABLE together (id VARCHAR(9), n INTEGER, PRIMARY KEY (id, n))",
        "CREATE TABLE constrained (id TEXT UNIQUE)",
        "CREATE TABLE indexed (id VARCHAR(9))",
        "CREATE UNIQUE INDEX one ON indexed (id)",
        "CREATE TABLE partial (id VARCHAR(9), n INTEGER)",
        "CREATE UNIQUE INDEX other ON partial (id) WHERE n > 0",
        "CREATE INDEX many ON partial (id)",
        "CREATE VIEW seen AS SELECT id FROM keyed",
    )
    names = ["keyed", "together", "constrained", "indexed", "partial", "seen"]
    found = [name for name in names if database.has_unique_ids(database.data_table(name))]
    assert found == ["keyed", "constrained", "indexed"]
