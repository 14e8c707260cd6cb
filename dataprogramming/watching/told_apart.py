"""Can a small classifier tell new rows from old ones by their vectors?"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from adaptml.reports.interval import Z_95
from dataprogramming.watching.statistics import (
    FEWEST,
    SMALLEST_AUC,
    Estimate,
    Kind,
    Quantity,
    auc,
    half,
)

Floats = npt.NDArray[np.float64]
MOST_DIMENSIONS = 50


@dataclass(frozen=True)
class ToldApart:
    """A classifier of old and new rows.

    Attributes:
        scores: float64 (m,), how new each of m new rows looks to a classifier that did not see it.
        quantity: the test.
    """

    scores: Floats
    quantity: Quantity


def told_apart(old: npt.NDArray[np.float32], new: npt.NDArray[np.float32], seed: int) -> ToldApart | None:
    """A classifier two-sample test: Lopez-Paz and Oquab (2017), https://arxiv.org/abs/1610.06545.

    Logistic regression is fitted on each half of the rows and scores the other. Each half's test of Mann and
    Whitney holds, for its scores come from elsewhere; twice the smaller p holds for both together.

    Args:
        old: vectors, float32 (n, d), all finite.
        new: float32 (m, d).
        seed: draws the halves.

    Returns:
        None where a half has fewer than 30 rows of a group.
    """
    if min(len(old), len(new)) < 2 * FEWEST:
        return None
    X = _scaled(np.vstack([old, new]), seed)
    is_new = np.repeat([False, True], [len(old), len(new)])
    first = np.concatenate([half(len(old), seed), half(len(new), seed + 1)])
    scores, found = np.zeros(len(X)), []
    for part in (first, ~first):
        scores[part] = _scores(X[~part], is_new[~part], X[part], seed)
        found.append(auc(scores[part & ~is_new], scores[part & is_new]))
    area, error = np.mean([one[0] for one in found]), np.mean([one[1] for one in found])
    spread = Z_95 * float(error)  # of halves that go together wholly: their mean is no less sure
    value = Estimate(float(area), max(0.0, float(area) - spread), min(1.0, float(area) + spread), len(new))
    p = min(1.0, 2 * min(one[2] for one in found))
    chance = Estimate(0.5, 0.5, 0.5, len(old))
    title = "AUC of telling new rows from old by their vectors"
    quantity = Quantity(Kind.VECTORS, Kind.VECTORS, title, "", chance, value, p, value.value >= SMALLEST_AUC)
    return ToldApart(scores[is_new], quantity)


def _scaled(X: npt.NDArray[np.float32], seed: int) -> Floats:
    """At most 50 principal components, which do not know which rows are new, each of variance 1."""
    from sklearn.decomposition import PCA

    most = min(MOST_DIMENSIONS, X.shape[1], len(X) - 1)
    found: Floats = PCA(most, whiten=True, svd_solver="randomized", random_state=seed).fit_transform(
        X.astype(np.float64)
    )
    return found


def _scores(X: Floats, is_new: npt.NDArray[np.bool_], others: Floats, seed: int) -> Floats:
    """How new other rows look: log-odds, up to a constant."""
    from sklearn.linear_model import LogisticRegression

    fitted = LogisticRegression(C=0.1, class_weight="balanced", max_iter=1000, random_state=seed).fit(
        X, is_new
    )
    scores: Floats = fitted.decision_function(others)
    return scores
