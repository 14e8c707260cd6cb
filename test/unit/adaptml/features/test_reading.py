import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa

from adaptml.database import Database, TextList, Vector, cratedb
from adaptml.errors import FeatureError, MissingDataPointsError
from adaptml.features.points import Points
from adaptml.features.reading import read_features


@pytest.fixture
def filled(database: Database) -> Database:
    columns = {
        "id": sa.Text(),
        "txt": sa.Text(),
        "lemmas": TextList(),
        "n": sa.Integer(),
        "x": sa.Float(),
        "v": Vector(),
        "w": Vector(),
    }
    database.create_table("t", columns)
    database.upsert(
        "t",
        pd.DataFrame(
            {
                "id": ["a", "b", "c"],
                "txt": ["one", "two", None],
                "lemmas": [["one"], [], None],
                "n": [1, 2, 3],
                "x": [0.5, None, 2.5],
                "v": [[1, 2], [3, 4], [5, 6]],
                "w": [[1, 2], [3], None],
            }
        ),
        ["id"],
    )
    table = sa.table("t", sa.column("id"), sa.column("w", Vector()))
    with database.engine.begin() as connection:  # somebody else's way of writing takes what ours refuses
        connection.execute(sa.update(table).where(table.c.id == "c").values(w=[np.nan, np.inf]))
        cratedb.refresh(connection, table)
    return database


def keys(*ids: str) -> pd.DataFrame:
    return pd.DataFrame({"table_name": "t", "id": list(ids)})


def test_columns_are_concatenated_in_the_order_given_and_rows_in_key_order(filled: Database) -> None:
    matrix = read_features(Points(filled, filled), keys("c", "a", "c"), ["n", "v"])
    assert matrix.tolist() == [[3, 5, 6], [1, 1, 2], [3, 5, 6]]
    assert matrix.dtype == np.float32
    assert read_features(Points(filled, filled), keys("a"), ["v", "n"]).tolist() == [[1, 2, 1]]


@pytest.mark.parametrize(
    ("ids", "columns", "message"),
    [
        ("a", [], "no feature column given; expected at least one number or vector column"),
        (
            "ab",
            ["txt"],
            "feature column 'txt' holds str that is no list of numbers in t/a; expected numbers or vectors of numbers: name the column of its vectors, which `adaptml featurize` makes",
        ),
        (
            "ab",
            ["lemmas"],
            "feature column 'lemmas' holds list that is no list of numbers in t/a; expected numbers or vectors of numbers: name the column of its vectors, which `adaptml featurize` makes",
        ),
        (
            "ab",
            ["v", "x"],
            "feature column 'x' is empty for 1 of 2 data points (t/b); compute it with `adaptml featurize`, "
            "or fill it in where it is your own; where its encoder has changed since, train again",
        ),
        (
            "ab",
            ["w"],
            "vectors of feature column 'w' differ in length: most have 1 numbers, 2 in 1 of 2 data points (t/a); featurise the column again "
            "(--all), or give every row as many numbers where it is your own",
        ),
        (
            "ac",
            ["w"],
            "feature column 'w' has values that are not finite in 1 of 2 data points (t/c); fix them",
        ),
    ],
)
def test_columns_that_cannot_be_features(
    filled: Database, ids: str, columns: list[str], message: str
) -> None:
    with pytest.raises(FeatureError) as caught:
        read_features(Points(filled, filled), keys(*ids), columns)
    assert str(caught.value) == message


def test_points_that_are_not_there_are_an_error_not_a_shift(filled: Database) -> None:
    with pytest.raises(MissingDataPointsError, match=r"^1 of 2 data points are not in their table: t/zz"):
        read_features(Points(filled, filled), keys("zz", "a"), ["v"])


def test_vectors_and_numbers_in_every_form(database: Database) -> None:
    """JSON text, float32 bytes and lists of numbers, some of them in columns of another type; decimals."""
    bytes_of = np.array([1, 0.5], dtype="<f4").tobytes()
    names = ["json_text", "json", "bytes", "doubles", "decimal"]
    types = {
        "sqlite": ["TEXT", "JSON", "BLOB", "TEXT", "NUMERIC"],
        "postgresql": ["TEXT", "JSONB", "BYTEA", "DOUBLE PRECISION[]", "NUMERIC(9, 3)"],
    }[database.engine.dialect.name]
    values = {
        "sqlite": ["[1, 0.5]", "[1, 0.5]", bytes_of, bytes_of, 0.25],
        "postgresql": ["[1, 0.5]", "[1, 0.5]", bytes_of, [1.0, 0.5], 0.25],
    }[database.engine.dialect.name]
    with database.engine.begin() as connection:
        sign = "?" if connection.dialect.name == "sqlite" else "%s"
        made = ", ".join(f"{name} {kind}" for name, kind in zip(names, types, strict=True))
        connection.exec_driver_sql(f"CREATE TABLE t (id TEXT PRIMARY KEY, {made})")
        connection.exec_driver_sql(f"INSERT INTO t VALUES ({', '.join([sign] * 6)})", ("a", *values))
    matrix = read_features(Points(database, database), keys("a", "a"), names)
    assert matrix.dtype == np.float32
    assert matrix.tolist() == [[1, 0.5] * 4 + [0.25]] * 2


@pytest.mark.parametrize(
    ("kind", "value", "problem"),
    [
        ("TEXT", "[1, 2", "holds str that is no list of numbers in t/a; expected numbers"),
        ("TEXT", '["1", "2"]', "holds str that is no list of numbers in t/a"),
        ("TEXT", "[[1], [2]]", "holds str that is no list of numbers in t/a"),
        ("TEXT", '{"a": 1}', "holds str that is no list of numbers in t/a"),
        ("TEXT", "[" * 20_000, "holds str that is no list of numbers in t/a"),
        ("TIMESTAMP", "2026-01-31 12:00:00.000000", "holds datetime that is no list of numbers in t/a"),
    ],
)
def test_what_is_no_vector_is_named(database: Database, kind: str, value: str, problem: str) -> None:
    with database.engine.begin() as connection:
        sign = "?" if connection.dialect.name == "sqlite" else "%s"
        connection.exec_driver_sql(f"CREATE TABLE t (id TEXT PRIMARY KEY, f {kind})")
        connection.exec_driver_sql(f"INSERT INTO t VALUES ('a', {sign})", (value,))
    with pytest.raises(FeatureError) as caught:
        read_features(Points(database, database), keys("a"), ["f"])
    assert str(caught.value).startswith(f"feature column 'f' {problem}")
    assert "\n" not in str(caught.value)
