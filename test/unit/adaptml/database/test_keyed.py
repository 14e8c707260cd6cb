"""Reading by key gives what was written: in the order of the keys, repeated or missing, whichever way it is read."""

import gc
import json
from collections.abc import Sequence
from contextlib import closing
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adaptml.database import Database, PackedVector, TextList, Vector, rows
from adaptml.database.fetching import paused_gc
from adaptml.database.keyed import by_table
from adaptml.database.packed import pack, unpack, unpack_matrix
from adaptml.database.stored import Decode, decoded
from adaptml.errors import DatabaseError, MissingDataPointsError
from adaptml.features.points import Points
from adaptml.features.reading import read_features

HOSTILE = [
    "'; DROP TABLE posts; --", '"]}', "[1]", r"\u0000", "\\", "ä", "a\u0308", " a", "A", "a", "", "null", "%s", ":x", "?",
    "\x01", "\n", "\U0001f600", "1", "01", "1e0", "NaN",
]  # fmt: skip
ABSENT = ["b", "A ", "2", "[", "\ud800", "a\0", "\0"]
COLUMNS = {"id": sa.Text(), "txt": sa.Text(), "lemmas": TextList(), "vec": Vector(), "packed": PackedVector(), "n": sa.Integer()}  # fmt: skip


def vector(number: int) -> list[float]:
    return [float(number), 0.5, 0.0]


@pytest.fixture
def filled(database: Database) -> Database:
    """A table whose cells tell their row; every third is empty but for vectors."""
    database.create_table("posts", COLUMNS, ["id"])
    n = range(len(HOSTILE))
    frame = {
        "id": HOSTILE,
        "txt": pd.Series([None if i % 3 == 0 else f"text {i}" for i in n], dtype=object),
        "lemmas": [None if i % 3 == 1 else [f"{i}", '"', "ä"] * (i % 4) for i in n],
        "vec": [vector(i) for i in n],
        "packed": [vector(i) for i in n],
        "n": list(n),
    }
    database.upsert("posts", pd.DataFrame(frame), ["id"])
    return database


def expected(ids: Sequence[str]) -> list[list[Any]]:
    places = [HOSTILE.index(key) for key in ids]
    return [
        [None if i % 3 == 0 else f"text {i}" for i in places],
        [None if i % 3 == 1 else [f"{i}", '"', "ä"] * (i % 4) for i in places],
        [vector(i) for i in places],
        [vector(i) for i in places],
        places,
    ]


def asked_for(ids: Sequence[str]) -> pd.DataFrame:
    return pd.DataFrame({"table_name": "posts", "id": pd.Series(ids, dtype=object)})


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    ids=st.lists(st.sampled_from([*HOSTILE, *ABSENT]), max_size=40),
    chunk_rows=st.sampled_from([1, 3, 5_000]),
    page_rows=st.sampled_from([2, 20_000]),
    by_page=st.sampled_from([1e-6, 2.0]),
)
def test_every_way_gives_what_was_written(
    filled: Database, ids: list[str], chunk_rows: int, page_rows: int, by_page: float
) -> None:
    here = [key for key in ids if key in HOSTILE]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rows, "CHUNK_ROWS", chunk_rows)
        patch.setattr(rows, "PAGE_ROWS", page_rows)
        patch.setattr(rows, "FEW", chunk_rows)
        patch.setattr(rows, "BY_PAGE", by_page)
        frame = filled.read(asked_for(ids), list(COLUMNS), skip_missing=True)
        assert frame["id"].tolist() == here
        found = [frame[name].tolist() for name in COLUMNS if name != "id"]
        assert [[getattr(value, "tolist", lambda v=value: v)() for value in cells] for cells in found] == (
            expected(here)
        )
        missing = [("posts", key) for key in dict.fromkeys(ids) if key not in HOSTILE]
        once = list(dict.fromkeys(ids))
        if missing:
            for read in (
                lambda: filled.read(asked_for(ids), ["txt"]),
                lambda: list(filled.read_stored(asked_for(once), ["txt"])),
                lambda: read_features(Points(filled, filled), asked_for(ids), ["vec"]),
            ):
                with pytest.raises(MissingDataPointsError) as caught:
                    read()
                assert caught.value.missing == missing
        points, kept = Points(filled, filled), list(dict.fromkeys(here))
        told: dict[str, Any] = {}
        for chunk in points.read_stored(asked_for(kept), ["txt", "lemmas", "n"]):
            assert [kept[place] for place in chunk.positions] == list(chunk.ids)
            cells = zip(*(chunk.values(c) for c in ("txt", "lemmas", "n")), strict=True)
            told |= zip(chunk.ids, cells, strict=True)
        wanted = zip(*(expected(kept)[i] for i in (0, 1, 4)), strict=True)
        assert told == dict(zip(kept, wanted, strict=True))
        if here:
            matrix = read_features(points, asked_for(here), ["vec", "n", "packed"])
            assert matrix.dtype == np.float32
            assert matrix.tolist() == [[*vector(i), i, *vector(i)] for i in map(HOSTILE.index, here)]


@given(st.lists(st.tuples(st.sampled_from(["a", "b", "schema.c"]), st.text(max_size=3)), max_size=20))
def test_keys_are_put_together_by_their_tables(points: list[tuple[str, str]]) -> None:
    keys = pd.DataFrame(points, columns=["table_name", "id"], dtype=object)
    found = {table: list(zip(places.tolist(), ids, strict=True)) for table, places, ids in by_table(keys)}
    expected: dict[str, list[tuple[int, str]]] = {}
    for place, (table, key) in enumerate(points):
        expected.setdefault(table, []).append((place, key))
    assert list(found.items()) == list(expected.items())


@pytest.mark.parametrize("page_rows", [1, 2, 3, 20_000])
def test_duplicated_ids_are_said_when_all_of_a_table_is_read(
    database: Database, monkeypatch: pytest.MonkeyPatch, page_rows: int
) -> None:
    monkeypatch.setattr(rows, "FEW", 0)
    monkeypatch.setattr(rows, "PAGE_ROWS", page_rows)
    with database.engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE posts (id VARCHAR(9), txt TEXT)")
        connection.exec_driver_sql("INSERT INTO posts VALUES ('a', '1'), ('b', '2'), ('b', '3'), ('c', '4')")
    with pytest.raises(DatabaseError, match="duplicated ids in table 'posts': b; ids must be unique"):
        database.read(asked_for(["c", "b", "a"]), ["txt"])
    assert page_rows == 1 or database.read(asked_for(["c", "a"]), ["txt"])["txt"].tolist() == ["4", "1"]


def test_no_more_rows_are_counted_than_matter(database: Database) -> None:
    database.create_table("posts", {"id": sa.Text()})
    assert database._has_at_most("posts", 0)
    database.upsert("posts", pd.DataFrame({"id": ["a", "b", "c"]}), ["id"])
    assert [database._has_at_most("posts", n) for n in (0, 2.5, 3, 4.5)] == [False, False, True, True]


def test_ids_with_a_nul_are_told_apart_in_sqlite() -> None:
    """SQLite ends a text of JSON at a NUL."""
    with closing(Database("sqlite:///:memory:")) as database:
        with database.engine.begin() as connection:
            connection.exec_driver_sql("CREATE TABLE posts (id TEXT PRIMARY KEY, txt TEXT)")
            connection.exec_driver_sql("INSERT INTO posts VALUES (?, ?)", [("a", "1"), ("a\0b", "2")])
        asked = asked_for(["a\0b", "a\0c", "a"])
        assert database.read(asked, ["txt"], skip_missing=True)["txt"].tolist() == ["2", "1"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
CELLS = st.lists(
    st.none()
    | JSON.map(json.dumps)
    | JSON.map(lambda value: f" {json.dumps(value, indent=1, ensure_ascii=False)}\n")
    | st.sampled_from(["1,2", "[3", "4]", '"', "],[", "", " ", "[1]x", "-", "NaN", b"[1]", 5]),
    max_size=8,
)


@given(CELLS)
def test_many_lists_are_decoded_as_each_would_be(cells: list[Any]) -> None:
    from adaptml.database.stored import stored

    with closing(Database("sqlite:///:memory:")) as database:
        _, decode = stored(sa.column("cell", TextList()), database.engine.dialect)
    assert decode is not None
    ids = [f"p{i}" for i in range(len(cells))]
    try:
        each = [None if cell is None else json.loads(cell) for cell in cells]
    except (ValueError, TypeError):
        first = next(i for i, cell in enumerate(cells) if not is_json(cell))
        with pytest.raises(
            DatabaseError, match=f"^id 'p{first}' of table 't' has in column 'c' text that is no"
        ):
            decoded(cells, decode, "t", "c", ids)
    else:
        assert repr(decoded(cells, decode, "t", "c", ids)) == repr(each)


def is_json(cell: Any) -> bool:
    try:
        return cell is None or bool([json.loads(cell)])
    except (ValueError, TypeError):
        return False


FLOATS = st.floats(width=32, allow_nan=False, allow_infinity=False) | st.sampled_from([0.0, 0.5, 1.0])


@given(
    st.integers(0, 20).flatmap(
        lambda d: st.lists(st.lists(FLOATS, min_size=d, max_size=d), min_size=1, max_size=6)
    )
)
def test_packed_vectors_are_unpacked_together_as_one_by_one(vectors: list[list[float]]) -> None:
    packed = [pack(one) for one in vectors]
    matrix = unpack_matrix(packed)
    assert matrix is not None
    assert matrix.dtype == np.float32
    assert matrix.tobytes() == np.array([unpack(one) for one in packed], dtype=np.float32).tobytes()
    for odd in (None, b"", b"\x07", packed[0] + b"\0", pack([*vectors[0], 1.0])):
        assert unpack_matrix([*packed, odd]) is None
    assert unpack_matrix([]) is None


def test_the_garbage_collector_is_on_again_whatever_happens() -> None:
    decode = Decode(json.loads)
    with pytest.raises(ValueError, match="Expecting value"):
        decoded(["nope"], decode, "t", "c", ["a"])
    assert gc.isenabled()
    gc.disable()
    try:
        with paused_gc():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
