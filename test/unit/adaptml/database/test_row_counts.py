from pathlib import Path

import pytest
import sqlalchemy as sa

from adaptml.database import Database
from adaptml.database.row_counts import RowCount, row_count
from adaptml.errors import UnknownTableError


def test_small_tables_are_counted_and_of_large_ones_it_is_said_about_how_many(database: Database) -> None:
    database.create_table("posts", {"id": sa.Text()})
    with database.engine.begin() as connection:
        rows = [{"id": str(number)} for number in range(200)]
        connection.execute(sa.insert(database.data_table("posts")), rows)
    assert row_count(database, "posts", 200) == RowCount(200, "exactly")
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if database.engine.dialect.name == "postgresql":
            connection.exec_driver_sql("ANALYZE posts")
    known = "exactly" if database.engine.dialect.name == "crate" else "about"
    assert row_count(database, "posts", 199) == RowCount(200, known)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "definition",
    ["CREATE VIEW some AS SELECT id FROM posts", "CREATE TABLE some (id TEXT PRIMARY KEY) WITHOUT ROWID"],
)
def test_where_sqlite_numbers_no_rows_only_the_least_number_is_known(tmp_path: Path, definition: str) -> None:
    with Database(f"sqlite:///{tmp_path / 'data.db'}") as database:
        with database.engine.begin() as connection:
            connection.exec_driver_sql("CREATE TABLE posts (id TEXT PRIMARY KEY)")
            connection.exec_driver_sql("INSERT INTO posts VALUES ('a'), ('b'), ('c')")
            connection.exec_driver_sql(definition)
            if "TABLE" in definition:
                connection.exec_driver_sql("INSERT INTO some SELECT id FROM posts")
        assert row_count(database, "some", 2) == RowCount(2, "at_least")
        assert row_count(database, "some", 3) == RowCount(3)


def test_in_words() -> None:
    counts = [RowCount(24), RowCount(10_000_000, "about"), RowCount(100_000, "at_least")]
    assert [*map(str, counts)] == ["24", "about 10,000,000", "more than 100,000"]


def test_no_such_table(database: Database) -> None:
    with pytest.raises(UnknownTableError):
        row_count(database, "posts")
