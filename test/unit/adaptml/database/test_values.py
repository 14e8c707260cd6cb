"""Vectors that are not finite are refused before anything is written, on every database."""

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa

from adaptml.database import Database, PackedVector, Vector
from adaptml.errors import DatabaseError

ODD = {"a": [1.0, 2.0], "b": [np.nan, 1.0], "c": None, "d": [np.inf, 1.0], "e": float("nan"), "f": [-np.inf]}


@pytest.mark.parametrize("kind", [Vector(), PackedVector()], ids=["vector", "packed"])
def test_nan_and_infinity_are_refused_by_column_and_id(
    database: Database, kind: Vector | PackedVector
) -> None:
    database.create_table("posts", {"id": sa.Text(), "txt": sa.Text(), "vec": kind})
    database.upsert("posts", pd.DataFrame({"id": list(ODD), "txt": "old"}), ["id"])
    frame = pd.DataFrame({"id": list(ODD), "txt": "new", "vec": pd.Series(ODD.values(), dtype=object)})
    with pytest.raises(DatabaseError) as caught:
        database.upsert("posts", frame, ["id"])
    assert str(caught.value) == (
        "column 'vec' of table 'posts': 3 of 6 values (b, d, f) hold NaN or infinity; "
        "expected finite numbers: replace them"
    )
    keys = database.keys("posts")
    assert set(database.read(keys, ["txt"])["txt"]) == {"old"}
    good = frame[frame["id"].isin(["a", "c", "e"])]
    database.upsert("posts", good, ["id"])
    read = database.read(keys, ["vec"])["vec"]
    assert read[0].tolist() == [1.0, 2.0]
    assert read[1:].isna().all()


def test_cratedb_alone_loses_infinite_numbers(crate: Database, tmp_path: object) -> None:
    with Database(f"sqlite:///{tmp_path}/data.db") as sqlite:
        sqlite.create_table("posts", {"id": sa.Text(), "x": sa.Float()})
        sqlite.upsert("posts", pd.DataFrame({"id": ["a"], "x": [np.inf]}), ["id"])
        assert sqlite.read(sqlite.keys("posts"), ["x"])["x"].tolist() == [np.inf]
    with pytest.raises(
        DatabaseError, match=r"column 'x' .* \(b\) hold infinity, which CrateDB does not keep"
    ):
        crate.upsert("posts", pd.DataFrame({"id": ["a", "b", "c"], "x": [1.0, -np.inf, np.nan]}), ["id"])
