"""Logistic regression of end models is scikit-learn's; soft labels are its rows repeated once per class."""

from typing import Any

import numpy as np
import pytest
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from adaptml.errors import ModelError
from adaptml.tasks import MULTILABEL
from modelling.algorithms import EndModel
from modelling.algorithms.fitting import NO_WEIGHT
from modelling.algorithms.logistic_regression import LogisticRegressionAlgorithm
from modelling.algorithms.many_rows import OneBlock, below

N, D = 60, 7
TOL = 1e-7  # of the optimiser, so that what it stops at does not hide a difference
ATOL = 1e-3  # both add up numbers of 32 bits


def shares_of(k: int) -> tuple[Any, Any]:
    """Rows, half of whose numbers are 0, and soft labels."""
    rng = np.random.default_rng(k)
    X = rng.normal(size=(N, D)) * (rng.random(D) < rng.random((N, 1)))
    return X.astype(np.float32), 0.8 * rng.dirichlet(np.full(k, 0.3), N) + 0.2 / k


def ways_to_give(X: Any) -> list[Any]:
    """The same rows as everything that an end model takes them as."""
    half = len(X) // 2
    return [X, sparse.csr_matrix(X), OneBlock.of(X), below(OneBlock.of(X[:half]), X[half:])]


@pytest.mark.parametrize("hard", [True, False])
@pytest.mark.parametrize("class_weight", [None, "balanced", {0: 3.0}])
@pytest.mark.parametrize("k", [2, 3, 5])
def test_the_loss_is_scikit_learns(k: int, class_weight: Any, hard: bool) -> None:
    X, shares = shares_of(k)
    assert shares.min() > NO_WEIGHT
    if hard:
        shares = np.eye(k)[shares.argmax(axis=1)]
    counts = np.random.default_rng(0).uniform(0.5, 2, N)
    rows, classes = np.nonzero(shares)
    reference = LogisticRegression(C=2.0, tol=TOL, max_iter=5000, class_weight=class_weight)
    expected = reference.fit(X[rows], classes, (shares * counts[:, None])[rows, classes]).predict_proba(X)
    made = LogisticRegressionAlgorithm(C=2.0, tol=TOL, max_iter=5000, class_weight=class_weight)
    for given in ways_to_give(X):
        found = EndModel(made).fit(given, shares, counts)
        np.testing.assert_allclose(found.predict_proba(X), expected, atol=ATOL)
        assert found.parts_[0].coef_.dtype == np.float32  # as the rows: else each answer copies them


@pytest.mark.parametrize("class_weight", [None, "balanced"])
def test_classes_that_do_not_exclude_each_other_are_a_problem_each(class_weight: Any) -> None:
    X, shares = shares_of(3)
    Y = (shares > 0.3).astype(np.float64)
    made = LogisticRegressionAlgorithm(C=2.0, tol=TOL, max_iter=5000, class_weight=class_weight)
    model = EndModel(made, MULTILABEL).fit(X, Y)
    for c in range(3):
        reference = LogisticRegression(C=2.0, tol=TOL, max_iter=5000, class_weight=class_weight)
        expected = reference.fit(X, Y[:, c]).predict_proba(X)[:, 1]
        np.testing.assert_allclose(model.predict_proba(X)[:, c], expected, atol=ATOL)


def test_what_is_asked_may_come_as_it_was_learned_from() -> None:
    X, shares = shares_of(3)
    model = EndModel().fit(X, shares)
    for given in ways_to_give(X)[2:]:
        np.testing.assert_allclose(model.predict_proba(given), model.predict_proba(X), atol=1e-6)


def test_a_class_that_no_row_has_is_none_of_the_models() -> None:
    X, two = shares_of(2)
    model = EndModel().fit(X, np.column_stack([two[:, 0], np.zeros(N), two[:, 1]]))
    assert model.parts_[0].classes_.tolist() == [0, 2]
    assert model.predict_proba(X)[:, 1].tolist() == [0.0] * N


@pytest.mark.parametrize("class_weight", [None, "balanced"])
def test_a_row_of_weight_0_is_a_row_that_is_not_there(class_weight: Any) -> None:
    X, shares = shares_of(3)
    Y = np.eye(3)[shares.argmax(axis=1)]
    weights = np.where(Y[:, 2] == 1, 0.0, 1.0)
    made, kept = LogisticRegressionAlgorithm(class_weight=class_weight), weights > 0
    model, expected = EndModel(made).fit(X, Y, weights), EndModel(made).fit(X[kept], Y[kept])
    assert model.parts_[0].classes_.tolist() == [0, 1]
    np.testing.assert_allclose(model.predict_proba(X), expected.predict_proba(X), atol=ATOL)


def test_that_it_did_not_converge_is_said() -> None:
    X, shares = shares_of(3)
    model = EndModel(LogisticRegressionAlgorithm(max_iter=2)).fit(X, shares)
    assert "stopped after 2 iterations" in model.unconverged_


@pytest.mark.parametrize("hard", [True, False])
def test_what_cannot_be_learned_from_is_refused(hard: bool) -> None:
    X, shares = shares_of(2)
    Y = np.eye(2)[shares.argmax(axis=1)] if hard else shares
    for wrong in (np.nan, np.inf):
        broken = X.copy()
        broken[3, 2] = wrong
        with pytest.raises(ValueError, match=r"NaN|infinity"):
            EndModel().fit(broken, Y)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        EndModel().fit(X, Y[1:])
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        EndModel().fit(X, Y, np.ones(N - 1))
    with pytest.raises(ModelError, match=r"^logistic_regression cannot use its parameters: C: .* given -1"):
        EndModel(LogisticRegressionAlgorithm(C=-1)).fit(X, Y)
