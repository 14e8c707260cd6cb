"""Probabilities of classes and their log-odds, in which evidence adds up."""

from collections.abc import Sequence

import numpy as np

from adaptml.tasks import ProblemType
from modelling.algorithms.core import Floats, Matrix


def vote_log_odds(problem: ProblemType, probs: Floats) -> Matrix:
    """What a label model says of n points' votes, (n, k), as features of an end model: float32 (n, k)."""
    return problem.log_odds(probs).astype(np.float32)


def of_log_odds(problem: ProblemType, log_odds: Matrix | Floats, limits: Floats) -> Floats:
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


def pooled(problem: ProblemType, probs: Sequence[Floats], weights: Floats) -> Floats:
    """What m models say of n points together: the weighted mean of their log-odds.

    A logarithmic opinion pool (Genest and Zidek 1986, https://doi.org/10.1214/ss/1177013825). None is heard
    as surer than `ProblemType.log_odds` allows, so that one that is very sure and wrong does not outvote all
    others.

    Args:
        problem: one class a point, or any number.
        probs: what each says, float64 (n, k).
        weights: float64 (m,), values >= 0 that sum to 1.
    """
    mean = np.tensordot(weights, problem.log_odds(np.stack(probs)), axes=1)
    return of_log_odds(problem, mean, np.full(mean.shape[1], 0.5))


def equal_weights(m: int) -> Floats:
    """Those of m models that count alike, float64 (m,)."""
    return np.full(m, 1 / m)
