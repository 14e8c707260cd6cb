"""Labels that look wrong: what a model says of points against what they are labelled with.

By confident learning (Northcutt, Jiang and Chuang 2021, https://doi.org/10.1613/jair.1.12125), as cleanlab
does it: how many labels of each class are wrong is estimated from the probabilities, and so many with the
lowest margin are named.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from adaptml.tasks import ProblemType

_LOWEST = 1e-6

Indicator = npt.NDArray[np.int8]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Found:
    """Points whose labels look wrong, the most suspicious first.

    Attributes:
        places: which of the points, int64 (m,).
        suggested: the classes that the model gives them, int8 (m, k).
        scores: how well their labels fit, float64 (m,), in [0, 1].
    """

    places: npt.NDArray[np.int64]
    suggested: Indicator
    scores: Floats


def suspicious_labels(
    problem: ProblemType, Y: Indicator, probs: Floats, predicted: Indicator | None = None
) -> Found:
    """The points whose labels look wrong to a model.

    Args:
        problem: one class a point, or any number.
        Y: the labels, int8 (n, k), values in {0, 1}.
        probs: what the model says of them, float64 (n, k), in [0, 1]; by a model that saw none of these
            labels, or it takes their side.
        predicted: the classes that it names, int8 (n, k), values in {0, 1}; None as the problem decides.

    >>> from adaptml.tasks import MULTICLASS
    >>> Y = np.array([[1, 0]] * 5 + [[0, 1]] * 5, np.int8)
    >>> probs = np.array([[0.9, 0.1]] * 4 + [[0.1, 0.9]] * 6)
    >>> suspicious_labels(MULTICLASS, Y, probs).places.tolist()
    [4]
    """
    predicted = problem.decide(probs) if predicted is None else predicted
    differs = predicted != Y
    if len(Y) == 0 or not differs.any() or (probs == probs[0]).all():  # a model that tells none apart
        return Found(np.empty(0, np.int64), predicted[:0], np.empty(0))
    if problem.exclusive:
        flagged, scores = _of_question(Y.argmax(axis=1), probs)
        flagged = flagged & differs.any(axis=1)
    else:  # each class is a question of its own, and the least fitting answer counts
        answers = [_of_question(Y[:, c], np.stack([1 - p, p], axis=1)) for c, p in enumerate(probs.T)]
        flagged = np.any([found & d for (found, _), d in zip(answers, differs.T, strict=True)], axis=0)
        scores = np.min([fits for _, fits in answers], axis=0)
    places = np.flatnonzero(flagged)
    places = places[np.argsort(scores[places], kind="stable")]
    return Found(places.astype(np.int64), predicted[places], scores[places])


def _of_question(answers: npt.NDArray[np.integer], probs: Floats) -> tuple[npt.NDArray[np.bool_], Floats]:
    """Which of n answers look wrong, and how well each fits in [0, 1]; probabilities float64 (n, a)."""
    from cleanlab.filter import find_label_issues
    from cleanlab.rank import get_label_quality_scores

    labels, clipped = answers.astype(np.int64), np.clip(probs, _LOWEST, 1)
    clipped /= clipped.sum(axis=1, keepdims=True)
    scores = np.asarray(get_label_quality_scores(labels, clipped, method="normalized_margin"), np.float64)
    if (labels == labels[0]).all():  # with one answer alone, nothing says what another would be like
        return np.zeros(len(labels), dtype=bool), scores
    found = find_label_issues(labels, clipped, filter_by="low_normalized_margin", n_jobs=1)
    return np.asarray(found, dtype=bool), scores


def said_of(names: Sequence[str], label: Indicator, suggested: Indicator, probs: Floats) -> str:
    """What a model says of the classes in which a point's label differs from its own, such as `spam 0.95`.

    Args:
        names: the k classes.
        label, suggested: int8 (k,), values in {0, 1}.
        probs: float64 (k,).

    >>> label, suggested = np.array([1, 0, 0], np.int8), np.array([0, 1, 0], np.int8)
    >>> said_of(["ham", "spam", "other"], label, suggested, np.array([0.03, 0.95, 0.02]))
    'spam 0.95, ham 0.03'
    """
    places = np.flatnonzero(label != suggested)
    return ", ".join(f"{names[c]} {probs[c]:.2f}" for c in places[np.argsort(-probs[places], kind="stable")])
