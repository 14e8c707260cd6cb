"""Logistic regression: fast, and hard to beat on text vectors with little data."""

from dataclasses import dataclass
from typing import Annotated, Any, Self

import numpy as np
import numpy.typing as npt
from pydantic import BeforeValidator, Field

from modelling.algorithms.core import ClassWeight, Floats, WeighingAlgorithm, none_if_blank
from modelling.algorithms.soft_logistic import fit_shares

# The penalty weighs the same against the mean loss, however many rows there are: few gold rows bear weak
# regularisation; many weakly labelled ones need more, as their noise is not all random.
C_TIMES_ROWS = 6000.0


@dataclass(eq=False, repr=False, kw_only=True)
class LogisticRegressionAlgorithm(WeighingAlgorithm):
    """scikit-learn's LogisticRegression, whose penalty follows the number of rows.

    Example:
        >>> X, y = [[1.0, 0.1], [0.1, 1.0]] * 20, ["ham", "spam"] * 20
        >>> adaptml.LogisticRegressionAlgorithm(C=10).fit(X, y).predict([[0.2, 0.9]]).tolist()
        ['spam']
    """

    name = "logistic_regression"
    summary = "Fast and sound on text vectors, also with few data points."

    C: Annotated[
        Annotated[float, Field(gt=0)] | None,
        BeforeValidator(none_if_blank),
        Field(description="how far weights may grow: the inverse of the L2 penalty; none: 6000 / rows"),
    ] = None
    max_iter: Annotated[int, Field(ge=1, description="most steps of the optimiser")] = 1000
    tol: Annotated[float, Field(gt=0, description="the optimiser stops at gradients below this")] = 1e-4
    class_weight: ClassWeight = None

    def search_space(self) -> dict[str, Any]:
        """See `Algorithm`: the penalty over five orders of magnitude, and what rare classes count."""
        from scipy.stats import loguniform

        return {"C": loguniform(1e-2, 1e3), "class_weight": [None, "balanced"]}

    def _build(self, X: Any, y: npt.NDArray[Any], total_weight: float) -> Any:  # noqa: ARG002
        from sklearn.linear_model import LogisticRegression

        C = C_TIMES_ROWS / total_weight if self.C is None else self.C
        return LogisticRegression(C=C, max_iter=self.max_iter, tol=self.tol, class_weight=self.class_weight)

    def fit_shares(self, X: Any, shares: Floats) -> Self:
        """Learn from rows that are of several classes at once.

        Args:
            X: floats (n, d), finite, sparse or not.
            shares: how much each row counts as each class, float64 (n, k), values >= 0.
        """
        self.classes_ = np.flatnonzero(shares.any(axis=0))
        self.n_features_in_ = X.shape[1]
        shares = shares[:, self.classes_]
        made = self._build(X, self.classes_, float(shares.sum()))
        if self.class_weight is not None:
            shares = shares * self._class_weights(shares.sum(axis=0))
        made = fit_shares(made, X, shares)
        made.classes_ = self.classes_
        self.estimator_ = made
        self.n_iter_ = self._iterations()
        return self

    def _class_weights(self, totals: Floats) -> Floats:
        """How much each class counts beside what its rows do, float64 (k,)."""
        if self.class_weight == "balanced":
            return np.asarray(totals.sum() / (len(totals) * totals))
        given = dict(self.class_weight or {})
        return np.array([given.get(number, 1.0) for number in self.classes_.tolist()])
