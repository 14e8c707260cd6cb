"""Logistic regression: fast, and hard to beat on text vectors with little data."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from modelling.algorithms.core import Algorithm, Params, Training, nothing

# The penalty weighs the same against the mean loss, however many rows there are: few gold rows bear weak
# regularisation; many weakly labelled ones need more, as their noise is not all random.
C_TIMES_ROWS = 6000.0


class LogisticRegressionParams(Params):
    """Parameters of scikit-learn's LogisticRegression that are worth changing."""

    C: Annotated[float | None, BeforeValidator(nothing)] = Field(
        None, gt=0, description="how far weights may grow: the inverse of the L2 penalty; none: 6000 / rows"
    )
    max_iter: int = Field(1000, ge=1, description="most steps of the optimiser")
    tol: float = Field(1e-4, gt=0, description="the optimiser stops at gradients below this")
    class_weight: Literal["balanced"] | None = Field(
        None, description="balanced: rare classes count as much as frequent ones"
    )


def _build(params: LogisticRegressionParams, training: Training) -> Any:
    from sklearn.linear_model import LogisticRegression

    values = params.model_dump()
    if params.C is None:
        values["C"] = C_TIMES_ROWS / training.mass
    return LogisticRegression(**values, random_state=training.seed)


ALGORITHM = Algorithm(
    name="logistic_regression",
    summary="Fast and sound on text vectors, also with few data points.",
    params=LogisticRegressionParams,
    build=_build,
    takes_weights=True,
)
