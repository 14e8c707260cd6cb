"""The union of votes: every class that at least one labelling function votes for."""

import numpy as np

from adaptml.label_scoring import FittedModel, noisy_or, thresholds
from adaptml.tasks import MULTILABEL
from dataprogramming.label_models.base import LabelModel
from dataprogramming.label_models.core import Gold, LabelMatrix, correct_votes, truth, votes_table

PRIOR_PRECISION = 0.8
PRIOR_VOTES = 5.0


class Union(LabelModel):
    """Every class that at least one LF votes for.

    Its probability is that of at least one of these votes being right (noisy or: Pearl 1988, Probabilistic
    Reasoning in Intelligent Systems, 4.3.2), from each LF's accuracy on gold, smoothed by PRIOR_VOTES
    imaginary votes of which PRIOR_PRECISION are right. Its weights are these accuracies.

    Example:
        >>> L = np.array([[0, 2], [-1, 1]])
        >>> adaptml.Union(cardinality=3).fit(L).predict(L).tolist()
        [[1, 0, 1], [0, 1, 0]]
    """

    name, problem, order = "union", MULTILABEL, 0

    def _summary(self, L: LabelMatrix) -> int:
        return int(L.shape[1])

    def _fit(self, votes: int, gold: Gold | None) -> FittedModel:
        k = self.cardinality
        right, cast = np.zeros(votes), np.zeros(votes)
        if gold is not None:
            right = correct_votes(gold).astype(np.float64)
            cast = (gold.L >= 0).sum(axis=0).astype(np.float64)
        accuracy = (right + PRIOR_VOTES * PRIOR_PRECISION) / (cast + PRIOR_VOTES)
        # Below what the weakest LF's vote alone gives, so that any vote names its class.
        limits = np.full(k, min(0.5, 0.999 * accuracy.min()))
        table = votes_table(votes, k) * np.log1p(-accuracy)[:, None, None]
        balance = MULTILABEL.class_prior(truth(gold), k)
        return FittedModel(self.name, noisy_or, thresholds, balance, table, limits, accuracy)


LABEL_MODEL = Union
