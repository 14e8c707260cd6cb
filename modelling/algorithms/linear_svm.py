"""A linear support vector machine whose scores are calibrated to probabilities."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field
from sklearn.utils.class_weight import compute_sample_weight

from modelling.algorithms.core import ClassWeight, Floats, RandomState, WeighingAlgorithm


@dataclass(eq=False, repr=False, kw_only=True)
class LinearSvmAlgorithm(WeighingAlgorithm):
    """scikit-learn's LinearSVC and Platt's calibration (1999) by cross-validation.

    Example:
        >>> X, y = [[1.0, 0.1], [0.1, 1.0]] * 20, ["ham", "spam"] * 20
        >>> adaptml.LinearSvmAlgorithm().fit(X, y).predict([[0.2, 0.9]]).tolist()
        ['spam']
    """

    name = "linear_svm"
    summary = "Strong on long sparse text vectors; its probabilities are calibrated by cross-validation."
    skops_types = ("sklearn.calibration._CalibratedClassifier", "sklearn.calibration._SigmoidCalibration")

    C: Annotated[
        float, Field(gt=0, description="how far weights may grow: the inverse of the L2 penalty")
    ] = 0.5
    loss: Annotated[
        Literal["hinge", "squared_hinge"], Field(description="what a point on the wrong side costs")
    ] = "squared_hinge"
    max_iter: Annotated[int, Field(ge=1, description="most steps of the optimiser")] = 5000
    tol: Annotated[float, Field(gt=0, description="the optimiser stops at changes below this")] = 1e-4
    class_weight: ClassWeight = None
    folds: Annotated[int, Field(ge=2, description="parts of the cross-validation that calibrates")] = 5
    random_state: RandomState = None

    def search_space(self) -> dict[str, Any]:
        """See `Algorithm`: the penalty over five orders of magnitude, and what rare classes count."""
        from scipy.stats import loguniform

        return {"C": loguniform(1e-3, 1e2), "class_weight": [None, "balanced"]}

    def _build(self, X: Any, y: npt.NDArray[Any], total_weight: float) -> Any:  # noqa: ARG002
        """Calibrated on the training rows themselves where a class has one kind of row only."""
        from sklearn.calibration import CalibratedClassifierCV
        from sklearn.svm import LinearSVC

        params = self.get_params()
        for name in ("folds", "class_weight"):
            del params[name]
        svm = LinearSVC(**params, dual=self.loss == "hinge")  # only the dual problem is solved for hinge
        return CalibratedClassifierCV(svm, ensemble=False, cv=_splits(X, y, self.folds))

    def _row_weights(self, y: npt.NDArray[Any], given: Floats | None) -> Floats | None:
        """Class weights as row weights: the calibration must know of them too, or it undoes them."""
        if self.class_weight is None:
            return given
        weights = np.asarray(compute_sample_weight(self.class_weight, y), np.float64)
        return weights if given is None else weights * given

    def _iterations(self) -> int:
        return int(self.estimator_.calibrated_classifiers_[0].estimator.n_iter_)


def _splits(X: Any, y: npt.NDArray[Any], folds: int) -> list[tuple[npt.NDArray[Any], npt.NDArray[Any]]]:
    """Rows to train and to calibrate on, such that equal rows are in one fold and classes spread evenly.

    Rows are known by a random projection, so that neither their order nor how often a row is there matters.
    """
    direction = np.random.default_rng(0).normal(size=X.shape[1])
    known = np.round(X @ direction, 8)
    place = np.empty(len(y), np.int64)
    fewest = len(y)
    for name in np.unique(y):
        kinds, place[y == name] = np.unique(known[y == name], return_inverse=True)
        fewest = min(fewest, len(kinds))
    if fewest < 2:
        return [(np.arange(len(y)), np.arange(len(y)))]
    fold = place % min(folds, fewest)
    return [(np.flatnonzero(fold != i), np.flatnonzero(fold == i)) for i in range(fold.max() + 1)]
