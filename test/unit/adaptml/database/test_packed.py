"""Vectors in few bytes: what comes back is what went in, or so near that no angle or length tells."""

import base64
from contextlib import suppress

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from adaptml.database import Database, PackedVector
from adaptml.database.packed import pack, unpack
from adaptml.errors import DatabaseError

FINITE = st.floats(width=32, allow_nan=False, allow_infinity=False)
VECTORS = arrays.arrays(np.float32, st.integers(0, 60), elements=st.one_of(st.just(0.0), FINITE))


@given(VECTORS)
def test_an_exact_vector_comes_back_as_it_was(vector: np.ndarray) -> None:
    back = unpack(pack(vector, exact=True))
    assert back.dtype == np.float32
    assert np.array_equal(back, vector)


@given(VECTORS)
def test_no_angle_and_no_length_is_lost(vector: np.ndarray) -> None:
    back = unpack(pack(vector)).astype(np.float64)
    wide = vector.astype(np.float64)
    assert back.shape == vector.shape
    length = np.linalg.norm(wide)
    assert np.linalg.norm(back - wide) <= 1e-3 * length
    if length:
        assert back @ wide / (np.linalg.norm(back) * length) >= 0.9999


@given(VECTORS, st.booleans())
def test_what_was_packed_once_is_packed_alike_again(vector: np.ndarray, exact: bool) -> None:
    once = unpack(pack(vector, exact=exact))
    assert np.array_equal(unpack(pack(once, exact=exact)), once)


@pytest.mark.parametrize(
    ("vector", "n_bytes"),
    [
        pytest.param(np.full(384, 0.051), 1 + 2 * 384, id="a sentence: two bytes a number"),
        pytest.param(np.eye(1, 4096)[0], 1 + 4 + 512 + 2, id="zeros: a bit each"),
        pytest.param([1e-9, 1e-9], 1 + 2 * 4, id="too small for half precision"),
        pytest.param([3.3e-7, 3.3e-7], 1 + 2 * 4, id="so small that half precision has few digits"),
        pytest.param([1e5, 1.0], 1 + 2 * 4, id="too large for half precision"),
        pytest.param([3e38, 3e38], 1 + 2 * 4, id="squares beyond float32"),
        pytest.param([], 1, id="no number"),
    ],
)
def test_the_smallest_form_is_taken(vector: list[float], n_bytes: int) -> None:
    assert len(pack(vector)) == n_bytes


def test_numbers_that_half_precision_changes_are_kept_where_that_is_asked() -> None:
    assert len(pack([0.5, 0.25], exact=True)) == 1 + 2 * 2
    assert len(pack([0.1, 0.25], exact=True)) == 1 + 2 * 4
    assert len(pack([0.1, 0.25])) == 1 + 2 * 2


@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf])
def test_what_is_no_finite_vector_is_refused(odd: float) -> None:
    with pytest.raises(DatabaseError, match="a vector holds NaN or infinity; expected finite numbers"):
        pack([0.0, odd])
    with pytest.raises(DatabaseError, match=r"an array of shape \(1, 2\) is no vector; expected \(d,\)"):
        pack([[0.0, 1.0]])


@given(st.binary(max_size=40))
def test_other_bytes_are_a_vector_or_refused_but_never_anything_else(packed: bytes) -> None:
    with suppress(DatabaseError):
        assert unpack(packed).dtype == np.float32


@pytest.mark.parametrize(
    "packed", [b"", b"\x04\x00", b"\x00\x00\x00", b"\x03\xff\xff\xff\xff", b"\x02\x08\x00\x00\x00\xff"]
)
def test_bytes_of_another_origin_are_shown(packed: bytes) -> None:
    with pytest.raises(
        DatabaseError, match="are no packed vector; expected what a step of this version wrote"
    ) as caught:
        unpack(packed)
    assert f"{len(packed)} bytes that begin with {packed[:4].hex() or 'nothing'}" in str(caught.value)


def test_a_table_of_packed_vectors_on_every_database(database: Database) -> None:
    database.create_table("made", {"id": sa.Text(), "vec": PackedVector()})
    sentence = (np.arange(384, dtype=np.float32) - 200) / 4096  # half precision holds each of them
    vectors = [sentence, np.eye(1, 4096, dtype=np.float32)[0], None, np.array([1e5], dtype=np.float32)]
    frame = pd.DataFrame({"id": list("abcd"), "vec": pd.Series(vectors, dtype=object)})
    assert database.upsert("made", frame, ["id"]) == 4
    asked = pd.DataFrame({"table_name": "made", "id": ["d", "c", "b", "a"]})
    with Database(database.engine.url.render_as_string(hide_password=False)) as other:  # another process, say
        other.declare("made", {"vec": PackedVector()})
        for read in (
            database.read(asked, ["vec"])["vec"],
            other.read(asked, ["vec"])["vec"],
            pd.concat(
                [pd.DataFrame(rows.columns(), dtype=object) for rows in other.read_stored(asked, ["vec"])]
            )["vec"],
        ):
            for found, given_ in zip(read, reversed(vectors), strict=True):
                assert (found is None) if given_ is None else np.array_equal(found, given_)
    (scanned,) = database.scan("made", ["vec"])
    assert np.array_equal(scanned["vec"][0], sentence)
    database.upsert("made", pd.DataFrame({"id": ["c"], "vec": [sentence]}), ["id"])
    (scanned,) = database.scan("made", ["vec"])
    assert np.array_equal(scanned.set_index("id")["vec"]["c"], sentence)


def test_cratedb_keeps_them_as_text_that_is_neither_indexed_nor_kept_column_wise() -> None:
    dialect = sa.create_engine("crate://").dialect
    kind = PackedVector()
    assert kind.compile(dialect) == "TEXT INDEX OFF STORAGE WITH (columnstore = false)"
    sent = kind.process_bind_param([0.5, 1.0], dialect)
    assert sent == base64.b64encode(b"\x01\x00\x38\x00\x3c").decode()
    assert str(kind.process_result_value(sent, dialect)) == "[0.5 1. ]"
    with pytest.raises(DatabaseError, match="a text of 3 characters is no packed vector; expected base64"):
        kind.process_result_value("ab!", dialect)
