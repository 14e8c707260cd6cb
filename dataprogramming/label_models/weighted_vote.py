"""A vote weighted by how often each LF's votes are right on gold, smoothed."""

import numpy as np

from adaptml.tasks import MULTICLASS
from dataprogramming.label_models.core import Floats, Gold, additive
from dataprogramming.label_models.scoring import FittedModel

WEIGHTED_VOTE = "weighted_vote"
SMOOTHING_VOTES = 2.0
MOST_CERTAIN = 0.99  # no accuracy on a few gold points is taken for more


def fit_weighted_vote(gold: Gold) -> FittedModel:
    """Learn from gold how much each LF's votes count.

    The one-coin model of voters (Nitzan & Paroush 1982; Dawid & Skene 1979 with one accuracy per voter): an
    LF that is right with probability a, and wrong alike in all other classes, adds log(a (k - 1) / (1 - a))
    to the class it votes for. Its accuracy is a count on gold, shrunk by SMOOTHING_VOTES imaginary votes to
    the accuracy of all LFs together; one that is no better than chance counts nothing. Nothing is asked
    about how often an LF speaks, nor which classes its wrong votes fall on: few gold points cannot tell, and
    what they seem to tell is their own mix of classes.

    Args:
        gold: g points with exactly one class each.

    Returns:
        The model; its weights are the LFs' smoothed accuracies.
    """
    k = gold.Y.shape[1]
    prior = MULTICLASS.class_prior(gold.Y, k)
    accuracy = _smoothed_accuracy(gold)
    weight = np.maximum(0.0, np.log(accuracy * (k - 1) / (1 - accuracy)))
    table = np.zeros((gold.L.shape[1], k + 1, k))
    table[:, 1:, :] = weight[:, None, None] * np.eye(k)
    return additive(WEIGHTED_VOTE, "softmax", prior, table, accuracy)


def _smoothed_accuracy(gold: Gold) -> Floats:
    """Accuracy (m,) of each LF where it votes, each from 1 - MOST_CERTAIN to MOST_CERTAIN."""
    voted = gold.L >= 0
    right = (voted & np.equal(gold.L, gold.Y.argmax(axis=1)[:, None])).sum(axis=0)
    cast = voted.sum(axis=0)
    overall = (right.sum() + 1) / (cast.sum() + 2)
    smoothed = (right + SMOOTHING_VOTES * overall) / (cast + SMOOTHING_VOTES)
    return np.asarray(np.clip(smoothed, 1 - MOST_CERTAIN, MOST_CERTAIN), np.float64)
