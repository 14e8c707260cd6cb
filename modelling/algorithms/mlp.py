"""A multi-layer perceptron: scikit-learn's MLPClassifier."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import BeforeValidator, Field

from adaptml.errors import ModelError
from modelling.algorithms.core import RandomState, WeighingAlgorithm, none_if_blank

if TYPE_CHECKING:
    from modelling.algorithms.many import Learned, Many


def _sizes(given: object) -> object:
    """`100,50` and `(100, 50)` as command lines give them."""
    if isinstance(given, str):
        return [part for part in given.strip("()[] ").replace(" ", "").split(",") if part]
    return [given] if isinstance(given, int) else given


# scikit-learn's default for both is 0.001, with which sgd is far from done after 200 passes over sentence
# vectors (accuracy 0.542 on the example's gold, where adam reaches 0.979 and sgd at this rate 0.938).
LEARNING_RATES = {"adam": 1e-3, "sgd": 0.1}

Size = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0, lt=1)]


@dataclass(eq=False, repr=False, kw_only=True)
class MlpAlgorithm(WeighingAlgorithm):
    """scikit-learn's MLPClassifier with every parameter that has an effect here.

    Example:
        >>> X, y = [[1.0, 0.1], [0.1, 1.0]] * 20, ["ham", "spam"] * 20
        >>> adaptml.MlpAlgorithm(solver="lbfgs").fit(X, y).predict([[0.2, 0.9]]).tolist()
        ['spam']
    """

    name = "mlp"
    summary = "A neural network; learns several classes at once and likes a few thousand rows."
    native_multilabel = True
    options_of_before = frozenset({"verbose", "warm_start"})

    hidden_layer_sizes: Annotated[
        tuple[Size, ...],
        BeforeValidator(_sizes),
        Field(min_length=1, description="neurons of each hidden layer, such as 100,50"),
    ] = (100,)
    activation: Annotated[
        Literal["identity", "logistic", "tanh", "relu"],
        Field(description="what a hidden neuron does with its sum"),
    ] = "relu"
    solver: Annotated[Literal["lbfgs", "sgd", "adam"], Field(description="how weights are optimised")] = (
        "adam"
    )
    alpha: Annotated[float, Field(ge=0, description="strength of the L2 penalty")] = 1e-4
    batch_size: Annotated[
        Size | Literal["auto"], Field(description="rows per step; auto: min(200, rows)")
    ] = "auto"
    learning_rate: Annotated[
        Literal["constant", "invscaling", "adaptive"],
        Field(description="how the learning rate changes; sgd only"),
    ] = "constant"
    learning_rate_init: Annotated[
        Annotated[float, Field(gt=0)] | None,
        BeforeValidator(none_if_blank),
        Field(description="first learning rate; none: 0.001 for adam, 0.1 for sgd"),
    ] = None
    power_t: Annotated[
        float, Field(ge=0, description="how fast invscaling lowers the learning rate; sgd only")
    ] = 0.5
    max_iter: Annotated[int, Field(ge=1, description="most passes over the rows (steps for lbfgs)")] = 200
    shuffle: Annotated[
        bool, Field(description="whether each pass takes rows in a new order; sgd and adam")
    ] = True
    random_state: RandomState = None
    tol: Annotated[float, Field(ge=0, description="an improvement below this counts as none")] = 1e-4
    momentum: Annotated[float, Field(ge=0, le=1, description="momentum of sgd")] = 0.9
    nesterovs_momentum: Annotated[bool, Field(description="whether sgd uses Nesterov's momentum")] = True
    early_stopping: Annotated[bool, Field(description="stop when rows that are set aside get no better")] = (
        False
    )
    validation_fraction: Annotated[
        float, Field(gt=0, lt=1, description="share of rows set aside by early_stopping")
    ] = 0.1
    beta_1: Annotated[Share, Field(description="decay of adam's first moment")] = 0.9
    beta_2: Annotated[Share, Field(description="decay of adam's second moment")] = 0.999
    epsilon: Annotated[float, Field(gt=0, description="keeps adam's steps finite")] = 1e-8
    n_iter_no_change: Annotated[
        int, Field(ge=1, description="passes without improvement after which it stops")
    ] = 10
    max_fun: Annotated[int, Field(ge=1, description="most evaluations of the loss by lbfgs")] = 15000

    def search_space(self) -> dict[str, Any]:
        """See `Algorithm`: the size of the network, its penalty, and the solver's first learning rate."""
        from scipy.stats import loguniform

        sizes = {"hidden_layer_sizes": [(50,), (100,), (200,), (100, 50)], "alpha": loguniform(1e-6, 1e-1)}
        rate = LEARNING_RATES.get(self.solver)
        return sizes if rate is None else sizes | {"learning_rate_init": loguniform(rate / 5, rate * 5)}

    def advice(self) -> str:
        """What to change where the optimiser stopped before it converged."""
        said = super().advice()
        rate = f" or learning_rate_init (now {self._learning_rate():g})"
        return said + (rate if self.solver == "sgd" else "")

    def _learning_rate(self) -> float:
        """The first learning rate; lbfgs has none, and takes any."""
        return self.learning_rate_init or LEARNING_RATES.get(self.solver, 1e-3)

    def learns_in_blocks(self) -> bool:
        """Its solvers with minibatches do; neither sees the rows that early_stopping sets aside."""
        return self.solver != "lbfgs" and not self.early_stopping

    def fit_blocks(self, many: "Many") -> "Learned":
        """Minibatches of one block after the other; max_iter and n_iter_no_change count ROUND_ROWS rows."""
        from modelling.algorithms.many_mlp import fit_networks

        with self._telling_of_divergence():
            return fit_networks(self, many)

    def _fit(self, X: Any, y: Any, sample_weight: Any) -> Self:
        with self._telling_of_divergence():
            return super()._fit(X, y, sample_weight)

    @contextmanager
    def _telling_of_divergence(self) -> Iterator[None]:
        try:
            yield
        except ValueError as error:
            if "non-finite parameter weights" not in str(error):  # scikit-learn has no type for it
                raise
            raise ModelError(
                f"mlp's solver {self.solver} diverged: its weights grew without end; lower "
                f"learning_rate_init (now {self._learning_rate():g}), or scale the features"
            ) from error

    def _build(self, X: Any, y: npt.NDArray[Any], total_weight: float) -> Any:  # noqa: ARG002
        from sklearn.neural_network import MLPClassifier

        if self.early_stopping and y.ndim == 1 and np.unique(y, return_counts=True)[1].min() < 2:
            raise ModelError(
                "early_stopping sets rows of each class aside, and a class has one row only; "
                "train without early_stopping, or add data points of that class"
            )
        return MLPClassifier(**self.network_params(len(y)))

    def network_params(self, n: int) -> dict[str, Any]:
        """What scikit-learn's MLPClassifier is made with for n rows."""
        values: dict[str, Any] = self.get_params() | {"learning_rate_init": self._learning_rate()}
        if values["batch_size"] != "auto":  # scikit-learn warns about more than there are
            values["batch_size"] = min(values["batch_size"], n)
        return values
