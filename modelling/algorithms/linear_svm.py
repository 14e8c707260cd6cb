"""A linear support vector machine whose scores are calibrated to probabilities."""

from typing import Any, Literal

import numpy as np
from pydantic import Field

from modelling.algorithms.core import Algorithm, Params, Training


class LinearSvmParams(Params):
    """Parameters of scikit-learn's LinearSVC and of its calibration."""

    C: float = Field(0.5, gt=0, description="how far weights may grow: the inverse of the L2 penalty")
    loss: Literal["hinge", "squared_hinge"] = Field(
        "squared_hinge", description="what a point on the wrong side costs"
    )
    max_iter: int = Field(5000, ge=1, description="most steps of the optimiser")
    tol: float = Field(1e-4, gt=0, description="the optimiser stops at changes below this")
    class_weight: Literal["balanced"] | None = Field(
        None, description="balanced: rare classes count as much as frequent ones"
    )
    folds: int = Field(5, ge=2, description="parts of the cross-validation that calibrates")


def _build(params: LinearSvmParams, training: Training) -> Any:
    """Platt's calibration (1999) by cross-validation; on the training rows where a class has one row only."""
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.svm import LinearSVC

    svm = LinearSVC(**params.model_dump(exclude={"folds"}), dual=True, random_state=training.seed)
    fewest = int(np.unique(training.y, return_counts=True)[1].min())
    if fewest < 2:
        everything = np.arange(len(training.y))
        return CalibratedClassifierCV(svm, ensemble=False, cv=[(everything, everything)])
    return CalibratedClassifierCV(svm, ensemble=False, cv=min(params.folds, fewest))


ALGORITHM = Algorithm(
    name="linear_svm",
    summary="Strong on long sparse text vectors; its probabilities are calibrated by cross-validation.",
    params=LinearSvmParams,
    build=_build,
    takes_weights=True,
    skops_types=(
        "sklearn.calibration._CalibratedClassifier",
        "sklearn.calibration._SigmoidCalibration",
    ),
)
