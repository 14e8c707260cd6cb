"""What each vote says of a point's class, from gold, added up."""

import numpy as np

from adaptml.label_scoring import FittedModel, argmax, softmax
from adaptml.tasks import MULTICLASS
from dataprogramming.label_models.base import LabelModel
from dataprogramming.label_models.core import Gold, truth
from dataprogramming.label_models.dependence import exponents
from dataprogramming.label_models.overlaps import Overlaps, overlaps
from dataprogramming.label_models.precision import before_gold, class_shares, gold_counts, right_votes
from dataprogramming.patterns import VotePatterns


class WeightedVote(LabelModel):
    """The class that the votes together make most probable; what each says is learned from gold.

    Naive Bayes over votes, whose silence says nothing. For votes v_j that are independent given the class c,

        P(c | v) ∝ P(c) Π_j P(v_j | c),   and by Bayes' rule   P(v_j | c) = P(v_j) P(c | v_j) / P(c),

    so that P(c | v) ∝ P(c) Π_j P(c | v_j) / P(c): each vote adds log(P(c | v_j) / P(c)) to the log of the
    class balance. One vote alone gives exactly P(c | v_j), the share of class c among the gold points with
    that vote: with a tenth of the points positive, a rule that is right on 40 of its 50 votes makes a point
    positive with probability 0.8. A vote that is right less often than its class is frequent speaks against
    the class, and for those that it falls on.

    Each share is smoothed by PRIOR_VOTES imaginary votes, which are as good as all votes on gold together:
    see `before_gold`. What an LF says counts less where others repeat it: see `exponents`. Its weights are
    the expected shares of each LF's votes that are right; nan for no votes.

    Example:
        >>> L, Y = np.array([[0, 1], [1, 1], [0, 0]]), np.array([[1, 0], [0, 1], [1, 0]])
        >>> adaptml.WeightedVote(cardinality=2).fit(L, L, Y).predict(np.array([[0, 1]])).tolist()
        [[1, 0]]
    """

    name, problem, order, needs_gold = "weighted_vote", MULTICLASS, 1, True
    takes_sets = True

    def _summary(self, votes: VotePatterns) -> Overlaps:
        return overlaps(votes, self.cardinality + len(self.sets))

    def _fit(self, votes: Overlaps, gold: Gold | None) -> FittedModel:
        k = self.cardinality
        balance = MULTICLASS.class_prior(truth(gold), k)
        counts = gold_counts(gold, votes.m, k, self.sets)
        shares = class_shares(counts, before_gold(counts, balance, self.sets))
        table = np.zeros((votes.m, votes.k + 1, k))
        own = exponents(votes, gold, k, self.sets)
        table[:, 1:] = own[:, None, None] * np.log(shares / balance)
        weights = right_votes(shares, votes, self.sets)
        return FittedModel(
            self.name, softmax, argmax, balance, table, np.full(k, 0.5), weights, sets=self.sets
        )


LABEL_MODEL = WeightedVote
