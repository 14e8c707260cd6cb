"""k nearest neighbours: what the most similar training points are."""

from typing import Any, Literal

from pydantic import Field

from modelling.algorithms.core import Algorithm, Params, Training


class KnnParams(Params):
    """Parameters of scikit-learn's KNeighborsClassifier that are worth changing."""

    n_neighbors: int = Field(10, ge=1, description="neighbours that vote; at most the number of rows")
    weights: Literal["uniform", "distance"] = Field(
        "uniform", description="distance: closer neighbours count more"
    )
    metric: Literal["cosine", "euclidean", "manhattan"] = Field(
        "cosine", description="how far apart two vectors are"
    )


def _build(params: KnnParams, training: Training) -> Any:
    from sklearn.neighbors import KNeighborsClassifier

    n_neighbors = min(params.n_neighbors, len(training.y))
    return KNeighborsClassifier(n_neighbors, weights=params.weights, metric=params.metric, algorithm="brute")


ALGORITHM = Algorithm(
    name="knn",
    summary="Easy to explain: a point is what its nearest training points are. Hard labels only.",
    params=KnnParams,
    build=_build,
    takes_weights=False,
    takes_sparse=False,  # it keeps the rows, and the saved form of a model holds none that are sparse
)
