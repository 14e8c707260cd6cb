"""How often each annotator is right, by Dawid and Skene's model, with an interval."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from adaptml.bootstrap import interval
from labelstudio.dawid_skene import SMOOTHING, Codes, Floats, estimate
from labelstudio.label_sets import MISSING, Ratings

RESAMPLES = 200  # each is an estimation of its own
_MAX_ITERATIONS = 100
_TOLERANCE = 1e-4
_CHUNK_CELLS = 2_000_000  # probabilities held at once while resampling: 16 MB
TELLING = 3  # with fewer people, labels do not say who is right where two differ
TOO_FEW = (
    "With two annotators, labels alone do not say who is right where they differ: compare neither with the "
    "other. A third person on some of the points tells them apart."
)


@dataclass(frozen=True)
class Ability:
    """How often one annotator is right.

    Attributes:
        name: the annotator.
        points: points that this annotator labelled.
        value: estimated share of right answers, in [0, 1]; in multilabel tasks of right decisions on a single
            class, averaged over the classes.
        low, high: ends of the 95 % interval.
    """

    name: str
    points: int
    value: float
    low: float
    high: float


def abilities(ratings: Ratings, people: Sequence[str], exclusive: bool, seed: int) -> list[Ability]:
    """Each annotator's ability with a percentile bootstrap interval over points, the least able first.

    The ability is the diagonal of the annotator's confusion matrix weighted by the classes' shares, Σ_t p_t
    C_j[t, t] (Dawid and Skene 1979, Applied Statistics 28(1)). The points are drawn again with replacement
    and everything is estimated anew on each draw (Efron and Tibshirani 1993, An Introduction to the
    Bootstrap, chapter 13).

    Args:
        ratings: n points with at least one label each, m annotators.
        people: m names; those who labelled nothing are left out of the result.
        exclusive: whether each label set is one answer; else every class is decided by itself.
        seed: seed of the bootstrap.
    """
    points = (ratings.codes != MISSING).sum(axis=0)
    labelling = [j for j, n in enumerate(points) if n]
    ratings = Ratings(ratings.codes[:, labelling], ratings.sets)
    models = models_of(ratings, exclusive)
    values = np.mean([_point_estimate(codes, q) for codes, q in models], axis=0)
    draws = np.mean([_resampled(codes, q, seed) for codes, q in models], axis=0)
    found = [
        Ability(people[j], int(points[j]), float(values[i]), *interval(draws[~np.isnan(draws[:, i]), i]))
        for i, j in enumerate(labelling)
    ]
    return sorted(found, key=lambda ability: ability.value)


def models_of(ratings: Ratings, exclusive: bool) -> list[tuple[Codes, int]]:
    """What is estimated by itself: codes (n, m) with values in {-1, 0 … q-1}, and q."""
    if exclusive:
        return [(ratings.codes, len(ratings.sets))]
    return [(ratings.of_class(place).codes, 2) for place in range(ratings.sets.shape[1])]


def _point_estimate(codes: Codes, q: int) -> Floats:
    found = estimate(codes, q)
    accuracy: Floats = np.einsum("mtt,t->m", found.confusion, found.shares)
    return accuracy


def _resampled(codes: Codes, q: int, seed: int) -> Floats:
    """The abilities (r, m) in each of r draws of the points; NaN for who labelled none of a draw's points."""
    rng = np.random.default_rng(seed)
    rows, times = np.unique(codes, axis=0, return_counts=True)
    weights = rng.multinomial(len(codes), times / times.sum(), size=RESAMPLES).astype(np.float64)
    chunk = max(1, _CHUNK_CELLS // (len(rows) * q))
    parts = [weights[start : start + chunk] for start in range(0, RESAMPLES, chunk)]
    return np.concatenate([_weighted_abilities(rows, q, part) for part in parts])


def _weighted_abilities(rows: Codes, q: int, weights: Floats) -> Floats:
    """As `labelstudio.dawid_skene.estimate`, for r weightings of p distinct points at once.

    Args:
        rows: (p, m), values in {-1, 0 … q-1}.
        q: number of classes.
        weights: (r, p), how often each point counts.

    Returns:
        (r, m) abilities.
    """
    p, m = rows.shape
    votes = np.stack([rows == s for s in range(q)], axis=2).astype(np.float64)  # (p, m, q)
    flat = votes.reshape(p, m * q)
    probs = np.broadcast_to(votes.sum(axis=1) / votes.sum(axis=(1, 2))[:, None], (len(weights), p, q))
    for _ in range(_MAX_ITERATIONS):
        weighted = probs * weights[:, :, None]
        counts = (weighted.transpose(0, 2, 1) @ flat).reshape(-1, q, m, q) + SMOOTHING  # (r, t, m, s)
        confusion = counts / counts.sum(axis=3, keepdims=True)
        shares = weighted.sum(axis=1) / weights.sum(axis=1, keepdims=True)
        said = np.log(confusion).transpose(0, 2, 3, 1).reshape(-1, m * q, q)
        with np.errstate(divide="ignore"):  # a class that no draw has is impossible in it
            log_joint = np.log(shares)[:, None, :] + flat @ said
        joint = np.exp(log_joint - log_joint.max(axis=2, keepdims=True))
        before, probs = probs, joint / joint.sum(axis=2, keepdims=True)
        if np.abs(probs - before).max() < _TOLERANCE:
            break
    found: Floats = np.einsum("rtmt,rt->rm", confusion, shares)
    found[weights @ votes.sum(axis=2) == 0] = np.nan
    return found
