"""A vote weighted by how often each LF's votes are right on gold, smoothed."""

import numpy as np

from adaptml.label_scoring import FittedModel, argmax, softmax
from adaptml.tasks import MULTICLASS
from dataprogramming.label_models.base import LabelModel
from dataprogramming.label_models.core import Floats, Gold, LabelMatrix

SMOOTHING_VOTES = 2.0
MOST_CERTAIN = 0.99  # no accuracy on a few gold points is taken for more


class WeightedVote(LabelModel):
    """The class whose votes weigh most; how much each LF's votes weigh is learned from gold.

    The one-coin model of voters (Nitzan & Paroush 1982; Dawid & Skene 1979 with one accuracy per voter): an
    LF that is right with probability a, and wrong alike in all other classes, adds log(a (k - 1) / (1 - a))
    to the class it votes for. Its accuracy is a count on gold, shrunk by SMOOTHING_VOTES imaginary votes to
    the accuracy of all LFs together; one that is no better than chance counts nothing. Nothing is asked
    about how often an LF speaks, nor which classes its wrong votes fall on: few gold points cannot tell, and
    what they seem to tell is their own mix of classes. Its weights are the LFs' smoothed accuracies.

    Example:
        >>> L, Y = np.array([[0, 1], [1, 1], [0, 0]]), np.array([[1, 0], [0, 1], [1, 0]])
        >>> adaptml.WeightedVote(cardinality=2).fit(L, L, Y).predict(np.array([[0, 1]])).tolist()
        [[1, 0]]
    """

    name, problem, order, needs_gold = "weighted_vote", MULTICLASS, 1, True

    def summary(self, L: LabelMatrix) -> int:
        """How many labelling functions there are."""
        return int(L.shape[1])

    def _fit(self, votes: int, gold: Gold | None) -> FittedModel:
        k = self.cardinality
        known = gold or Gold(np.empty((0, votes), np.int8), np.empty((0, k), np.int8))
        accuracy = _smoothed_accuracy(known)
        weight = np.maximum(0.0, np.log(accuracy * (k - 1) / (1 - accuracy)))
        table = np.zeros((votes, k + 1, k))
        table[:, 1:, :] = weight[:, None, None] * np.eye(k)
        balance = MULTICLASS.class_prior(known.Y, k)
        return FittedModel(self.name, softmax, argmax, balance, table, np.full(k, 0.5), accuracy)


def _smoothed_accuracy(gold: Gold) -> Floats:
    """Accuracy (m,) of each LF where it votes, each from 1 - MOST_CERTAIN to MOST_CERTAIN."""
    voted = gold.L >= 0
    right = (voted & np.equal(gold.L, gold.Y.argmax(axis=1)[:, None])).sum(axis=0)
    cast = voted.sum(axis=0)
    overall = (right.sum() + 1) / (cast.sum() + 2)
    smoothed = (right + SMOOTHING_VOTES * overall) / (cast + SMOOTHING_VOTES)
    return np.asarray(np.clip(smoothed, 1 - MOST_CERTAIN, MOST_CERTAIN), np.float64)


LABEL_MODEL = WeightedVote
