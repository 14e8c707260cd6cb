"""Gradient boosting of trees over binned features: for tables of numbers rather than text vectors."""

from dataclasses import dataclass
from typing import Annotated, Any

import numpy.typing as npt
from pydantic import BeforeValidator, Field

from modelling.algorithms.core import ClassWeight, RandomState, WeighingAlgorithm, none_if_blank


@dataclass(eq=False, repr=False, kw_only=True)
class HistGradientBoostingAlgorithm(WeighingAlgorithm):
    """scikit-learn's HistGradientBoostingClassifier without early stopping.

    Example:
        >>> X, y = [[1.0, 0.1], [0.1, 1.0]] * 20, ["ham", "spam"] * 20
        >>> adaptml.HistGradientBoostingAlgorithm(max_iter=20).fit(X, y).predict([[0.2, 0.9]]).tolist()
        ['spam']
    """

    name = "hist_gradient_boosting"
    summary = "For a few numeric columns; finds interactions and bends that a linear model misses."
    takes_sparse = False
    takes_missing = True  # each split learns on which side a missing number goes
    skops_types = ("sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",)

    learning_rate: Annotated[float, Field(gt=0, description="how much of each tree is added")] = 0.1
    max_iter: Annotated[int, Field(ge=1, description="trees per class")] = 100
    max_leaf_nodes: Annotated[
        Annotated[int, Field(ge=2)] | None,
        BeforeValidator(none_if_blank),
        Field(description="most leaves of a tree; none: no limit"),
    ] = 31
    max_depth: Annotated[
        Annotated[int, Field(ge=1)] | None,
        BeforeValidator(none_if_blank),
        Field(description="most levels of a tree; none: no limit"),
    ] = None
    min_samples_leaf: Annotated[int, Field(ge=1, description="fewest rows in a leaf")] = 20
    l2_regularization: Annotated[float, Field(ge=0, description="how strongly leaves are held near 0")] = 0.0
    max_features: Annotated[
        float, Field(gt=0, le=1, description="share of the features tried at each split")
    ] = 1.0
    max_bins: Annotated[int, Field(ge=2, le=255, description="bins per feature")] = 255
    class_weight: ClassWeight = None
    random_state: RandomState = None

    def search_space(self) -> dict[str, Any]:
        """See `Algorithm`: how many trees, of which size, how fast they learn, how far they are held back."""
        from scipy.stats import loguniform, randint

        return {
            "learning_rate": loguniform(2e-2, 3e-1),
            "max_iter": randint(50, 301),
            "max_leaf_nodes": randint(7, 64),
            "min_samples_leaf": randint(5, 51),
            "l2_regularization": loguniform(1e-4, 1e1),
        }

    def _build(self, X: Any, y: npt.NDArray[Any], total_weight: float) -> Any:  # noqa: ARG002
        from sklearn.ensemble import HistGradientBoostingClassifier

        # Stopping early would set rows aside, which fails where a class has one row.
        return HistGradientBoostingClassifier(**self.get_params(), early_stopping=False)
