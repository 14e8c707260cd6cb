"""k nearest neighbours: what the most similar training points are."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy.typing as npt
from pydantic import Field

from modelling.algorithms.core import Algorithm


@dataclass(eq=False, repr=False, kw_only=True)
class KnnAlgorithm(Algorithm):
    """scikit-learn's KNeighborsClassifier by brute force; it takes no sample weights.

    Example:
        >>> X, y = [[1.0, 0.1], [0.1, 1.0]] * 20, ["ham", "spam"] * 20
        >>> adaptml.KnnAlgorithm(n_neighbors=1).fit(X, y).predict([[0.2, 0.9]]).tolist()
        ['spam']
    """

    name = "knn"
    summary = "Easy to explain: a point is what its nearest training points are. Hard labels only."
    takes_sparse = False  # it keeps the rows, and the saved form of a model holds none that are sparse

    n_neighbors: Annotated[
        int, Field(ge=1, description="neighbours that vote; at most the number of rows")
    ] = 10
    weights: Annotated[
        Literal["uniform", "distance"], Field(description="distance: closer neighbours count more")
    ] = "uniform"
    metric: Annotated[
        Literal["cosine", "euclidean", "manhattan"], Field(description="how far apart two vectors are")
    ] = "cosine"

    def search_space(self) -> dict[str, Any]:
        """See `Algorithm`: how many neighbours vote, how, and what is near."""
        from scipy.stats import randint

        return {
            "n_neighbors": randint(1, 41),
            "weights": ["uniform", "distance"],
            "metric": ["cosine", "euclidean"],
        }

    def _build(self, X: Any, y: npt.NDArray[Any], total_weight: float) -> Any:  # noqa: ARG002
        from sklearn.neighbors import KNeighborsClassifier

        n_neighbors = min(self.n_neighbors, len(y))
        return KNeighborsClassifier(n_neighbors, weights=self.weights, metric=self.metric, algorithm="brute")
