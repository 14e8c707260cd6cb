"""Logistic regression: fast, and hard to beat on text vectors with little data."""

from typing import Any, Literal

from pydantic import Field

from modelling.algorithms.core import Algorithm, Labels, Params


class LogisticRegressionParams(Params):
    """Parameters of scikit-learn's LogisticRegression that are worth changing."""

    C: float = Field(3.0, gt=0, description="how far weights may grow: the inverse of the L2 penalty")
    max_iter: int = Field(1000, ge=1, description="most steps of the optimiser")
    tol: float = Field(1e-4, gt=0, description="the optimiser stops at gradients below this")
    class_weight: Literal["balanced"] | None = Field(
        None, description="balanced: rare classes count as much as frequent ones"
    )


def _build(params: LogisticRegressionParams, seed: int, y: Labels) -> Any:  # noqa: ARG001
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(**params.model_dump(), random_state=seed)


ALGORITHM = Algorithm(
    name="logistic_regression",
    summary="Fast and sound on text vectors, also with few data points.",
    params=LogisticRegressionParams,
    build=_build,
    takes_weights=True,
)
