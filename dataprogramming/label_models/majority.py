"""Majority vote: every vote counts the same."""

import numpy as np

from adaptml.label_scoring import FittedModel, argmax, share
from adaptml.tasks import MULTICLASS
from dataprogramming.label_models.base import LabelModel
from dataprogramming.label_models.core import Gold, LabelMatrix, truth, votes_table


class MajorityVote(LabelModel):
    """The class with the most votes.

    The probability of a class is its share of the votes, with the class balance counted as one vote more:
    the mean of a Dirichlet posterior. So ties go to the more frequent class and more votes mean more
    certainty. The class balance comes from gold; without gold all classes are equally frequent.

    Example:
        >>> L = np.array([[0, 0, 1]])
        >>> adaptml.MajorityVote(cardinality=2).fit(L).predict_proba(L)
        array([[0.625, 0.375]])
    """

    name, problem, order = "majority_vote", MULTICLASS, 0

    def summary(self, L: LabelMatrix) -> int:
        """How many labelling functions there are."""
        return int(L.shape[1])

    def _fit(self, votes: int, gold: Gold | None) -> FittedModel:
        k = self.cardinality
        balance = MULTICLASS.class_prior(truth(gold), k)
        return FittedModel(
            self.name, share, argmax, balance, votes_table(votes, k), np.full(k, 0.5), np.ones(votes)
        )


LABEL_MODEL = MajorityVote
