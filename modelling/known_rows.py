"""Classifiers that are asked about rows which are known to be sound.

Scikit-learn looks at each matrix before it works on it, which takes longer than one row does. What a model's
features are read into is float32 and finite already, and as wide as the model's.
"""

from copy import copy
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from modelling.algorithms import EndModel


class _OfKnownRows(LogisticRegression):  # type: ignore[misc] # scikit-learn has no types
    """The same, bit for bit, without another look at the rows."""

    def decision_function(self, X: npt.NDArray[np.float32]) -> npt.NDArray[Any]:
        """Scores of n rows (n, d): (n, k), or (n,) where there are two classes."""
        scores = np.asarray(X @ self.coef_.T + self.intercept_)
        return scores.ravel() if scores.shape[1] == 1 else scores

    def predict_proba(self, X: npt.NDArray[np.float32]) -> npt.NDArray[Any]:
        """Probabilities of n rows (n, d): (n, k)."""
        scores = self.decision_function(X)
        if scores.ndim == 1 and len(self.classes_) == 2:
            scores = expit(scores, out=scores)
            return np.stack([1 - scores, scores], axis=1)
        if scores.ndim == 1 or len(self.classes_) <= 2:  # somebody else can have made its files
            return np.asarray(super().predict_proba(X))
        scores -= scores.max(axis=1, keepdims=True)
        np.exp(scores, out=scores)
        scores /= scores.sum(axis=1, keepdims=True)
        return scores


def for_known_rows(model: EndModel) -> EndModel:
    """The same model for rows that are float32, finite and of its width; it is not to be saved."""
    made = copy(model)
    made.members_ = tuple(map(for_known_rows, model.members_))
    made.base_model = None if model.base_model is None else for_known_rows(model.base_model)
    made.parts_ = tuple(_known(part) for part in model.parts_)
    return made


def _known(part: Any) -> Any:
    if type(part) is not LogisticRegression or not isinstance(part.coef_, np.ndarray) or part.coef_.ndim != 2:
        return part
    made = copy(part)
    made.__class__ = _OfKnownRows
    return made
