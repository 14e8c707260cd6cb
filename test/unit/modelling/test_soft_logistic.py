"""Logistic regression on soft labels is scikit-learn's on rows that are repeated once per class."""

from typing import Any

import numpy as np
import pytest
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from modelling.algorithms import EndModel
from modelling.algorithms.logistic_regression import LogisticRegressionAlgorithm

N, D = 60, 7
TOL = 1e-7  # of the optimiser, so that what it stops at does not hide a difference


@pytest.mark.parametrize("class_weight", [None, "balanced", {0: 3.0}])
@pytest.mark.parametrize("k", [2, 3, 5])
def test_the_loss_is_scikit_learns(k: int, class_weight: Any) -> None:
    rng = np.random.default_rng(k)
    X, shares = rng.normal(size=(N, D)), rng.dirichlet(np.full(k, 0.3), N) * rng.uniform(0.5, 2, (N, 1))
    rows, classes = np.nonzero(shares)
    weights = shares[rows, classes]
    reference = LogisticRegression(C=2.0, tol=TOL, max_iter=5000, class_weight=class_weight)
    expected = reference.fit(X[rows], classes, weights).predict_proba(X)
    made = LogisticRegressionAlgorithm(C=2.0, tol=TOL, max_iter=5000, class_weight=class_weight)
    np.testing.assert_allclose(made.fit_shares(X, shares).predict_proba(X), expected, atol=1e-4)
    sparsely = made.fit_shares(sparse.csr_matrix(X), shares)
    np.testing.assert_allclose(sparsely.predict_proba(X), expected, atol=1e-4)


def test_a_class_that_no_row_has_is_none_of_the_models() -> None:
    rng = np.random.default_rng(0)
    X, two = rng.normal(size=(N, D)), rng.dirichlet([1, 1], N)
    shares = np.column_stack([two[:, 0], np.zeros(N), two[:, 1]])
    made = LogisticRegressionAlgorithm().fit_shares(X, shares)
    assert made.classes_.tolist() == [0, 2]
    end_model = EndModel().fit(X.astype(np.float32), shares)
    assert end_model.predict_proba(X.astype(np.float32))[:, 1].tolist() == [0.0] * N


def test_that_it_did_not_converge_is_said() -> None:
    rng = np.random.default_rng(0)
    X, shares = rng.normal(size=(N, D)), rng.dirichlet([1, 1, 1], N)
    with pytest.warns(ConvergenceWarning):
        LogisticRegressionAlgorithm(max_iter=2).fit_shares(X, shares)
    model = EndModel(LogisticRegressionAlgorithm(max_iter=2)).fit(X.astype(np.float32), shares)
    assert "stopped after 2 iterations" in model.unconverged_
