"""Columns that no encoder made as features: by hand, as scikit-learn's, and through every step."""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from side_task import write
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from adaptml.database import Database, TextList, Vector
from adaptml.errors import FeatureError
from adaptml.features.catalogue import Reference
from adaptml.features.points import Points
from adaptml.project import Project
from adaptml.settings import Settings
from adaptml.tasks import Task
from modelling.algorithms import get_algorithm, takes_missing
from modelling.columns import Category, Columns, Number, Scaled, _learned_numbers, learn_columns
from modelling.compare import compare
from modelling.deploy import deploy
from modelling.predict import predict
from modelling.train import train

ALGORITHMS = ["hist_gradient_boosting", "knn", "linear_svm", "logistic_regression", "mlp"]
LIKES = [5.0, None, 1.0, 3.0, None, 7.0]
COUNTRY = ["CA", "US", "CA", None, "US", "CA"]
ROWS = {
    "likes": (sa.Float(), LIKES),
    "whole": (sa.Integer(), [1, 2, 3, 4, 5, 6]),
    "fixed": (sa.Numeric(10, 2), [Decimal("1.50"), None, Decimal("2.50"), None, None, Decimal("9.00")]),
    "country": (sa.Text(), COUNTRY),
    "txt": (sa.Text(), [f"text {i}" for i in range(6)]),
    "gone": (sa.Float(), [None] * 6),
    "same": (sa.Text(), ["always"] * 6),
    "sometimes": (sa.Text(), ["always", None] * 3),
    "vec": (Vector(), [np.full(2, i, np.float32) for i in range(6)]),
    "json": (sa.Text(), [f"[{i}, 1]" for i in range(6)]),
    "alike": (Vector(), [np.array([3, 0.1], np.float32)] * 6),
    "uneven": (sa.Text(), ["[1]", "[2]", "[3, 4]", "[4]", "[5]", "[6]"]),
    "words": (TextList(), [["some", "words"]] * 6),
}


@pytest.fixture
def points(database: Database) -> Points:
    database.create_table("posts", {"id": sa.Text()} | {name: kind for name, (kind, _) in ROWS.items()})
    columns = {name: pd.Series(values, dtype=object) for name, (_, values) in ROWS.items()}
    database.upsert("posts", pd.DataFrame({"id": list("abcdef")} | columns), ["id"])
    return Points(database, database)


def keys(ids: str = "abcdef") -> pd.DataFrame:
    return pd.DataFrame({"table_name": "posts", "id": list(ids)})


def named(*names: str) -> list[Reference]:
    return [Reference(name, 0) for name in names]


def learned(points: Points, *names: str, keeps_missing: bool = False) -> Columns:
    return learn_columns(points, keys(), named(*names), keeps_missing=keeps_missing)


def test_by_hand(points: Points) -> None:
    columns = learned(points, "vec", "likes", "country", "whole", "fixed", "json")
    # Known are 5, 1, 3 and 7: mean 4, deviation √5; 1 … 6: 3.5 and √(35/12); 1.5, 2.5 and 9: 13/3 and √(199/18).
    # Three columns share the length of one. Vectors (i, i) have the variance 2 · 35/12, those of (i, 1) 35/12.
    root = 3**0.5
    assert columns.learned == {
        "vec": Scaled(pytest.approx((35 / 6) ** 0.5)),  # type: ignore[arg-type]
        "json": Scaled(pytest.approx((35 / 12) ** 0.5)),  # type: ignore[arg-type]
        "likes": Number(4.0, 4.0, pytest.approx(5**0.5 * root), gaps=True),  # type: ignore[arg-type]
        "country": Category(("CA", "US")),
        "whole": Number(None, 3.5, pytest.approx((35 / 12) ** 0.5 * root), gaps=False),  # type: ignore[arg-type]
        "fixed": Number(
            2.5,
            pytest.approx(13 / 3),  # type: ignore[arg-type]
            pytest.approx((199 / 18) ** 0.5 * root),  # type: ignore[arg-type]
            gaps=True,
        ),
    }
    assert columns.notes == (
        "vectors that no encoder here made, scaled to a variance of 1: vec, json",
        "standardised by mean and deviation: likes, whole, fixed",
        "likes: 2 of 6 rows have no number; they count as the median, 4, and a second number says so",
        "country: text, taken as a category of 2 values (CA, US); any other value, and none, is none of them",
        "fixed: 3 of 6 rows have no number; they count as the median, 2.5, and a second number says so",
    )
    plain = Columns(
        {"likes": Number(4.0), "country": Category(("CA", "US")), "whole": Number(), "fixed": Number(2.5)}
    )
    matrix = plain.read(points, keys("bda"), named("vec", "likes", "country", "whole", "fixed", "json"))
    assert matrix.dtype == np.float32
    assert matrix.tolist() == [
        [1, 1, 4, 1, 0, 1, 2, 2.5, 1, 1, 1],
        [3, 3, 3, 0, 0, 0, 4, 2.5, 1, 3, 1],
        [0, 0, 5, 0, 1, 0, 1, 1.5, 0, 0, 1],
    ]
    found = columns.read(points, keys("bda"), named("likes", "whole"))
    lengths = np.array([5**0.5 * root, 1, (35 / 12) ** 0.5 * root])
    np.testing.assert_allclose(found * lengths, [[0, 1, -1.5], [-1, 0, 0.5], [1, 0, -2.5]], rtol=1e-6)


def test_algorithms_that_take_missing_numbers_get_them(points: Points) -> None:
    columns = learned(points, "likes", keeps_missing=True)
    assert columns.notes[1:] == ("likes: 2 of 6 rows have no number, which the algorithm takes as it is",)
    found = columns.read(points, keys("ab"), named("likes"))
    np.testing.assert_allclose(found, [[1 / 5**0.5], [np.nan]])


def test_vectors_from_elsewhere_have_a_variance_of_1(points: Points) -> None:
    """Each is divided by the same number, so that directions stay; alone and beside other columns."""
    for some in (["vec"], ["json"], ["vec", "likes", "json"]):
        columns = learned(points, *some)
        vectors = columns.read(points, keys(), named(*some))[:, :2]
        assert vectors.dtype == np.float32
        assert vectors.var(axis=0).sum() == pytest.approx(1)
        stood = Columns().read(points, keys(), named(some[0]))
        np.testing.assert_allclose(vectors, stood / np.sqrt(stood.var(axis=0).sum()), rtol=1e-6)
        rows = points.read(keys("cb"), named(*some))  # as a service reads
        np.testing.assert_array_equal(columns.matrix(rows, named(some[0])[0]), vectors[[2, 1]])


def test_columns_whose_vectors_have_no_scale_are_left_to_their_reading(points: Points) -> None:
    assert learned(points, "alike", "uneven", "words") == Columns()
    with pytest.raises(
        FeatureError, match=r"'uneven' differ in length: most have 1 numbers, 2 in 1 of 6 data"
    ):
        learned(points, "uneven").read(points, keys(), named("uneven"))


def test_vectors_that_an_encoder_made_stay_as_they_are(project: Project) -> None:
    rows = pd.DataFrame({"id": ["a", "b", "c"], "txt": ["a word", "two words", "no more"]})
    project.import_table(rows, "notes")
    made = {"text": "txt", "vector": "v", "encoder": "hashing"}
    task = Task.model_validate({"classes": ["a", "b"], "featurize": made, "features": ["v"]})
    project.featurize(task, "notes")
    features = project.points.exact(["notes"], ["v"])
    some = pd.DataFrame({"table_name": "notes", "id": rows["id"]})
    assert learn_columns(project.points, some, features, keeps_missing=False) == Columns()


def test_vectors_in_other_units_make_the_same_model(project: Project) -> None:
    rng = np.random.default_rng(0)
    vectors = rng.normal(0, 0.02, (80, 5))
    old = vectors[:, 0] + vectors[:, 1] > 0
    said = []
    for name, times in (("plain", 1.0), ("odd", 300.0)):
        project.database.create_table(name, {"id": sa.Text(), "v": Vector()})
        rows = {"id": [f"p{i}" for i in range(80)], "v": [*(vectors * times).astype(np.float32)]}
        project.database.upsert(name, pd.DataFrame(rows), ["id"])
        task = Task(classes=["young", "old"], features=["v"])
        keys = pd.DataFrame({"table_name": name, "id": rows["id"]})
        done = train(
            project, task, keys[:40].assign(label=[["old"] if one else ["young"] for one in old[:40]])
        )
        deploy(project, done.model_name, done.version)
        found = predict(project, task, keys[40:].reset_index(drop=True)).predictions
        said.append(np.array(found["label_probs"].tolist()))
    np.testing.assert_allclose(said[0], said[1], atol=1e-3)
    assert (said[0].argmax(axis=1) == old[40:]).mean() > 0.8


def test_a_number_that_never_changes_stays_small() -> None:
    """Also where the last digit of its mean is rounded; one value that is later another is no thousand."""
    for value in (0.1, 7.0, 1e9, 0.0):
        found, _ = _learned_numbers([value] * 7, 7, "n", keeps_missing=False)
        assert found == Number(None, pytest.approx(value), 1.0, gaps=False)  # type: ignore[arg-type]


def test_numbers_in_other_units_make_the_same_model(project: Project) -> None:
    """A price in cents and an age in centuries say what they say in euros and in years."""
    rng = np.random.default_rng(0)
    age, price = rng.normal(40, 12, 80), rng.normal(3000, 900, 80)
    old = age + price / 75 + rng.normal(0, 4, 80) > 80
    said = []
    for name, units in (("plain", (1.0, 1.0)), ("odd", (0.01, 100.0))):
        project.database.create_table(name, {"id": sa.Text(), "age": sa.Float(), "price": sa.Float()})
        rows = {"id": [f"p{i}" for i in range(80)], "age": age * units[0], "price": price * units[1]}
        project.database.upsert(name, pd.DataFrame(rows), ["id"])
        task = Task(classes=["young", "old"], features=["age", "price"])
        keys = pd.DataFrame({"table_name": name, "id": rows["id"]})
        labels = keys.assign(label=[["old"] if one else ["young"] for one in old])
        done = train(project, task, labels[:40])
        deploy(project, done.model_name, done.version)
        found = predict(project, task, keys[40:].reset_index(drop=True)).predictions
        said.append(np.array(found["label_probs"].tolist()))
    np.testing.assert_allclose(said[0], said[1], atol=1e-3)
    assert (said[0].argmax(axis=1) == old[40:]).mean() > 0.8


def test_what_was_not_there_in_training(points: Points) -> None:
    """A value nobody has seen is none of the categories; a gap in a column without gaps is refused."""
    seen = learn_columns(points, keys("acd"), named("country"), keeps_missing=False)  # d has none
    assert seen.read(points, keys("abd"), named("country")).tolist() == [[1], [0], [0]]
    without = learn_columns(points, keys("acdf"), named("likes"), keeps_missing=False)  # b and e have none
    for columns in (Columns(), without):
        with pytest.raises(
            FeatureError, match=r"^feature column 'likes' is empty for 1 of 2 data points \(posts/b\)"
        ):
            columns.read(points, keys("ab"), named("likes"))


@given(
    numbers=st.lists(st.none() | st.floats(-1e6, 1e6, width=32), min_size=1).filter(any),
    values=st.lists(st.sampled_from(["a", "b", "Ä", ""]), min_size=1),
    others=st.lists(st.sampled_from(["a", "zz", None]), min_size=1),
)
def test_numbers_are_scikit_learn_s(
    numbers: list[float | None], values: list[str], others: list[str | None]
) -> None:
    given_numbers = np.array([[np.nan if n is None else n] for n in numbers])
    imputer = SimpleImputer(strategy="median", add_indicator=True).fit(np.vstack([given_numbers, [[np.nan]]]))
    frame = pd.DataFrame({"table_name": "t", "id": "x", "n": pd.Series(numbers, dtype=object)})
    ours = Number(float(imputer.statistics_[0])).matrix(frame, "n")
    np.testing.assert_allclose(ours, imputer.transform(given_numbers), rtol=1e-6, atol=1e-30)
    known = [number for number in numbers if number is not None]
    scaler = StandardScaler().fit(np.array(known)[:, None])
    found, _ = _learned_numbers(known, len(known), "n", keeps_missing=False)
    assert [found.mean, found.scale] == pytest.approx([*scaler.mean_, *scaler.scale_])
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    encoder.fit(np.array(values, dtype=object)[:, None])
    frame = pd.DataFrame({"table_name": "t", "id": "x", "c": pd.Series(others, dtype=object)})
    ours = Category(tuple(sorted(set(values)))).matrix(frame, "c")
    np.testing.assert_array_equal(ours, encoder.transform(np.array(others, dtype=object)[:, None]))


def test_what_is_kept_with_a_model_comes_back() -> None:
    columns = Columns(
        {"a": Number(1.5, 2.0, 3.0), "b": Number(gaps=False), "c": Category(("x", "y")), "d": Scaled(2.5)},
        ("note",),
    )
    text = json.dumps(columns.to_json())
    assert Columns.from_json(json.loads(text)).learned == columns.learned
    assert json.loads(text) == {
        "a": {"median": 1.5, "mean": 2.0, "scale": 3.0, "gaps": True},
        "b": {"median": None, "mean": 0.0, "scale": 1.0, "gaps": False},
        "c": {"categories": ["x", "y"]},
        "d": {"scale": 2.5},
    }


def test_a_model_of_before_reads_numbers_as_it_did() -> None:
    found = Columns.from_json({"a": {"median": 1.5}, "b": {"median": None}}).learned
    assert found == {"a": Number(1.5), "b": Number(None)}
    frame = pd.DataFrame({"table_name": "t", "id": ["x", "y"], "a": pd.Series([4.0, None], dtype=object)})
    assert found["a"].matrix(frame, "a").tolist() == [[4, 0], [1.5, 1]]


@pytest.mark.parametrize(
    "said", [{"mean": float("inf")}, {"scale": 0}, {"scale": -1}, {"scale": float("nan")}]
)
def test_numbers_that_standardise_nothing_are_refused(said: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="expected"):
        Columns.from_json({"a": {"median": None} | said})


@pytest.mark.parametrize("scale", [0, -1, "nan", "inf", "long"])
def test_scales_that_no_vector_has_are_refused(scale: object) -> None:
    with pytest.raises(ValueError, match=r"expected a finite number above 0|could not convert"):
        Columns.from_json({"v": {"scale": scale}})


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ("same", r"^feature column 'same' holds the same text in all 6 rows to learn from, which says nothing: name"),
        ("gone", r"^feature column 'gone' is empty in all 6 rows to learn from; fill it in, or leave it out$"),
        ("txt", r"^feature column 'txt' holds text with 6 values in 6 rows; as a category it may have 100, in 2 rows "
                r"each on average: make vectors of it with `adaptml featurize` and name these, or leave it out$"),
    ],
)  # fmt: skip
def test_columns_that_say_nothing_or_too_much_are_refused(points: Points, column: str, message: str) -> None:
    with pytest.raises(FeatureError, match=message):
        learned(points, column)


def test_more_than_a_hundred_categories_are_text(project: Project) -> None:
    database = project.database
    database.create_table("posts", {"id": sa.Text(), "place": sa.Text()})
    rows = pd.DataFrame(
        {"id": [f"p{i}" for i in range(400)], "place": [f"place {i % 101}" for i in range(400)]}
    )
    database.upsert("posts", rows, ["id"])
    points = Points(database, database)
    all_keys = pd.DataFrame({"table_name": "posts", "id": rows["id"]})
    with pytest.raises(FeatureError, match=r"holds text with 101 values in 400 rows"):
        learn_columns(points, all_keys, named("place"), keeps_missing=False)
    fewer = all_keys[rows["place"] != "place 0"].reset_index(drop=True)
    found = learn_columns(points, fewer, named("place"), keeps_missing=False).learned["place"]
    assert isinstance(found, Category)
    assert len(found.categories) == 100


def test_a_text_that_some_rows_lack_says_something(points: Points) -> None:
    found = learned(points, "sometimes").read(points, keys("abc"), named("sometimes"))
    assert found.tolist() == [[1], [0], [1]]


def test_another_type_than_in_training_is_named(points: Points) -> None:
    with pytest.raises(
        FeatureError, match=r"^feature column 'txt' holds str for 2 of 2 data points .*; expected num"
    ):
        Columns({"txt": Number(1.0)}).read(points, keys("ab"), named("txt"))
    with pytest.raises(
        FeatureError, match=r"^feature column 'whole' holds int for 1 of 1 data points .*; expected te"
    ):
        Columns({"whole": Category(("a",))}).read(points, keys("a"), named("whole"))


def test_infinite_numbers_are_named(project: Project) -> None:
    frame = pd.DataFrame({"table_name": "t", "id": ["a", "b"], "n": pd.Series([1.0, np.inf], dtype=object)})
    with pytest.raises(
        FeatureError, match=r"'n' has values that are not finite in 1 of 2 data points \(t/b\)"
    ):
        Number(1.0).matrix(frame, "n")


def test_which_algorithms_take_missing_numbers() -> None:
    assert [name for name in ALGORITHMS if takes_missing(get_algorithm(name))] == ["hist_gradient_boosting"]
    assert takes_missing(RandomForestClassifier())
    assert not takes_missing(object())


@pytest.fixture
def gaps(tracking: Settings, project: Project, task: Task) -> Iterator[Task]:
    """The points of `task` with a number that is missing for every third, and a category; both say the side."""
    n = 60
    rows = {
        "id": [f"t{i}" for i in range(n)],
        "likes": pd.Series([None if i % 3 == 0 else 10.0 * (i % 2) for i in range(n)], dtype=object),
        "country": ["US" if i % 2 else "CA" for i in range(n)],
    }
    project.database.add_columns("points", {"likes": sa.Float(), "country": sa.Text()})
    project.database.upsert("points", pd.DataFrame(rows), ["id"])
    return task


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("strategy", ["gold", "weak", "union", "stacked", "relabelled"])
def test_every_algorithm_learns_from_gaps_and_categories(
    project: Project, gaps: Task, tmp_path: Path, algorithm: str, strategy: str
) -> None:
    data = write(tmp_path / "train.parquet", list(range(40)))
    gold = write(tmp_path / "gold.parquet", list(range(20)), gold_label=lambda i: [["left", "right"][i % 2]])
    quick: dict[str, Any] = {"hist_gradient_boosting": {"min_samples_leaf": 2, "max_iter": 10}}
    done = train(project, gaps, data, gold=gold, algorithm=algorithm, strategy=strategy,
                 features=["likes", "country"], params=quick.get(algorithm))  # fmt: skip
    assert done.metrics["gold_accuracy"] >= 0.8
    assert dict(done.lines)["column"].startswith("country: ")


def test_a_model_keeps_what_it_learned(project: Project, gaps: Task, tmp_path: Path, caplog: Any) -> None:
    data = write(tmp_path / "train.parquet", list(range(40)))
    with caplog.at_level("INFO"):
        done = train(project, gaps, data, features=["likes", "country", "vec"])
    assert any("country: text, taken as a category of 2 values (CA, US)" in text for text in caplog.messages)
    names = json.loads(project.runs.artifact(done.run_id, "names.json", tmp_path).read_text())
    vectors = project.points.read(
        pd.DataFrame({"table_name": "points", "id": [f"t{i}" for i in range(40)]}), ["vec"]
    )
    scale = np.stack(vectors["vec"]).var(axis=0).sum() ** 0.5
    # Of 0 … 39, thirteen odd and thirteen even ones have a number: 10 or 0.
    assert names["columns"] == {
        "likes": {"median": 5.0, "mean": 5.0, "scale": 5.0, "gaps": True},
        "country": {"categories": ["CA", "US"]},
        "vec": {"scale": pytest.approx(scale)},
    }
    assert names["dimensions"] == 2 + 2 + 3
    deploy(project, done.model_name)
    found = predict(project, gaps, "points").predictions
    assert [list(label) for label in found["label"]] == [[["left", "right"][i % 2]] for i in _numbers(found)]


def _numbers(frame: pd.DataFrame) -> list[int]:
    return [int(name[1:]) for name in frame["id"]]


def test_strategies_are_compared_on_them_too(project: Project, gaps: Task, tmp_path: Path) -> None:
    data = write(tmp_path / "train.parquet", list(range(40)))
    gold = write(tmp_path / "gold.parquet", list(range(20)), gold_label=lambda i: [["left", "right"][i % 2]])
    for algorithm in ("logistic_regression", "hist_gradient_boosting"):
        found = compare(project, gaps, data, gold, algorithm=algorithm, features=["likes", "country"],
                        params={"min_samples_leaf": 2} if algorithm == "hist_gradient_boosting" else None)  # fmt: skip
        trained = found.frame[found.frame["strategy"] != "constant"]
        assert trained[found.measure].tolist() == [1.0] * 6
