"""A vote weighted by how often each LF's votes are right on gold, smoothed."""

import numpy as np

from dataprogramming.label_models.core import Floats, Gold, additive, class_shares
from dataprogramming.label_models.scoring import FittedModel

WEIGHTED_VOTE = "weighted_vote"
SMOOTHING_VOTES = 5.0


def fit_weighted_vote(gold: Gold) -> FittedModel:
    """Learn from gold what each vote of each LF says about the classes.

    Naive Bayes over the precision of votes: a vote v of LF j multiplies the odds of class c by
    P(c | j votes v) / P(c). The precision is a count on gold, shrunk by SMOOTHING_VOTES imaginary votes to
    what the LF's overall accuracy says, which itself is shrunk to the accuracy of all LFs together. Nothing
    is asked about how often an LF speaks, so LFs that only ever vote for one class are as good as any.

    Args:
        gold: g points with exactly one class each.

    Returns:
        The model; its weights are the LFs' smoothed accuracies.
    """
    k = gold.Y.shape[1]
    prior = class_shares(gold, k)
    counts = _votes_by_class(gold)
    cast = counts.sum(axis=2)
    accuracy = _smoothed_accuracy(counts)
    # What a vote for v means if only the LF's accuracy is known: the rest is spread as the prior is.
    others = np.where(np.eye(k, dtype=bool), 0.0, prior / (1 - prior[:, None]))
    expected = accuracy[:, None, None] * np.eye(k) + (1 - accuracy)[:, None, None] * others
    precision = (counts + SMOOTHING_VOTES * expected) / (cast + SMOOTHING_VOTES)[:, :, None]
    table = np.zeros((gold.L.shape[1], k + 1, k))
    table[:, 1:, :] = np.log(precision) - np.log(prior)
    return additive(WEIGHTED_VOTE, "softmax", prior, table, accuracy)


def _votes_by_class(gold: Gold) -> Floats:
    """How often LF j votes v on points of class c: (m, k, k)."""
    k = gold.Y.shape[1]
    truth = gold.Y.astype(np.float64)
    return np.stack([np.equal(gold.L, v).T.astype(np.float64) @ truth for v in range(k)], axis=1)


def _smoothed_accuracy(counts: Floats) -> Floats:
    """Accuracy (m,) of each LF where it votes, each strictly between 0 and 1."""
    right, cast = np.trace(counts, axis1=1, axis2=2), counts.sum(axis=(1, 2))
    overall = (right.sum() + 1) / (cast.sum() + 2)
    return np.asarray((right + SMOOTHING_VOTES * overall) / (cast + SMOOTHING_VOTES), np.float64)
