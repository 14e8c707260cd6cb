"""What the service answers of fixed models and points, as bytes: what its callers have read until now."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
import sqlalchemy as sa
from answer_bytes import answered, compare
from sklearn.linear_model import LogisticRegression

from adaptml.database import Database, Vector
from adaptml.features.catalogue import COLUMN, Reference
from adaptml.features.points import Points
from adaptml.tasks import MULTICLASS, MULTILABEL
from modelling.algorithms import EndModel
from modelling.champion import Champion
from modelling.columns import Category, Columns, Number, Scaled
from modelling.keyed import KeyedModel

VECTORS = {"a": [1, -2, 0.5], "b": [0, 0, 0], "c": [-3, 4, 1e-3], "é": [30, -30, 0]}
ASKED = ["c", "a", "é", "b", "a"]


def classifier(weights: list[list[float]]) -> LogisticRegression:
    made = LogisticRegression()
    made.coef_, made.intercept_ = np.array(weights, np.float64), np.zeros(len(weights))
    made.classes_, made.n_features_in_ = np.arange(max(2, len(weights))), len(weights[0])
    return made


@pytest.fixture
def points(tmp_path: Path) -> Points:
    database = Database(f"sqlite:///{tmp_path / 'data.db'}")
    types = {"id": sa.Text(), "vec": Vector(), "n": sa.Double(), "kind": sa.Text()}
    database.create_table("things", types)
    frame = pd.DataFrame({"id": [*VECTORS], "vec": [np.array(v, np.float32) for v in VECTORS.values()]})
    frame["n"] = [1.5, None, -2.0, 0.0]
    frame["kind"] = ["old", "new", None, "other"]
    database.upsert("things", frame, ["id"])
    return Points(database, database)


def champion_of(points: Points, model: EndModel, names: str, columns: Columns, features: str) -> Champion:
    references = tuple(Reference(name, COLUMN) for name in features.split())
    dimensions = model.parts_[0].n_features_in_
    keyed = KeyedModel(model, model.problem, tuple(names.split()), references, dimensions, points, columns)
    return Champion("m", "1", None, keyed.class_names, {}, keyed)


def test_one_class_of_three(points: Points) -> None:
    model = EndModel("logistic_regression", MULTICLASS)
    model.k_, model.parts_ = 3, (classifier([[1, 0, 0], [0, 1, 0], [0, 0, 2]]),)
    champion = champion_of(points, model, "bird cat dög", Columns(), "vec")
    a, flat = [0.4878555511603684, 0.024288897679263205, 0.4878555511603684], [1 / 3] * 3
    c, e = [0.0008946473108581089, 0.981099906185855, 0.01800544650328694], [1.0, 0.0, 0.0]
    compare(
        answered(champion, "things", ASKED),
        '{"table_name":["things","things","things","things","things"],"id":["c","a","é","b","a"],'
        '"bird":[0,1,1,1,1],"cat":[1,0,0,0,0],"dög":[0,0,0,0,0],'
        '"prob_bird":[],"prob_cat":[],"prob_dög":[]}',
        np.array([c, a, e, flat, a]).T.tolist(),
    )
    matrix = np.array([VECTORS[key] for key in ASKED], np.float32)
    answer = champion.predict(["things"] * 5, ASKED)
    assert [answer[f"prob_{n}"] for n in champion.classes] == model.predict_proba(matrix).T.tolist()


ASKED_VECTORS = np.array([VECTORS[key] for key in ASKED], np.float32)
NUMBERS = [[-2.0, 0], [1.5, 0], [0, 0], [0.5, 1], [1.5, 0]]  # the second says which is missing


@pytest.mark.parametrize(
    ("features", "beside"), [("vec", np.empty((5, 0))), ("vec same", ASKED_VECTORS), ("vec n", NUMBERS)]
)
def test_vectors_that_are_scaled(points: Points, features: str, beside: npt.ArrayLike) -> None:
    """Alone, beside others as they stand, and beside a column: as the classifier says of them divided."""
    points.database.add_columns("things", {"same": Vector()})
    same = pd.DataFrame({"id": ASKED, "same": list(ASKED_VECTORS)}).drop_duplicates("id")
    points.database.upsert("things", same, ["id"])
    matrix = np.hstack([ASKED_VECTORS / np.float32(3), beside]).astype(np.float32)
    model = EndModel("logistic_regression", MULTICLASS)
    model.k_, model.parts_ = 2, (classifier([[1.0, -2.0, 0.5, 1.0, 3.0, -1.0][: matrix.shape[1]]]),)
    columns = Columns({"vec": Scaled(3.0), "n": Number(0.5)})
    said = champion_of(points, model, "x y", columns, features).predict(["things"] * 5, ASKED)
    assert [said[f"prob_{name}"] for name in "xy"] == model.predict_proba(matrix).T.tolist()


def test_any_classes_of_columns_with_gaps_and_categories(points: Points) -> None:
    model = EndModel("logistic_regression", MULTILABEL)
    model.k_, model.parts_ = 2, (classifier([[1, -1, 2, -2]]), 0.75)
    columns = Columns({"n": Number(0.5), "kind": Category(("new", "old"))})
    compare(
        answered(champion_of(points, model, "x y", columns, "n kind"), "things", ASKED),
        '{"table_name":["things","things","things","things","things"],"id":["c","a","é","b","a"],'
        '"x":[0,0,0,1,0],"y":[1,1,1,1,1],"prob_x":[],"prob_y":[]}',
        # 1 / (1 + e^-z) of z = n - missing + 2 new - 2 old
        [[0.11920292202211755, 0.3775406687981454, 0.5, 0.8175744761936437, 0.3775406687981454], [0.75] * 5],
    )
