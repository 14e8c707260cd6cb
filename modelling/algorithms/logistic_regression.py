"""Logistic regression: fast, and hard to beat on text vectors with little data."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, Self

import numpy as np
import numpy.typing as npt
from pydantic import BeforeValidator, Field

from adaptml.linear_algebra import one_thread
from modelling.algorithms.core import ClassWeight, Floats, WeighingAlgorithm, none_if_blank

if TYPE_CHECKING:
    from modelling.algorithms.many import Learned, Many
    from modelling.algorithms.many_logistic import Weighed

# The penalty weighs the same against the mean loss, however many rows there are: few gold rows bear weak
# regularisation; many weakly labelled ones need more, as their noise is not all random. It suits texts; rows
# of a few numbers need more of it, and ways to train try both.
C_TIMES_ROWS = 6000.0


@dataclass(eq=False, repr=False, kw_only=True)
class LogisticRegressionAlgorithm(WeighingAlgorithm):
    """scikit-learn's LogisticRegression, whose penalty follows the number of rows.

    End models find the same weights by `fit_blocks`.

    Example:
        >>> X, y = [[1.0, 0.1], [0.1, 1.0]] * 20, ["ham", "spam"] * 20
        >>> adaptml.LogisticRegressionAlgorithm(C=10).fit(X, y).predict([[0.2, 0.9]]).tolist()
        ['spam']
    """

    name = "logistic_regression"
    block_in_memory = True
    summary = "Fast and sound on text vectors, also with few data points."

    C: Annotated[
        Annotated[float, Field(gt=0)] | None,
        BeforeValidator(none_if_blank),
        Field(description="how far weights may grow: inverse of the L2 penalty; none: C_times_rows / rows"),
    ] = None
    C_times_rows: Annotated[float, Field(gt=0, description="where C is none: C times the number of rows")] = (
        C_TIMES_ROWS
    )
    max_iter: Annotated[int, Field(ge=1, description="most steps of the optimiser")] = 1000
    tol: Annotated[float, Field(gt=0, description="the optimiser stops at gradients below this")] = 1e-4
    class_weight: ClassWeight = None

    def search_space(self) -> dict[str, Any]:
        """See `Algorithm`: the penalty over five orders of magnitude, and what rare classes count."""
        from scipy.stats import loguniform

        return {"C": loguniform(1e-2, 1e3), "class_weight": [None, "balanced"]}

    def _build(self, X: Any, y: npt.NDArray[Any], total_weight: float) -> Any:  # noqa: ARG002
        from sklearn.linear_model import LogisticRegression

        C = self.C_times_rows / total_weight if self.C is None else self.C
        return LogisticRegression(C=C, max_iter=self.max_iter, tol=self.tol, class_weight=self.class_weight)

    def _fit(self, X: Any, y: Any, sample_weight: Any) -> Self:
        # On two threads, 100 to 100,000 rows were at most 2 % faster, text vectors up to 2.6 times as slow.
        with one_thread():
            return super()._fit(X, y, sample_weight)

    def learns_in_blocks(self) -> bool:
        """Its loss adds up over blocks of rows."""
        return True

    def fit_blocks(self, many: "Many") -> "Learned":
        """The classifiers that `fit` would find, up to the optimiser's tolerance."""
        from modelling.algorithms.many import Learned
        from modelling.algorithms.many_logistic import fit_logistic

        weighed = self._weighed(many)
        totals = weighed.totals()
        C = self.C_times_rows / many.weights.sum() if self.C is None else self.C
        penalty = 1 / (C * totals)
        with one_thread():  # see `_fit`
            found = fit_logistic(
                many.rows, weighed, penalty, max_iter=self.max_iter, tol=self.tol, advance=many.advance
            )
        if not many.exclusive:
            columns = [slice(c, c + 1) for c in range(len(totals))]
            labels = [np.arange(2)] * len(columns)
        else:
            columns, labels = [slice(None)], [many.classes]
        parts = [
            self._fitted(C, found.weights[:, c].T, found.intercepts[c], known, found.steps)
            for c, known in zip(columns, labels, strict=True)
        ]
        return Learned(parts, found.steps, found.converged)

    def _weighed(self, many: "Many") -> "Weighed":
        """What each row says of each column, with its weight and those of the classes."""
        from modelling.algorithms.many_logistic import Weighed
        from modelling.algorithms.many_rows import slices

        k = len(many.classes)
        plain = np.ones(k) if many.exclusive else np.ones((k, 2))
        weighed = Weighed(many.Y, many.weights, many.classes, plain, many.exclusive)
        if self.class_weight is None:
            return weighed
        sums: Floats = np.zeros_like(plain)
        for some in slices(len(many.Y)):
            has = many.weights[some, None] * many.Y[some][:, many.classes]
            parts = has if many.exclusive else np.stack([many.weights[some, None] - has, has], axis=-1)
            sums += parts.sum(axis=0)
        if many.exclusive:
            return replace(weighed, counts=self._class_weights(sums, many.classes))
        return replace(
            weighed,
            counts=np.array([self._class_weights(np.asarray(sums[c]), np.arange(2)) for c in range(k)]),
        )

    def _class_weights(self, sums: Floats, classes: npt.NDArray[Any]) -> Floats:
        """How much each of k classes counts, (k,), as scikit-learn has it, by its rows' weights, (k,)."""
        if self.class_weight == "balanced":
            return np.asarray(sums.sum() / (len(sums) * sums))
        assert self.class_weight is not None  # noqa: S101 - then nothing is asked
        return np.array([self.class_weight.get(c, 1.0) for c in classes.tolist()])

    def _fitted(
        self, C: float, weights: Floats, intercepts: Floats, classes: npt.NDArray[Any], steps: int
    ) -> Any:
        """scikit-learn's classifier with what was found elsewhere."""
        from sklearn.linear_model import LogisticRegression

        made = LogisticRegression(C=C, max_iter=self.max_iter, tol=self.tol, class_weight=self.class_weight)
        made.classes_, made.n_features_in_ = classes, weights.shape[1]
        made.coef_, made.intercept_ = weights.astype(np.float32, order="C"), intercepts.astype(np.float32)
        made.n_iter_ = np.array([steps], np.int32)
        return made
