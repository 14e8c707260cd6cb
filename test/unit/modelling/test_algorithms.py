"""End models of every algorithm: probabilities in class order, soft labels, one file without pickles."""

import logging
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skops.io
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from tolerances import FLOAT32_ATOL

from adaptml.errors import ModelError
from adaptml.tasks import MULTICLASS, MULTILABEL, PROBLEM_TYPES, ProblemType
from modelling.algorithms import EndModel, algorithms, fit, get_algorithm, load_end_model, save_end_model
from modelling.algorithms.core import Floats, Matrix, with_opinion

NAMES = ["hist_gradient_boosting", "knn", "linear_svm", "logistic_regression", "mlp"]
WEIGHING = [name for name in NAMES if name != "knn"]
SMALL: dict[str, dict[str, Any]] = {
    "hist_gradient_boosting": {"max_iter": 10, "min_samples_leaf": 2},
    "knn": {"n_neighbors": 3},
    "mlp": {"hidden_layer_sizes": (8,), "max_iter": 150, "learning_rate_init": 0.05},
}
# Three clusters on the axes, ten points each; class 1 of four never occurs.
CLASSES = np.repeat([0, 2, 3], 10)
X3: Matrix = (
    3 * np.eye(3)[np.repeat([0, 1, 2], 10)] + np.random.default_rng(0).normal(0, 0.3, (30, 3))
).astype(np.float32)
ONE_OF_FOUR = np.eye(4, dtype=np.int8)[CLASSES]
# Multilabel: class 0 if the first axis is high, class 1 if the second is not, class 2 always, class 3 never.
MANY = np.column_stack([CLASSES == 0, CLASSES != 2, np.ones(30), np.zeros(30)]).astype(np.int8)


def trained(name: str, problem: ProblemType, targets: Any, **options: Any) -> EndModel:
    algorithm = get_algorithm(name)
    params = algorithm.parse(SMALL.get(name, {}))
    return fit(algorithm, problem, X3, targets, params=params, seed=1, **options)


def assert_same(probs: Floats, expected: Floats) -> None:
    np.testing.assert_allclose(probs, expected, rtol=0, atol=FLOAT32_ATOL)


def test_every_module_that_declares_an_algorithm_is_found() -> None:
    assert list(algorithms()) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_is_described(name: str) -> None:
    assert all(field.description for field in get_algorithm(name).params.model_fields.values())


def test_mlp_has_all_parameters_of_scikit_learn_with_its_defaults() -> None:
    from sklearn.neural_network import MLPClassifier

    theirs = MLPClassifier().get_params()
    assert get_algorithm("mlp").params().model_dump() == theirs | {"hidden_layer_sizes": (100,)}


@pytest.mark.parametrize("name", NAMES)
def test_multiclass_probabilities_stand_in_class_order(name: str) -> None:
    probs = trained(name, MULTICLASS, ONE_OF_FOUR).predict_proba(X3)
    assert probs.dtype == np.float64
    np.testing.assert_array_equal(probs.argmax(axis=1), CLASSES)
    np.testing.assert_array_equal(probs[:, 1], 0)
    np.testing.assert_allclose(probs.sum(axis=1), 1)


@pytest.mark.parametrize("name", NAMES)
def test_multilabel_probabilities_also_where_a_class_is_constant(name: str) -> None:
    probs = trained(name, MULTILABEL, MANY).predict_proba(X3)
    np.testing.assert_array_equal((probs >= 0.5).astype(np.int8), MANY)
    assert probs.min() >= 0
    assert probs.max() <= 1


@pytest.mark.parametrize("problem", list(PROBLEM_TYPES.values()))
@pytest.mark.parametrize("name", WEIGHING)
def test_soft_labels_that_are_nearly_sure_teach_what_hard_ones_do(name: str, problem: ProblemType) -> None:
    hard = ONE_OF_FOUR if problem is MULTICLASS else MANY
    soft = 0.9 * hard + 0.05 if problem is MULTILABEL else 0.9 * hard + 0.025
    probs = trained(name, problem, soft).predict_proba(X3)
    if problem is MULTICLASS:
        np.testing.assert_array_equal(probs.argmax(axis=1), CLASSES)
    else:
        np.testing.assert_array_equal((probs >= 0.5).astype(np.int8), MANY)


def test_soft_labels_are_the_share_of_each_class() -> None:
    """On one repeated point, logistic regression must say what the labels say on average."""
    same = np.ones((40, 2), np.float32)
    soft = np.tile([0.7, 0.2, 0.1], (40, 1))
    model = fit(get_algorithm("logistic_regression"), MULTICLASS, same, soft)
    np.testing.assert_allclose(model.predict_proba(same[:1]), [[0.7, 0.2, 0.1]], atol=1e-3)


def test_weights_say_how_much_a_row_counts() -> None:
    same, hard = np.ones((4, 1), np.float32), np.eye(2, dtype=np.int8)[[0, 0, 0, 1]]
    model = fit(
        get_algorithm("logistic_regression"),
        MULTICLASS,
        same,
        hard,
        weights=np.array([1.0, 1.0, 1.0, 9.0]),
    )
    np.testing.assert_allclose(model.predict_proba(same[:1]), [[0.25, 0.75]], atol=1e-3)


def test_a_sparse_copy_teaches_the_same() -> None:
    wide = np.hstack([X3, np.zeros((30, 40))]).astype(np.float32)
    algorithm = get_algorithm("logistic_regression")
    narrow = fit(algorithm, MULTICLASS, X3, ONE_OF_FOUR).predict_proba(X3)
    np.testing.assert_allclose(
        fit(algorithm, MULTICLASS, wide, ONE_OF_FOUR).predict_proba(wide), narrow, atol=1e-3
    )


@pytest.mark.parametrize("problem", list(PROBLEM_TYPES.values()))
@pytest.mark.parametrize("name", NAMES)
def test_a_saved_model_says_the_same(name: str, problem: ProblemType, tmp_path: Path) -> None:
    targets = ONE_OF_FOUR if problem is MULTICLASS else MANY
    model = trained(name, problem, targets)
    save_end_model(model, tmp_path / "model.skops")
    loaded = load_end_model(tmp_path / "model.skops")
    assert (loaded.algorithm, loaded.problem, loaded.k) == (name, problem, 4)
    assert_same(loaded.predict_proba(X3), model.predict_proba(X3))
    again = trained(name, problem, targets)
    assert_same(again.predict_proba(X3), model.predict_proba(X3))


@pytest.mark.parametrize("name", NAMES)
def test_a_model_of_vectors_that_are_mostly_zeros_can_be_saved(name: str, tmp_path: Path) -> None:
    wide = np.hstack([X3, np.zeros((30, 40))]).astype(np.float32)
    model = fit(get_algorithm(name), MULTICLASS, wide, ONE_OF_FOUR)
    save_end_model(model, tmp_path / "model.skops")
    loaded = load_end_model(tmp_path / "model.skops")
    assert_same(loaded.predict_proba(wide), model.predict_proba(wide))


def test_a_stacked_model_is_saved_with_the_one_it_listens_to(tmp_path: Path) -> None:
    first = trained("mlp", MULTICLASS, ONE_OF_FOUR)
    X = with_opinion(X3, first, 0.5)
    assert X.shape == (30, 3 + 4)
    np.testing.assert_allclose(X[:, 3:], 0.5 * np.log(np.clip(first.predict_proba(X3), 1e-3, 1 - 1e-3)), 1e-5)
    last = fit(get_algorithm("logistic_regression"), MULTICLASS, X, ONE_OF_FOUR)
    model = replace(last, first=first, scale=0.5)
    assert_same(model.predict_proba(X3), last.predict_proba(X))
    save_end_model(model, tmp_path / "model.skops")
    loaded = load_end_model(tmp_path / "model.skops")
    assert_same(loaded.predict_proba(X3), model.predict_proba(X3))


def test_logistic_regression_is_held_back_more_the_more_rows_there_are() -> None:
    algorithm = get_algorithm("logistic_regression")
    free = fit(algorithm, MULTICLASS, X3, ONE_OF_FOUR)
    assert pytest.approx(6000 / 30) == free.parts[0].C
    soft = fit(algorithm, MULTICLASS, X3, np.tile([0.5, 0.5], (30, 1)), weights=np.full(30, 3.0))
    assert pytest.approx(6000 / 90) == soft.parts[0].C
    given = fit(algorithm, MULTICLASS, X3, ONE_OF_FOUR, params=algorithm.parse({"C": "0.1"}))
    assert given.parts[0].C == 0.1


def test_a_file_with_types_of_its_own_is_not_loaded(tmp_path: Path) -> None:
    path = tmp_path / "model.skops"
    skops.io.dump({"format": 1, "parts": [logging.Filter()]}, path)
    with pytest.raises(ModelError) as error:
        load_end_model(path)
    assert str(error.value) == (
        f"{path} holds types that no end model of ours holds: logging.Filter; it is not loaded"
    )


@pytest.mark.parametrize("content", ["absent", "text", "zip", "other"])
def test_a_file_that_is_no_end_model_is_refused(content: str, tmp_path: Path) -> None:
    path = tmp_path / "model.skops"
    if content == "text":
        path.write_text("hello")
    if content == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("a", "b")
    if content == "other":
        skops.io.dump({"some": "thing"}, path)
    with pytest.raises(ModelError) as error:
        load_end_model(path)
    assert str(error.value) == f"{path} is no end model that can be read; expected a file that `train` wrote"


@pytest.mark.parametrize("targets", [np.eye(3)[[1] * 30], np.tile([0.0, 1.0, 1.0], (30, 1))])
def test_one_class_only_is_refused(targets: Floats) -> None:
    problem = MULTICLASS if targets.sum() == 30 else MULTILABEL
    with pytest.raises(ModelError) as error:
        trained("logistic_regression", problem, targets)
    assert str(error.value) == (
        "the training data hold one class only, expected at least two; "
        "add data points of other classes, or look at the coverage of the labelling functions"
    )


def test_soft_labels_need_an_algorithm_that_weighs_rows() -> None:
    with pytest.raises(ModelError) as error:
        trained("knn", MULTICLASS, 0.9 * ONE_OF_FOUR + 0.025)
    assert str(error.value) == (
        "knn cannot train on soft labels or weighted rows; "
        "train it on hard labels, or choose an algorithm that takes sample weights"
    )


def test_an_unknown_algorithm_is_refused_with_those_there_are() -> None:
    with pytest.raises(ModelError) as error:
        get_algorithm("forest")
    assert str(error.value) == f"no algorithm 'forest'; expected one of {', '.join(NAMES)}"


def test_parameters_come_as_text_and_all_problems_at_once() -> None:
    mlp = get_algorithm("mlp")
    parsed = mlp.parse({"hidden_layer_sizes": "(100, 50)", "early_stopping": "true", "random_state": ""})
    assert parsed.model_dump(include={"hidden_layer_sizes", "early_stopping", "random_state"}) == {
        "hidden_layer_sizes": (100, 50),
        "early_stopping": True,
        "random_state": None,
    }
    with pytest.raises(ModelError) as error:
        get_algorithm("knn").parse({"n_neighbors": "0", "leaves": 3})
    assert str(error.value) == (
        "knn cannot use its parameters: n_neighbors: Input should be greater than or equal to 1, given '0'; "
        "leaves: unknown; its parameters are n_neighbors, weights, metric"
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_class_with_one_row_only(name: str) -> None:
    hard = np.eye(3, dtype=np.int8)[[0] * 15 + [1] * 14 + [2]]
    probs = trained(name, MULTICLASS, hard).predict_proba(X3)
    np.testing.assert_allclose(probs.sum(axis=1), 1)


def test_early_stopping_needs_two_rows_of_each_class() -> None:
    mlp = get_algorithm("mlp")
    hard = np.eye(2, dtype=np.int8)[[0] * 29 + [1]]
    with pytest.raises(ModelError) as error:
        fit(mlp, MULTICLASS, X3, hard, params=mlp.parse({"early_stopping": True}))
    assert str(error.value) == (
        "early_stopping sets rows of each class aside, and a class has one row only; "
        "train without early_stopping, or add data points of that class"
    )


@pytest.mark.parametrize("problem", list(PROBLEM_TYPES.values()))
def test_no_rows_to_predict(problem: ProblemType) -> None:
    model = trained("logistic_regression", problem, ONE_OF_FOUR)
    assert model.predict_proba(X3[:0]).shape == (0, 4)


@settings(max_examples=20)
@given(
    hnp.arrays(np.float32, (12, 3), elements=st.floats(-1e3, 1e3, width=32)),
    st.sampled_from(list(PROBLEM_TYPES.values())),
    st.sampled_from(["logistic_regression", "linear_svm", "knn"]),
)
def test_probabilities_are_always_finite_and_in_bounds(X: Matrix, problem: ProblemType, name: str) -> None:
    targets = np.eye(3, dtype=np.int8)[np.arange(12) % 3]
    probs = fit(get_algorithm(name), problem, X, targets).predict_proba(10 * X)
    assert np.isfinite(probs).all()
    assert ((probs >= 0) & (probs <= 1)).all()
    if problem is MULTICLASS:
        np.testing.assert_allclose(probs.sum(axis=1), 1)
