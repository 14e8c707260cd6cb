"""The union of votes: every class that at least one labelling function votes for."""

import numpy as np

from adaptml.label_scoring import FittedModel, leaky_or, thresholds
from adaptml.tasks import MULTILABEL
from dataprogramming.label_models.base import LabelModel
from dataprogramming.label_models.core import Floats, Gold, correct_votes, votes_table
from dataprogramming.patterns import VotePatterns

PRIOR_PRECISION = 0.8
PRIOR_VOTES = 5.0
LEAST = 1e-3  # any vote makes its class at least so much more probable than silence, of what is left to 1


class Union(LabelModel):
    """Every class that at least one LF votes for.

    Its probability is that of at least one cause being there, each LF's vote being one and all that no LF
    knows of another (noisy or: Pearl 1988, Probabilistic Reasoning in Intelligent Systems, 4.3.2; with a
    leak: Henrion 1989, https://arxiv.org/abs/1304.1499). With leak λ_c, the share of class c among the gold
    points for which no LF votes for it, and a_j, the accuracy of LF j on gold,
    P(c) = 1 - (1 - λ_c) Π_j (1 - a_j) / (1 - λ_c) over the LFs that vote for c: one vote alone gives a_j,
    silence λ_c. Without gold, the leak is 0.

    Its weights are these accuracies, which `smoothed_accuracy` smooths.

    Example:
        >>> L = np.array([[0, 2], [-1, 1]])
        >>> adaptml.Union(cardinality=3).fit(L).predict(L).tolist()
        [[1, 0, 1], [0, 1, 0]]
    """

    name, problem, order = "union", MULTILABEL, 0

    def _summary(self, votes: VotePatterns) -> int:
        return int(votes.rows.shape[1])

    def _fit(self, votes: int, gold: Gold | None) -> FittedModel:
        accuracy = smoothed_accuracy(votes, gold)
        leak = np.zeros(self.cardinality) if gold is None else _leak(gold)
        missed = np.minimum((1 - accuracy)[:, None] / (1 - leak), 1 - LEAST)
        # Between silence and the weakest LF's vote alone, so that any vote names its class and nothing else.
        limits = np.maximum(leak, np.minimum(0.5, leak + 0.999 * (1 - leak) * (1 - missed.max(axis=0))))
        table = votes_table(votes, self.cardinality)
        table[:, 1:] *= np.log(missed)[:, None]
        return FittedModel(self.name, leaky_or, thresholds, leak, table, limits, accuracy)


def smoothed_accuracy(m: int, gold: Gold | None) -> Floats:
    """The share of each LF's votes on gold that are right, (m,), with PRIOR_VOTES imaginary ones.

    These are right as often as those of all LFs together, with PRIOR_VOTES of which PRIOR_PRECISION are.
    """
    right, cast = np.zeros(m), np.zeros(m)
    if gold is not None:
        right, cast = correct_votes(gold).astype(np.float64), (gold.L >= 0).sum(axis=0).astype(np.float64)
    every = (right.sum() + PRIOR_VOTES * PRIOR_PRECISION) / (cast.sum() + PRIOR_VOTES)
    return np.asarray((right + PRIOR_VOTES * every) / (cast + PRIOR_VOTES))


def _leak(gold: Gold) -> Floats:
    """P(class | no LF votes for it), (k,), by Laplace's rule of succession."""
    silent = np.stack([~np.equal(gold.L, c).any(axis=1) for c in range(gold.Y.shape[1])], axis=1)
    return np.asarray(((gold.Y * silent).sum(axis=0) + 1) / (silent.sum(axis=0) + 2))


LABEL_MODEL = Union
