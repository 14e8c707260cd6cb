"""What a vote says of a point's class, from gold: the part that weighted vote and Dawid-Skene share."""

import numpy as np

from dataprogramming.label_models.core import Floats, Gold, Sets, named_classes
from dataprogramming.label_models.overlaps import Overlaps

PRIOR_VOTES = 5.0


def gold_counts(gold: Gold | None, m: int, k: int, sets: Sets = ()) -> Floats:
    """How many votes of each LF for each code fall on gold points of each class: float64 (m, k + s, k)."""
    counts = np.zeros((m, k + len(sets), k))
    if gold is not None:
        rows, lfs = np.nonzero(gold.L >= 0)
        np.add.at(counts, (lfs, gold.L[rows, lfs], gold.Y.argmax(axis=1)[rows]), 1)
    return counts


def before_gold(counts: Floats, balance: Floats, sets: Sets = ()) -> Floats:
    """The classes of a point that a vote for each code is expected to mean, before its own LF is looked at.

    A voter knows the class with probability κ and guesses by the class balance otherwise (Hovy et al. 2013,
    MACE, https://aclanthology.org/N13-1132): a vote for class v means v with probability
    κ + (1 - κ) balance_v, and each other class c with (1 - κ) balance_c. One for a set means its classes in
    the proportions of the balance. κ is that of all votes on gold together, by their number that is right,
    with one imaginary vote of a voter that knows and one of a voter that guesses.

    Args:
        counts: as `gold_counts` gives them, (m, k + s, k).
        balance: share of each class, (k,), sums to 1.
        sets: the s sets of classes.

    Returns:
        float64 (k + s, k), above 0; each row sums to 1.
    """
    named = named_classes(len(balance), sets)
    cast = counts.sum(axis=(0, 2))
    right, by_chance = (counts.sum(axis=0) * named).sum(), (cast * (named @ balance)).sum()
    known = max(0.0, (right - by_chance + 1) / (cast.sum() - by_chance + 2))
    meant = named * balance
    return np.asarray(known * meant / meant.sum(axis=1, keepdims=True) + (1 - known) * balance)


def class_shares(counts: Floats, before: Floats) -> Floats:
    """P(class | one vote), float64 (m, k + s, k): counts on gold and PRIOR_VOTES imaginary votes."""
    cast = counts.sum(axis=2, keepdims=True)
    return np.asarray((counts + PRIOR_VOTES * before) / (cast + PRIOR_VOTES))


def right_votes(shares: Floats, seen: Overlaps, sets: Sets = ()) -> Floats:
    """The expected share of each LF's votes that are right, (m,), from P(class | one vote), (m, k + s, k).

    In the mix of votes that it casts; nan for no votes.
    """
    named = named_classes(shares.shape[2], sets)
    right = (shares * named).sum(axis=2)[seen.lfs, seen.classes]
    sums, coverage = np.bincount(seen.lfs, right * seen.rates, seen.m), seen.coverage
    return np.asarray(np.divide(sums, coverage, out=np.full(seen.m, np.nan), where=coverage > 0))
