"""Majority vote: every vote counts the same."""

import numpy as np

from dataprogramming.label_models.core import Floats, additive, votes_table
from dataprogramming.label_models.scoring import FittedModel

MAJORITY_VOTE = "majority_vote"


def fit_majority(m: int, balance: Floats) -> FittedModel:
    """Majority vote of m LFs.

    The probability of a class is its share of the votes, with the class balance counted as one vote more:
    the mean of a Dirichlet posterior. So ties go to the more frequent class and more votes mean more
    certainty.

    Args:
        m: number of LFs.
        balance: float64 (k,), sums to 1.
    """
    return additive(MAJORITY_VOTE, "share", balance, votes_table(m, len(balance)), np.ones(m))
