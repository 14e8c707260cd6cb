"""The vectors of a few points are those that are read of any points; whatever is wrong is left to these."""

import sqlite3
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa

from adaptml.database import Database, Vector
from adaptml.errors import FeatureError
from adaptml.features.catalogue import COLUMN, Reference
from adaptml.features.few_vectors import few_vectors
from adaptml.features.points import Points
from adaptml.features.reading import read_features

CELLS = {"a": [1, 2], "b": [3, 4], "nan": [1, 5], "long": [1, 2, 3], "none": None}
VEC, WIDE = Reference("vec", COLUMN), Reference("wide", COLUMN)


@pytest.fixture
def points(tmp_path: Path) -> Points:
    database = Database(f"sqlite:///{tmp_path / 'data.db'}")
    cells = [None if cell is None else np.array(cell, np.float32) for cell in CELLS.values()]
    frame = pd.DataFrame({"id": [*CELLS], "vec": pd.Series(cells, dtype=object), "n": 0.5})
    frame["wide"] = [np.arange(3, dtype=np.float32)] * len(CELLS)
    for table in ("things", "others"):
        database.create_table(table, {"id": sa.Text(), "vec": Vector(), "n": sa.Double(), "wide": Vector()})
        database.upsert(table, frame, ["id"])
    not_finite = np.array([1, np.nan], np.float32).tobytes()
    with sqlite3.connect(tmp_path / "data.db") as connection:
        connection.execute("UPDATE things SET vec = ? WHERE id = 'nan'", [not_finite])
    connection.close()
    return Points(database, database)


def test_they_are_those_of_read_features(points: Points) -> None:
    for ids in (["a"], ["b", "a"]):
        for columns in ([VEC], [WIDE, VEC]):
            few = few_vectors(points, ["things"] * len(ids), ids, columns)
            keys = pd.DataFrame({"table_name": "things", "id": ids})
            assert few is not None
            assert (few.dtype, few.flags.writeable) == (np.float32, True)
            np.testing.assert_array_equal(few, read_features(points, keys, columns))


@pytest.mark.parametrize("ids", [["nan"], ["none"], ["a", "long"], ["a", "not there"]])
def test_points_that_have_no_sound_vectors_are_left_to_others(points: Points, ids: list[str]) -> None:
    assert few_vectors(points, ["things"] * len(ids), ids, [VEC]) is None


def test_what_is_no_vector_and_several_tables_are_left_to_others(points: Points) -> None:
    assert few_vectors(points, ["things"], ["a"], [Reference("n", COLUMN)]) is None
    assert few_vectors(points, ["things", "others"], ["a", "b"], [VEC]) is None


def test_a_version_that_is_not_there_is_said(points: Points) -> None:
    with pytest.raises(FeatureError, match="has no feature vec@3"):
        few_vectors(points, ["things"], ["a"], [Reference("vec", 3)])
