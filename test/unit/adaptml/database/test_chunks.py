"""A statement is bounded in rows and in bytes, and every row is read or written once, in order."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from adaptml.database import Database, Vector, chunks
from adaptml.database.chunks import ChunkSize, TooMuchAtOnceError, read_by_ids, write_frame

TOO_MUCH = TooMuchAtOnceError("too much")


@given(st.lists(st.integers(0, 40), max_size=60), st.integers(1, 20), st.integers(1, 20))
def test_every_row_is_read_once_in_order_whatever_the_server_takes(
    lengths: list[int], most: int, memory_rows: int
) -> None:
    texts = ["x" * length for length in lengths]
    sent: list[int] = []

    def ask(places: Sequence[int]) -> list[tuple[int, str] | None]:
        sent.append(len(places))
        if len(places) > memory_rows:
            raise TOO_MUCH
        return [(place, texts[place]) if place % 5 else None for place in places]

    read = [
        (start + i, row)
        for start, rows in read_by_ids(range(len(texts)), most, ask)
        for i, row in enumerate(rows)
    ]
    assert read == [(i, (i, text) if i % 5 else None) for i, text in enumerate(texts)]
    assert max(sent, default=0) <= most
    refused = [n for n in sent if n > memory_rows]
    assert refused == sorted(refused, reverse=True)  # what was too much once is not tried again
    assert len(set(refused)) == len(refused)


@given(st.lists(st.integers(0, 40), max_size=60), st.integers(1, 20), st.integers(1, 20))
def test_every_row_is_written_once_in_order_within_both_bounds(
    lengths: list[int], most: int, memory_rows: int
) -> None:
    frame = pd.DataFrame(
        {"n": range(len(lengths)), "txt": pd.Series(["x" * n for n in lengths], dtype=object)}
    )
    written: list[int] = []

    def write(rows: pd.DataFrame) -> None:
        if len(rows) > memory_rows:
            raise TOO_MUCH
        assert len(rows) <= most
        assert len(rows) == 1 or sum(rows["txt"].str.len() + chunks.NUMBER_BYTES) <= 64
        written.extend(rows["n"])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chunks, "MAX_BYTES", 64)
        write_frame(frame, most, write)
    assert written == list(range(len(lengths)))


def test_a_row_that_is_too_much_alone_ends_it() -> None:
    def ask(_: Sequence[Any]) -> list[Any]:
        raise TOO_MUCH

    with pytest.raises(TooMuchAtOnceError):
        list(read_by_ids(["a", "b"], 10, ask))


def test_the_size_follows_the_rows() -> None:
    size = ChunkSize(20_000)
    assert size.rows == 256
    size.read([("a" * 10, np.zeros(4864, dtype=np.float32))] * 256)
    assert size.rows == 215  # 4 MiB in rows of 19,466 bytes
    size.read([("a" * 10, None)] * 215)
    assert size.rows == 8 * 215  # and not at once all that would fit
    size.refused(100, TOO_MUCH)
    size.read([("a",)] * 50)
    assert size.rows == 50


def test_long_vectors_are_read_in_few_at_a_time_and_short_rows_in_many(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "READ_BYTES", 100_000)
    monkeypatch.setattr(chunks, "FIRST_ROWS", 8)
    database.create_table("posts", {"id": sa.Text(), "vec": Vector()})
    ids = [f"p{i:03d}" for i in range(200)]
    vectors = pd.Series([np.full(1000, i, dtype=np.float32) for i in range(200)], dtype=object)
    database.upsert("posts", pd.DataFrame({"id": ids, "vec": vectors}), ["id"])
    sizes: list[int] = []
    monkeypatch.setattr(
        ChunkSize,
        "read",
        lambda self, rows, known=ChunkSize.read: (sizes.append(len(rows)), known(self, rows)),
    )
    asked = pd.DataFrame({"table_name": "posts", "id": ids})
    read = database.read(asked, ["vec"])["vec"]
    assert [vector[0] for vector in read] == list(range(200))
    scanned = pd.concat(list(database.scan("posts", ["vec"])))
    assert [vector[0] for vector in scanned["vec"]] == list(range(200))
    # 100,000 bytes in rows of 4,004; nothing is learned from the last chunk of those that are asked for by id
    assert sizes == [8, *([24] * 7), 8, *([24] * 8)]
