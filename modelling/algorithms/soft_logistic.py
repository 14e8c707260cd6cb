"""Multinomial logistic regression on rows that are of several classes at once, each to a share.

scikit-learn's learns one class a row: rows of several would have to be repeated once per class, which takes
as many times as long. The loss is the same.
"""

import warnings
from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.special import logsumexp
from sklearn.exceptions import ConvergenceWarning

from modelling.algorithms.core import Floats


def fit_shares(made: Any, X: Any, shares: Floats) -> Any:
    """Fit scikit-learn's LogisticRegression on how much each row counts as each class.

    Minimises the mean of -log P(class | row) over all shares plus the L2 penalty that `made.C` says, by
    L-BFGS from 0, as scikit-learn does; two classes have one row of coefficients.

    Args:
        made: unfitted; its C, max_iter and tol are used.
        X: floats (n, d), sparse or not.
        shares: float64 (n, k), values >= 0, k >= 2, each class with some.

    Returns:
        `made`, fitted; its classes are the column numbers.
    """
    n, k = shares.shape
    rows, total = (1 if k == 2 else k), shares.sum()
    of_row, said, strength = shares.sum(axis=1) / total, shares[:, -rows:] / total, 1 / (made.C * total)

    def loss(flat: Floats) -> tuple[float, Floats]:
        weights = flat.reshape(rows, -1)
        W, b = weights[:, :-1], weights[:, -1]
        scores = X @ W.T.astype(X.dtype) + b
        against = np.column_stack([np.zeros(n), scores]) if k == 2 else scores
        log_sum = logsumexp(against, axis=1)
        error = of_row[:, None] * np.exp(scores - log_sum[:, None]) - said
        slope = np.column_stack([(X.T @ error.astype(X.dtype)).T + strength * W, error.sum(axis=0)])
        value = of_row @ log_sum - (said * scores).sum() + strength / 2 * (W * W).sum()
        return float(value), slope.ravel()

    limits = {"maxiter": made.max_iter, "maxls": 50, "gtol": made.tol, "ftol": 64 * np.finfo(float).eps}
    found = minimize(loss, np.zeros(rows * (X.shape[1] + 1)), method="L-BFGS-B", jac=True, options=limits)
    if found.nit >= made.max_iter:
        warnings.warn("lbfgs did not converge", ConvergenceWarning, stacklevel=2)
    weights = found.x.reshape(rows, -1).astype(X.dtype)
    made.coef_, made.intercept_ = np.ascontiguousarray(weights[:, :-1]), weights[:, -1].copy()
    made.classes_, made.n_features_in_ = np.arange(k), X.shape[1]
    made.n_iter_ = np.array([found.nit], np.int32)
    return made
