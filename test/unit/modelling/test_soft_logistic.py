"""Logistic regression on soft labels is scikit-learn's on rows that are repeated once per class."""

from typing import Any

import numpy as np
import pytest
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from modelling.algorithms import EndModel
from modelling.algorithms.fitting import NO_WEIGHT
from modelling.algorithms.logistic_regression import LogisticRegressionAlgorithm

N, D = 60, 7
TOL = 1e-7  # of the optimiser, so that what it stops at does not hide a difference
ATOL = 1e-3  # both add up numbers of 32 bits


def shares_of(k: int) -> tuple[Any, Any]:
    """Rows, half of whose numbers are 0, and soft labels."""
    rng = np.random.default_rng(k)
    X = rng.normal(size=(N, D)) * (rng.random(D) < rng.random((N, 1)))
    return X.astype(np.float32), 0.8 * rng.dirichlet(np.full(k, 0.3), N) + 0.2 / k


@pytest.mark.parametrize("class_weight", [None, "balanced", {0: 3.0}])
@pytest.mark.parametrize("k", [2, 3, 5])
def test_the_loss_is_scikit_learns(k: int, class_weight: Any) -> None:
    X, shares = shares_of(k)
    counts = np.random.default_rng(0).uniform(0.5, 2, N)
    rows, classes = np.nonzero(shares)
    reference = LogisticRegression(C=2.0, tol=TOL, max_iter=5000, class_weight=class_weight)
    expected = reference.fit(X[rows], classes, (shares * counts[:, None])[rows, classes]).predict_proba(X)
    made = LogisticRegressionAlgorithm(C=2.0, tol=TOL, max_iter=5000, class_weight=class_weight)
    assert shares.min() > NO_WEIGHT
    for given in (X, sparse.csr_matrix(X)):
        found = EndModel(made).fit(given, shares, counts)
        np.testing.assert_allclose(found.predict_proba(X), expected, atol=ATOL)


def test_a_class_that_no_row_has_is_none_of_the_models() -> None:
    X, two = shares_of(2)
    model = EndModel().fit(X, np.column_stack([two[:, 0], np.zeros(N), two[:, 1]]))
    assert model.parts_[0].classes_.tolist() == [0, 2]
    assert model.predict_proba(X)[:, 1].tolist() == [0.0] * N


def test_that_it_did_not_converge_is_said() -> None:
    X, shares = shares_of(3)
    model = EndModel(LogisticRegressionAlgorithm(max_iter=2)).fit(X, shares)
    assert "stopped after 2 iterations" in model.unconverged_
