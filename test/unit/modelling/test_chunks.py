"""Many data points are read and predicted a chunk at a time; the answer is that of one go."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from served import CAT, CLOSE, animals

from adaptml.database import Database
from adaptml.errors import MissingDataPointsError
from adaptml.features.catalogue import COLUMN, Reference
from adaptml.features.points import Points
from adaptml.tasks import MULTICLASS
from modelling import keyed
from modelling.keyed import KeyedModel


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[KeyedModel]:
    """A model that reads two points at a time."""
    monkeypatch.setattr(keyed, "CHUNK_ROWS", 2)
    database = Database(f"sqlite:///{tmp_path / 'data.db'}")
    database.create_table("animals", {"id": sa.Text(), "x": sa.Float()})
    log_odds = [np.log(p) - np.log1p(-p) for p in CAT.values()]
    database.upsert("animals", pd.DataFrame({"id": [*CAT], "x": log_odds}), ["id"])
    points = Points(database, database)
    yield KeyedModel(animals(), MULTICLASS, ("cat", "dog"), (Reference("x", COLUMN),), 1, points)
    database.close()


def asked(ids: list[str]) -> pd.DataFrame:
    return pd.DataFrame({"table_name": "animals", "id": ids}, dtype=object)


@given(ids=st.lists(st.sampled_from([*CAT, "gone", "nowhere"]), min_size=1, max_size=7))
def check(model: KeyedModel, ids: list[str]) -> None:
    missing = [("animals", key) for key in dict.fromkeys(ids) if key not in CAT]
    if missing:
        with pytest.raises(MissingDataPointsError, match=f"{len(missing)} of {len(ids)} data points") as told:
            model.predict(asked(ids))
        assert told.value.missing == missing
        return
    answer = model.predict(asked(ids))
    assert answer["id"].tolist() == ids
    assert answer["prob_cat"].tolist() == pytest.approx([CAT[key] for key in ids], abs=CLOSE)
    assert answer["dog"].tolist() == [int(CAT[key] < 0.5) for key in ids]


def test_answers_have_the_order_of_the_keys_and_all_that_are_missing_are_told(model: KeyedModel) -> None:
    check(model)


@pytest.mark.parametrize(("dimensions", "rows"), [(1, 2), (2, 2), (5, 1), (50, 1)])
def test_wide_features_are_read_fewer_at_a_time(
    model: KeyedModel, monkeypatch: pytest.MonkeyPatch, dimensions: int, rows: int
) -> None:
    monkeypatch.setattr(keyed, "CHUNK_NUMBERS", 5)
    read: list[int] = []

    def probabilities(self: KeyedModel, tables: list[str], ids: list[str]) -> object:
        read.append(len(ids))
        return np.full((len(ids), 2), 0.5), None

    monkeypatch.setattr(KeyedModel, "_probabilities", probabilities)
    wide = KeyedModel(
        model.classifier, model.problem, model.class_names, model.features, dimensions, model.points
    )
    wide.predict(asked(["a", "b", "c", "d"]))
    assert read == [rows] * (4 // rows)
