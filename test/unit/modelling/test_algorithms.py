"""End models of every algorithm: probabilities in class order, soft labels, one file without pickles."""

import logging
import re
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skops.io
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.svm import LinearSVC
from tolerances import FLOAT32_ATOL

from adaptml.errors import ModelError
from adaptml.tasks import MULTICLASS, MULTILABEL, PROBLEM_TYPES, ProblemType
from modelling.algorithms import (
    EndModel,
    algorithms,
    check_savable,
    get_algorithm,
)
from modelling.algorithms.core import Floats, Matrix
from modelling.algorithms.end_model import stacked_log_odds

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
    model = EndModel(get_algorithm(name, SMALL.get(name)), problem, seed=1)
    return model.fit(X3, targets, **options)


def assert_same(probs: Floats, expected: Floats) -> None:
    np.testing.assert_allclose(probs, expected, rtol=0, atol=FLOAT32_ATOL)


def test_every_module_that_declares_an_algorithm_is_found() -> None:
    assert list(algorithms()) == [*NAMES, "setfit", "transformer"]


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_is_described(name: str) -> None:
    assert all(field.description for field in algorithms()[name].parameters().values())


def test_mlp_has_the_parameters_of_scikit_learn_that_have_an_effect_and_their_defaults() -> None:
    from sklearn.neural_network import MLPClassifier

    theirs = {k: v for k, v in MLPClassifier().get_params().items() if k not in {"verbose", "warm_start"}}
    ours = {"hidden_layer_sizes": (100,), "learning_rate_init": None}
    assert get_algorithm("mlp").get_params() == theirs | ours


@pytest.mark.parametrize(("solver", "rate"), [("adam", 0.001), ("sgd", 0.1)])
def test_the_first_learning_rate_of_mlp_follows_the_solver(solver: str, rate: float) -> None:
    made = {"solver": solver, "max_iter": 5}
    assert EndModel(get_algorithm("mlp", made)).fit(X3, ONE_OF_FOUR).parts_[0].learning_rate_init == rate
    given = EndModel(get_algorithm("mlp", made | {"learning_rate_init": "0.02"})).fit(X3, ONE_OF_FOUR)
    assert given.parts_[0].learning_rate_init == 0.02


@pytest.mark.filterwarnings("ignore:overflow|invalid value:RuntimeWarning")
def test_an_mlp_that_diverges_says_what_to_change() -> None:
    sgd = get_algorithm("mlp", {"solver": "sgd", "activation": "identity"})
    with pytest.raises(
        ModelError, match=r"^mlp's solver sgd diverged: .*learning_rate_init \(now 0.1\), or scale"
    ):
        EndModel(sgd).fit(1e6 * X3, ONE_OF_FOUR)


@pytest.mark.parametrize("name", NAMES)
def test_an_algorithm_alone_is_saved_and_loaded(name: str, tmp_path: Path) -> None:
    names = np.array(["ham", "", "spam", "eggs"])[CLASSES]
    model = get_algorithm(name, SMALL.get(name)).fit(X3, names)
    assert model.score(X3, names) > 0.6
    model.save(tmp_path / "model.skops")
    loaded = algorithms()[name].load(tmp_path / "model.skops")
    assert loaded.get_params() == model.get_params()
    assert loaded.classes_.tolist() == ["eggs", "ham", "spam"]
    assert_same(np.asarray(loaded.predict_proba(X3)), np.asarray(model.predict_proba(X3)))
    other = algorithms()["knn" if name != "knn" else "mlp"]
    expected = f"holds a {name} model; expected {other.name}|holds types that no end model of ours holds"
    with pytest.raises(ModelError, match=expected):
        other.load(tmp_path / "model.skops")
    with pytest.raises(ModelError, match="is no end model that can be read"):
        EndModel.load(tmp_path / "model.skops")


def test_an_end_model_predicts_label_sets_and_scores_them() -> None:
    model = trained("logistic_regression", MULTILABEL, MANY)
    assert model.predict(X3).tolist() == MANY.tolist()
    wrong = MANY.copy()
    wrong[0, 2] = 0  # predicted {0, 1, 2} for a truth of {0, 1}: F1 is 4/5
    assert model.predict(X3)[0].tolist() == [1, 1, 1, 0]
    assert model.score(X3, wrong) == pytest.approx((29 + 4 / 5) / 30)
    assert model.get_params()["seed"] == 1


@pytest.mark.parametrize("problem", list(PROBLEM_TYPES.values()))
def test_any_classifier_of_scikit_learn_can_be_given(problem: ProblemType, tmp_path: Path) -> None:
    forest = RandomForestClassifier(n_estimators=10)
    check_savable(forest)
    targets = ONE_OF_FOUR if problem is MULTICLASS else MANY
    model = EndModel(forest, problem, seed=3).fit(X3, targets)
    assert model.predict(X3).tolist() == targets.tolist()
    assert not hasattr(forest, "estimators_")  # a copy was trained
    assert forest.random_state is None
    assert_same(EndModel(forest, problem, seed=3).fit(X3, targets).predict_proba(X3), model.predict_proba(X3))
    model.save(tmp_path / "model.skops")
    loaded = EndModel.load(tmp_path / "model.skops")
    assert loaded.algorithm == "RandomForestClassifier"
    assert_same(loaded.predict_proba(X3), model.predict_proba(X3))


class Foreign(LogisticRegression):  # type: ignore[misc]
    """A classifier of somebody else's, which nobody trusts when a file is loaded."""


def test_a_classifier_that_could_not_be_loaded_again_is_refused_before_it_is_trained() -> None:
    with pytest.raises(ModelError, match=r"^Foreign holds types that are not trusted .*Foreign; use one of"):
        check_savable(Foreign())


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (LinearSVC(), "^LinearSVC has no predict_proba"),
        (LinearRegression(), r"^algorithm LinearRegression\(\) is no classifier"),
        (RandomForestClassifier, "is no classifier; expected a name, or an object such as"),
        (3, "^algorithm 3 is no classifier"),
    ],
)
def test_what_is_no_classifier_with_probabilities(given: Any, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        EndModel(given).fit(X3, ONE_OF_FOUR)


@pytest.mark.parametrize(
    ("name", "params", "message"),
    [
        (
            "mlp",
            {"max_iter": 2},
            r"^mlp stopped after 2 iterations before it converged; raise max_iter \(now 2\)",
        ),
        (
            "mlp",
            {"max_iter": 2, "solver": "sgd"},
            r"after 2 iterations .*max_iter \(now 2\) or learning_rate_init",
        ),
        ("logistic_regression", {"max_iter": 1}, r"after 1 iterations .*raise max_iter \(now 1\)"),
        (
            "linear_svm",
            {"max_iter": 1},
            r"^linear_svm stopped after \d+ iterations .*raise max_iter \(now 1\)",
        ),
        ("logistic_regression", {}, "^$"),
    ],
)
def test_an_optimiser_that_stops_before_it_converges_is_said(
    name: str, params: dict[str, Any], message: str
) -> None:
    model = EndModel(get_algorithm(name, params)).fit(X3, ONE_OF_FOUR)
    assert re.search(message, model.unconverged_)


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
    model = EndModel("logistic_regression").fit(same, soft)
    np.testing.assert_allclose(model.predict_proba(same[:1]), [[0.7, 0.2, 0.1]], atol=1e-3)


def test_weights_say_how_much_a_row_counts() -> None:
    same, hard = np.ones((4, 1), np.float32), np.eye(2, dtype=np.int8)[[0, 0, 0, 1]]
    weights = np.array([1.0, 1.0, 1.0, 9.0])
    model = EndModel("logistic_regression").fit(same, hard, weights)
    np.testing.assert_allclose(model.predict_proba(same[:1]), [[0.25, 0.75]], atol=1e-3)


def test_a_sparse_copy_teaches_the_same() -> None:
    wide = np.hstack([X3, np.zeros((30, 40))]).astype(np.float32)
    narrow = EndModel().fit(X3, ONE_OF_FOUR).predict_proba(X3)
    np.testing.assert_allclose(EndModel().fit(wide, ONE_OF_FOUR).predict_proba(wide), narrow, atol=1e-3)


@pytest.mark.parametrize("problem", list(PROBLEM_TYPES.values()))
@pytest.mark.parametrize("name", NAMES)
def test_a_saved_model_says_the_same(name: str, problem: ProblemType, tmp_path: Path) -> None:
    targets = ONE_OF_FOUR if problem is MULTICLASS else MANY
    model = trained(name, problem, targets)
    model.save(tmp_path / "model.skops")
    loaded = EndModel.load(tmp_path / "model.skops")
    assert (loaded.algorithm, loaded.problem, loaded.k_) == (name, problem, 4)
    assert_same(loaded.predict_proba(X3), model.predict_proba(X3))
    again = trained(name, problem, targets)
    assert_same(again.predict_proba(X3), model.predict_proba(X3))


@pytest.mark.parametrize("name", NAMES)
def test_a_model_of_vectors_that_are_mostly_zeros_can_be_saved(name: str, tmp_path: Path) -> None:
    wide = np.hstack([X3, np.zeros((30, 40))]).astype(np.float32)
    model = EndModel(name).fit(wide, ONE_OF_FOUR)
    model.save(tmp_path / "model.skops")
    loaded = EndModel.load(tmp_path / "model.skops")
    assert_same(loaded.predict_proba(wide), model.predict_proba(wide))


def test_a_stacked_model_is_saved_with_the_one_it_listens_to(tmp_path: Path) -> None:
    base = trained("mlp", MULTICLASS, ONE_OF_FOUR)
    log_odds = stacked_log_odds(base, X3)
    np.testing.assert_allclose(log_odds, np.log(np.clip(base.predict_proba(X3), 1e-3, 1 - 1e-3)), 1e-5)
    model = EndModel("logistic_regression", base_model=base, scale=0.5).fit(X3, ONE_OF_FOUR)
    by_hand = EndModel("logistic_regression").fit(np.hstack([X3, 0.5 * log_odds]), ONE_OF_FOUR)
    assert_same(model.predict_proba(X3), by_hand.predict_proba(np.hstack([X3, 0.5 * log_odds])))
    model.save(tmp_path / "model.skops")
    loaded = EndModel.load(tmp_path / "model.skops")
    assert_same(loaded.predict_proba(X3), model.predict_proba(X3))


def test_a_file_of_the_first_format_is_read(tmp_path: Path) -> None:
    """As commit c936996 wrote it: the base model under `first`."""
    base, model = trained("mlp", MULTICLASS, ONE_OF_FOUR), EndModel()
    model.base_model, model.scale = base, 0.5
    model.fit(X3, ONE_OF_FOUR)
    del base.parts_[0]._optimizer
    plain = {"format": 1, "setting": "multiclass", "k": 4}
    first = plain | {"algorithm": "mlp", "parts": list(base.parts_), "first": None, "scale": 1.0}
    last = {"algorithm": "logistic_regression", "parts": list(model.parts_), "first": first, "scale": 0.5}
    skops.io.dump(plain | last, tmp_path / "model.skops")
    assert_same(EndModel.load(tmp_path / "model.skops").predict_proba(X3), model.predict_proba(X3))


def test_logistic_regression_is_held_back_more_the_more_rows_there_are() -> None:
    assert pytest.approx(6000 / 30) == EndModel().fit(X3, ONE_OF_FOUR).parts_[0].C
    soft = EndModel().fit(X3, np.tile([0.5, 0.5], (30, 1)), np.full(30, 3.0))
    assert pytest.approx(6000 / 90) == soft.parts_[0].C
    given = EndModel(get_algorithm("logistic_regression", {"C": "0.1"})).fit(X3, ONE_OF_FOUR)
    assert given.parts_[0].C == 0.1


def test_a_file_with_types_of_its_own_is_not_loaded(tmp_path: Path) -> None:
    path = tmp_path / "model.skops"
    skops.io.dump({"format": 1, "parts": [logging.Filter()]}, path)
    with pytest.raises(ModelError) as error:
        EndModel.load(path)
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
        EndModel.load(path)
    assert str(error.value) == f"{path} is no end model that can be read; expected a file that `train` wrote"


@pytest.mark.parametrize("targets", [np.eye(3)[[1] * 30], np.tile([0.0, 1.0, 1.0], (30, 1))])
def test_one_class_only_is_refused(targets: Floats) -> None:
    problem = MULTICLASS if targets.sum() == 30 else MULTILABEL
    with pytest.raises(ModelError, match=r"^the training data hold one class only, expected at least two; "):
        trained("logistic_regression", problem, targets)


def test_soft_labels_need_an_algorithm_that_weighs_rows() -> None:
    with pytest.raises(ModelError, match=r"^knn cannot train on soft labels or weighted rows; "):
        trained("knn", MULTICLASS, 0.9 * ONE_OF_FOUR + 0.025)


def test_an_unknown_algorithm_is_refused_with_those_there_are() -> None:
    with pytest.raises(ModelError) as error:
        get_algorithm("forest")
    assert str(error.value) == f"no algorithm 'forest'; expected one of {', '.join(algorithms())}"


def test_parameters_come_as_text_and_all_problems_at_once() -> None:
    text = {"hidden_layer_sizes": "(100, 50)", "early_stopping": "true", "random_state": ""}
    parsed = get_algorithm("mlp", text).get_params()
    assert parsed["hidden_layer_sizes"] == (100, 50)
    assert parsed["early_stopping"] is True
    assert parsed["random_state"] is None
    with pytest.raises(
        ModelError,
        match=r"^knn cannot use its parameters: n_neighbors: .* equal to 1, given '0'; leaves: unknown; "
        "its parameters are n_neighbors, weights, metric$",
    ):
        get_algorithm("knn", {"n_neighbors": "0", "leaves": 3})


def test_parameters_of_before_without_effect_are_taken() -> None:
    mlp = get_algorithm("mlp", {"verbose": "True", "warm_start": "False", "max_iter": "7"})
    assert mlp.get_params()["max_iter"] == 7
    assert not {"verbose", "warm_start"} & set(mlp.get_params())


@pytest.mark.parametrize("name", NAMES)
def test_a_parameter_out_of_bounds_is_refused_in_python_too(name: str) -> None:
    first = next(iter(algorithms()[name].parameters()))
    with pytest.raises(ModelError, match=f"^{name} cannot use its parameters: {first}"):
        get_algorithm(name).set_params(**{first: -1}).fit(X3, CLASSES)


@pytest.mark.parametrize("name", NAMES)
def test_a_class_with_one_row_only(name: str) -> None:
    hard = np.eye(3, dtype=np.int8)[[0] * 15 + [1] * 14 + [2]]
    probs = trained(name, MULTICLASS, hard).predict_proba(X3)
    np.testing.assert_allclose(probs.sum(axis=1), 1)


def test_early_stopping_needs_two_rows_of_each_class() -> None:
    hard = np.eye(2, dtype=np.int8)[[0] * 29 + [1]]
    with pytest.raises(ModelError, match=r"^early_stopping .* one row only; train without early_stopping"):
        EndModel(get_algorithm("mlp", {"early_stopping": True})).fit(X3, hard)


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
    probs = EndModel(name, problem).fit(X, targets).predict_proba(10 * X)
    assert np.isfinite(probs).all()
    assert ((probs >= 0) & (probs <= 1)).all()
    if problem is MULTICLASS:
        np.testing.assert_allclose(probs.sum(axis=1), 1)
