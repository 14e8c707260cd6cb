import pytest
import sqlalchemy as sa

from adaptml.database import Database, TextList, Vector
from adaptml.database.facts import kind, table_facts
from adaptml.errors import UnknownTableError


def make(database: Database, *statements: str) -> None:
    with database.engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def test_a_table_with_every_fault_of_ids(database: Database) -> None:
    make(
        database,
        "CREATE TABLE posts (id VARCHAR(9), txt VARCHAR(9), mass REAL)",
        "INSERT INTO posts VALUES ('a', 'x', 1), ('a', NULL, NULL), (NULL, NULL, 2), ('b', 'y', NULL)",
    )
    facts = table_facts(database, "posts", ["txt", "mass", "nope"])
    assert (facts.rows, facts.indexed) == (4, False)
    assert facts.id_problem == (
        "table 'posts' has 1 row without an id and 1 duplicated id in 2 rows (a); give each row an id, or name a "
        "view of those that have one (WHERE id IS NOT NULL) and keep one row of each"
    )
    assert facts.missing == {"txt": 2, "mass": 2}
    assert [kind(found) for found in facts.types.values()] == ["text", "text", "number"]


@pytest.mark.parametrize(
    "definition",
    [
        "CREATE TABLE posts (id VARCHAR(9) PRIMARY KEY)",
        "CREATE TABLE posts (id VARCHAR(9) UNIQUE)",
        "CREATE TABLE posts (id VARCHAR(9)); CREATE INDEX posts_id ON posts (id)",
        "CREATE TABLE posts (id VARCHAR(9), lang VARCHAR(9), PRIMARY KEY (id, lang))",
    ],
)
def test_an_index_on_id_in_any_form(database: Database, definition: str) -> None:
    make(database, *definition.split("; "))
    assert table_facts(database, "posts", []).indexed is True


def test_an_index_that_only_ends_in_id_does_not_find_rows_by_it(database: Database) -> None:
    make(database, "CREATE TABLE posts (lang VARCHAR(9), id VARCHAR(9), PRIMARY KEY (lang, id))")
    assert table_facts(database, "posts", []).indexed is False


def test_a_view_and_a_table_without_ids(database: Database) -> None:
    make(
        database,
        "CREATE TABLE numbers (n INTEGER)",
        "INSERT INTO numbers VALUES (1), (2)",
        "CREATE VIEW texts AS SELECT CAST(n AS VARCHAR(9)) AS id FROM numbers",
    )
    assert table_facts(database, "texts", []).indexed is None
    facts = table_facts(database, "numbers", ["n"])
    assert (facts.rows, facts.indexed) == (2, None)
    assert facts.id_problem == "table 'numbers' has no column id; its columns are n"
    with pytest.raises(UnknownTableError, match="nope"):
        table_facts(database, "nope", [])


def test_a_column_that_has_no_type_of_its_own(database: Database) -> None:
    if database.engine.dialect.name != "sqlite":
        pytest.skip("only SQLite has such columns")
    make(database, "CREATE TABLE posts (id)", "CREATE VIEW texts AS SELECT CAST(id AS TEXT) AS id FROM posts")
    assert [kind(table_facts(database, name, []).types["id"]) for name in ("posts", "texts")] == [
        "untyped"
    ] * 2


def test_kinds_of_columns(database: Database) -> None:
    columns = {"id": sa.Text(), "words": TextList(), "vec": Vector(), "n": sa.BigInteger(), "day": sa.Date()}
    database.create_table("posts", columns)
    facts = table_facts(database, "posts", [])
    assert [kind(found) for found in facts.types.values()] == [
        "text", "list of text", "vector", "number", "DATE",
    ]  # fmt: skip
