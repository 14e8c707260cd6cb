"""Rows as the database keeps them: decoded, they are what `read` gives, whichever way they were fetched."""

import random
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from adaptml.database import Database, PackedVector, StoredRows, TextList, Vector
from adaptml.database.stored import decoded, stored
from adaptml.errors import DatabaseError, MissingDataPointsError, UnknownColumnError

COLUMNS = {"txt": sa.Text(), "lemmas": TextList(), "vec": Vector(), "stars": sa.Integer()}


@pytest.fixture
def filled(database: Database, monkeypatch: pytest.MonkeyPatch) -> Database:
    """Twenty rows in each of two tables, of which one has empty cells; pages and chunks of few rows."""
    monkeypatch.setattr("adaptml.database.rows.CHUNK_ROWS", 4)
    monkeypatch.setattr("adaptml.database.rows.PAGE_ROWS", 6)
    for table in ("posts", "others"):
        database.create_table(table, {"id": sa.Text(), **COLUMNS}, ["id"])
        ids = [f"{table[0]}{i:02d}" for i in range(20)]
        frame = pd.DataFrame(
            {
                "id": ids,
                "txt": pd.Series([None if i == "o03" else f"text of {i}" for i in ids], dtype=object),
                "lemmas": [None if i == "o04" else [i, "x"] for i in ids],
                "vec": [None if i == "o05" else np.array([len(i), 0.5], dtype=np.float32) for i in ids],
                "stars": range(20),
            }
        )
        database.upsert(table, frame, ["id"])
    return database


def keys(table: str, numbers: list[int]) -> pd.DataFrame:
    return pd.DataFrame({"table_name": table, "id": [f"{table[0]}{i:02d}" for i in numbers]})


def together(chunks: list[StoredRows], n: int) -> pd.DataFrame:
    """All rows in the order of the keys."""
    frame = pd.concat([pd.DataFrame(chunk.columns(), dtype=object) for chunk in chunks])
    places = np.concatenate([chunk.positions for chunk in chunks])
    assert sorted(places) == list(range(n))
    return frame.iloc[np.argsort(places)].reset_index(drop=True)


SHUFFLED = random.Random(0).sample(range(20), 20)
ASKED = {
    "all": keys("posts", list(range(20))),
    "all, in another order": keys("others", SHUFFLED),
    "most": keys("others", [*range(2, 9), 11, 12]),
    "few": keys("others", [9, 3]),
    "of two tables": pd.concat([keys("posts", [7]), keys("others", SHUFFLED), keys("posts", [1, 3])]),
}


@pytest.mark.parametrize("asked", ASKED.values(), ids=ASKED)
def test_rows_are_those_that_read_gives(filled: Database, asked: pd.DataFrame) -> None:
    found = list(filled.read_stored(asked, list(COLUMNS)))
    assert max(map(len, found)) <= 6
    frame, expected = together(found, len(asked)), filled.read(asked, list(COLUMNS))
    for column in expected.columns.drop("vec"):
        assert frame[column].tolist() == expected[column].tolist()
    assert [v if v is None else v.tolist() for v in frame["vec"]] == [
        v if v is None else v.tolist() for v in expected["vec"]
    ]


def test_some_rows_of_a_chunk(filled: Database) -> None:
    (chunk,) = filled.read_stored(keys("others", [2, 3, 4]), ["txt", "lemmas"])
    assert chunk.columns(np.array([2, 1])) == {
        "table_name": ["others", "others"],
        "id": ["o04", "o03"],
        "txt": ["text of o04", None],
        "lemmas": [None, ["o03", "x"]],
    }


def test_sqlite_gives_lists_as_the_text_that_it_keeps(filled: Database) -> None:
    (chunk,) = filled.read_stored(keys("posts", [2]), ["lemmas"])
    kept = ['["p02", "x"]'] if filled.engine.dialect.name == "sqlite" else [["p02", "x"]]
    assert list(chunk.cells["lemmas"]) == kept


@pytest.mark.parametrize("numbers", [[3, 99], [*range(20), 99]], ids=["few", "all"])
def test_points_that_are_not_there_are_named_at_the_end(filled: Database, numbers: list[int]) -> None:
    found = filled.read_stored(keys("posts", numbers), ["txt"])
    with pytest.raises(MissingDataPointsError, match="posts/p99"):
        list(found)


def test_a_column_that_is_not_there(filled: Database) -> None:
    with pytest.raises(UnknownColumnError, match="nope"):
        list(filled.read_stored(keys("posts", [1]), ["nope"]))


def test_ids_that_are_duplicated_are_refused(filled: Database) -> None:
    with filled.engine.begin() as connection:
        connection.execute(sa.text("CREATE VIEW double AS SELECT * FROM posts UNION ALL SELECT * FROM posts"))
    for asked in (keys("posts", [*range(20)]), keys("posts", [3])):
        asked = asked.assign(table_name="double")
        with pytest.raises(DatabaseError, match=r"duplicated ids in table 'double': p0"):
            list(filled.read_stored(asked, ["txt"]))


def test_a_duplicated_id_at_the_end_of_a_page_is_not_passed_over(filled: Database) -> None:
    with filled.engine.begin() as connection:
        connection.execute(
            sa.text("CREATE VIEW once AS SELECT * FROM posts UNION ALL SELECT * FROM posts WHERE id = 'p05'")
        )
    asked = keys("posts", list(range(20))).assign(table_name="once")
    with pytest.raises(DatabaseError, match=r"duplicated ids in table 'once': p05;"):
        list(filled.read_stored(asked, ["txt"]))
    others = asked[asked["id"] != "p05"]
    assert len(together(list(filled.read_stored(others, ["txt"])), 19)) == 19


@given(st.lists(st.none() | st.lists(st.floats(-1, 1, width=16), min_size=1, max_size=2), max_size=5))
@pytest.mark.parametrize("kind", [Vector(), PackedVector()])
def test_vectors_of_many_rows_are_those_of_each(kind: Any, vectors: list[list[float] | None]) -> None:
    dialect = sa.create_engine("sqlite://").dialect
    _, decode = stored(sa.column("vec", kind), dialect)
    assert decode is not None
    process = kind.bind_processor(dialect)
    cells = [None if vector is None else process(vector) for vector in vectors]
    found = decoded(cells, decode, "t", "vec", [str(i) for i in range(len(cells))])
    assert [None if one is None else one.tolist() for one in found] == vectors
