"""Probabilities of classes and their log-odds, in which evidence adds up."""

import numpy as np

from adaptml.tasks import ProblemType
from modelling.algorithms.core import Floats, Matrix


def vote_log_odds(problem: ProblemType, probs: Floats) -> Matrix:
    """What a label model says of n points' votes, (n, k), as features of an end model: float32 (n, k)."""
    return problem.log_odds(probs).astype(np.float32)


def of_log_odds(problem: ProblemType, log_odds: Matrix, limits: Floats) -> Floats:
    """The probabilities (n, k) that `vote_log_odds` came from, odds divided by those of the limits (k,)."""
    values = np.asarray(log_odds, np.float64)
    if problem.exclusive:
        powers = np.exp(values - values.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True))
    return np.asarray(0.5 * (1 + np.tanh(0.5 * (values - np.log(limits / (1 - limits))))))


def distributions(probs: Floats) -> Floats:
    """Rows (n, k) scaled to sum to 1; a row without any number above 0 becomes equal shares."""
    sums = probs.sum(axis=1, keepdims=True)
    if probs.min() >= 0 and probs.max() <= 1 and sums.min() > 0:  # and none is NaN
        return np.asarray(probs / sums)
    probs = np.clip(np.nan_to_num(probs, nan=0.0), 0.0, 1.0)
    sums = probs.sum(axis=1, keepdims=True)
    return np.asarray(np.divide(probs, sums, out=np.full_like(probs, 1.0 / probs.shape[1]), where=sums > 0))
