"""Majority vote: every vote counts the same."""

import numpy as np

from adaptml.label_scoring import FittedModel, argmax, share
from adaptml.tasks import MULTICLASS
from dataprogramming.label_models.base import LabelModel
from dataprogramming.label_models.core import Gold, truth, votes_table
from dataprogramming.patterns import VotePatterns


class MajorityVote(LabelModel):
    """The class with the most votes.

    The probability of a class is its share of the votes, with the class balance counted as one vote more:
    the mean of a Dirichlet posterior. So ties go to the more frequent class and more votes mean more
    certainty. The class balance comes from gold; without gold all classes are equally frequent. A vote for a
    set of classes is one vote, split evenly among them.

    Example:
        >>> L = np.array([[0, 0, 1]])
        >>> adaptml.MajorityVote(cardinality=2).fit(L).predict_proba(L)
        array([[0.625, 0.375]])
    """

    name, problem, order = "majority_vote", MULTICLASS, 0
    takes_sets = True

    def _summary(self, votes: VotePatterns) -> int:
        return int(votes.rows.shape[1])

    def _fit(self, votes: int, gold: Gold | None) -> FittedModel:
        k = self.cardinality
        balance = MULTICLASS.class_prior(truth(gold), k)
        table = votes_table(votes, k, self.sets)
        return FittedModel(
            self.name, share, argmax, balance, table, np.full(k, 0.5), np.ones(votes), sets=self.sets
        )


LABEL_MODEL = MajorityVote
