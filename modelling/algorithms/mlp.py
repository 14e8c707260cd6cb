"""A multi-layer perceptron: scikit-learn's MLPClassifier with all of its parameters."""

from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BeforeValidator, Field

from adaptml.errors import ModelError
from modelling.algorithms.core import Algorithm, Params, Training, nothing


def _sizes(given: object) -> object:
    """`100,50` and `(100, 50)` as command lines give them."""
    if isinstance(given, str):
        return [part for part in given.strip("()[] ").replace(" ", "").split(",") if part]
    return [given] if isinstance(given, int) else given


Size = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0, lt=1)]


class MlpParams(Params):
    """Parameters of scikit-learn's MLPClassifier, with its defaults."""

    hidden_layer_sizes: Annotated[tuple[Size, ...], BeforeValidator(_sizes)] = Field(
        (100,), min_length=1, description="neurons of each hidden layer, such as 100,50"
    )
    activation: Literal["identity", "logistic", "tanh", "relu"] = Field(
        "relu", description="what a hidden neuron does with its sum"
    )
    solver: Literal["lbfgs", "sgd", "adam"] = Field("adam", description="how weights are optimised")
    alpha: float = Field(1e-4, ge=0, description="strength of the L2 penalty")
    batch_size: Size | Literal["auto"] = Field("auto", description="rows per step; auto: min(200, rows)")
    learning_rate: Literal["constant", "invscaling", "adaptive"] = Field(
        "constant", description="how the learning rate changes; sgd only"
    )
    learning_rate_init: float = Field(1e-3, gt=0, description="first learning rate; sgd and adam")
    power_t: float = Field(0.5, ge=0, description="how fast invscaling lowers the learning rate; sgd only")
    max_iter: int = Field(200, ge=1, description="most passes over the rows (steps for lbfgs)")
    shuffle: bool = Field(True, description="whether each pass takes rows in a new order; sgd and adam")
    random_state: Annotated[int | None, BeforeValidator(nothing)] = Field(
        None, ge=0, lt=2**32, description="seed of its random choices; none: the seed of the run"
    )
    tol: float = Field(1e-4, ge=0, description="an improvement below this counts as none")
    verbose: bool = Field(False, description="whether each pass is printed")
    warm_start: bool = Field(False, description="go on from an earlier fit; without effect in one training")
    momentum: float = Field(0.9, ge=0, le=1, description="momentum of sgd")
    nesterovs_momentum: bool = Field(True, description="whether sgd uses Nesterov's momentum")
    early_stopping: bool = Field(False, description="stop when rows that are set aside get no better")
    validation_fraction: Annotated[float, Field(gt=0, lt=1)] = Field(
        0.1, description="share of rows set aside by early_stopping"
    )
    beta_1: Share = Field(0.9, description="decay of adam's first moment")
    beta_2: Share = Field(0.999, description="decay of adam's second moment")
    epsilon: float = Field(1e-8, gt=0, description="keeps adam's steps finite")
    n_iter_no_change: int = Field(10, ge=1, description="passes without improvement after which it stops")
    max_fun: int = Field(15000, ge=1, description="most evaluations of the loss by lbfgs")


def _build(params: MlpParams, training: Training) -> Any:
    from sklearn.neural_network import MLPClassifier

    if (
        params.early_stopping
        and training.y.ndim == 1
        and np.unique(training.y, return_counts=True)[1].min() < 2
    ):
        raise ModelError(
            "early_stopping sets rows of each class aside, and a class has one row only; "
            "train without early_stopping, or add data points of that class"
        )
    values = params.model_dump()
    if values["random_state"] is None:
        values["random_state"] = training.seed
    if values["batch_size"] != "auto":  # scikit-learn warns about more than there are
        values["batch_size"] = min(values["batch_size"], len(training.y))
    return MLPClassifier(**values)


ALGORITHM = Algorithm(
    name="mlp",
    summary="A neural network; learns several classes at once and likes a few thousand rows.",
    params=MlpParams,
    build=_build,
    takes_weights=True,
    native_multilabel=True,
)
