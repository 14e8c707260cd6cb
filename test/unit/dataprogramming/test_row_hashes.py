"""Hashes of rows: another one for anything that a labelling function could tell apart, the same one everywhere."""

import subprocess
import sys
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adaptml.database import StoredRows
from adaptml.database.cell_forms import UnknownCellError
from dataprogramming.row_hashes import row_hashes


def rows(*cells: Any, table: str = "posts", column: str = "txt", first: int = 0) -> StoredRows:
    ids = [f"p{first + i}" for i in range(len(cells))]
    return StoredRows(table, ids, {column: cells}, {}, np.arange(len(cells)))


ALIKE = [None, "None", "", "nan", b"a", "a", 1, "1", True, "True", 1.0, "1.0", Decimal(1), float("nan"), [], "[]",
         ["a"], ["a", "b"], ["ab"], [["a"], "b"], ["a", None], ["a", "None"], "list:1:5:str:", {"a": 1}, {"a": "1"},
         date(2026, 1, 2), "2026-01-02", np.zeros(2, "f4"), np.zeros(2, "f8"), np.zeros((1, 2), "f4")]  # fmt: skip


def test_what_looks_alike_is_told_apart() -> None:
    """Each value alone in its column, so that its type is the column's, and all in one."""
    alone = [int(row_hashes(rows(value))[0]) for value in ALIKE]
    assert len(set(alone)) == len(ALIKE)
    together = row_hashes(StoredRows("t", ["p"] * len(ALIKE), {"txt": ALIKE}, {}, np.arange(len(ALIKE))))
    assert len(set(together.tolist())) == len(ALIKE)


def test_table_id_columns_and_their_order_count() -> None:
    one = row_hashes(rows("a"))
    assert row_hashes(rows("a"))[0] == one[0]
    assert row_hashes(rows("a", table="others"))[0] != one[0]
    assert row_hashes(rows("a", column="text"))[0] != one[0]
    assert row_hashes(rows("a", first=1))[0] != one[0]
    two = [
        StoredRows("t", ["p"], cells, {}, np.arange(1))
        for cells in ({"a": ["x"], "b": ["y"]}, {"a": ["y"], "b": ["x"]})
    ]
    assert row_hashes(two[0])[0] != row_hashes(two[1])[0]


@given(st.lists(st.one_of(st.none(), st.text()), min_size=1, max_size=6), st.data())
def test_a_row_has_its_hash_whatever_stands_beside_it(cells: list[str | None], data: st.DataObject) -> None:
    hashes = row_hashes(rows(*cells))
    place = data.draw(st.integers(0, len(cells) - 1))
    assert row_hashes(rows(cells[place], first=place))[0] == hashes[place]
    other = data.draw(st.one_of(st.none(), st.text()).filter(lambda cell: cell != cells[place]))
    assert row_hashes(rows(other, first=place))[0] != hashes[place]


def test_another_process_gives_the_same() -> None:
    code = (
        "import numpy as np; from adaptml.database import StoredRows; from dataprogramming.row_hashes import row_hashes;"
        "print(row_hashes(StoredRows('t', ['a'], {'x': [['b', 'c']], 'y': ['d']}, {}, np.arange(1)))[0])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    here = row_hashes(StoredRows("t", ["a"], {"x": [["b", "c"]], "y": ["d"]}, {}, np.arange(1)))[0]
    assert done.stdout.strip() == str(here)


def test_what_cannot_be_told_apart_is_said() -> None:
    with pytest.raises(UnknownCellError, match=r"a cell is builtins\.object"):
        row_hashes(rows(object()))
