"""Gradient boosting of trees over binned features: for tables of numbers rather than text vectors."""

from typing import Any, Literal

from pydantic import Field

from modelling.algorithms.core import Algorithm, Params, Training


class HistGradientBoostingParams(Params):
    """Parameters of scikit-learn's HistGradientBoostingClassifier that are worth changing."""

    learning_rate: float = Field(0.1, gt=0, description="how much of each tree is added")
    max_iter: int = Field(100, ge=1, description="trees per class")
    max_leaf_nodes: int | None = Field(31, ge=2, description="most leaves of a tree; none: no limit")
    max_depth: int | None = Field(None, ge=1, description="most levels of a tree; none: no limit")
    min_samples_leaf: int = Field(20, ge=1, description="fewest rows in a leaf")
    l2_regularization: float = Field(0.0, ge=0, description="how strongly leaves are held near 0")
    max_features: float = Field(1.0, gt=0, le=1, description="share of the features tried at each split")
    max_bins: int = Field(255, ge=2, le=255, description="bins per feature")
    class_weight: Literal["balanced"] | None = Field(
        None, description="balanced: rare classes count as much as frequent ones"
    )


def _build(params: HistGradientBoostingParams, training: Training) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier

    # Stopping early would set rows aside, which fails where a class has one row.
    return HistGradientBoostingClassifier(
        **params.model_dump(), early_stopping=False, random_state=training.seed
    )


ALGORITHM = Algorithm(
    name="hist_gradient_boosting",
    summary="For a few numeric columns; finds interactions and bends that a linear model misses.",
    params=HistGradientBoostingParams,
    build=_build,
    takes_weights=True,
    takes_sparse=False,
    skops_types=("sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",),
)
