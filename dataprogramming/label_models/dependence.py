"""Labelling functions that repeat each other: near-duplicates, and one list within another."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from scipy.special import bdtrc

from adaptml.tasks import MULTICLASS
from dataprogramming.label_models.core import Floats, Gold, Sets, named_classes, truth
from dataprogramming.label_models.overlaps import Overlaps, overlaps
from dataprogramming.label_models.precision import PRIOR_VOTES, gold_counts
from dataprogramming.patterns import CastVotes, as_patterns

DEPENDENT = 0.8  # share of an LF's votes, beyond chance, that another one repeats
MOST_PRECISE = 0.95  # of no vote is more expected: two rules without a flaw would look like one
BY_CHANCE = 0.01


class Dependent(NamedTuple):
    """Two labelling functions, one of which repeats the other.

    Attributes:
        lf: name of the one whose votes are repeated.
        other: name of the one that repeats them.
        kind: `duplicate` where each repeats the other, `contained` where the votes of `lf` are among those of
            `other`.
        share: of the votes of `lf`, those that `other` casts alike, in [0, 1]; of duplicates, the lower one.
    """

    lf: str
    other: str
    kind: Literal["duplicate", "contained"]
    share: float


def find_dependent(
    cast: CastVotes, lf_names: Sequence[str], gold: Gold | None = None, sets: Sets = ()
) -> list[Dependent]:
    """The pairs of labelling functions of which one repeats the other, the most alike first.

    Args:
        cast: votes on n rows, values in {-1, 0 … k + s - 1}.
        lf_names: m names.
        gold: points whose classes are known, by which rules that are right alike are told from those that
            are wrong alike; or None. That of multilabel tasks is not used.
        sets: the s sets of classes.
    """
    if gold is not None and not MULTICLASS.usable(gold.Y).all():
        gold = None
    found = as_patterns(cast)
    k = gold.Y.shape[1] if gold is not None else max(2, int(found.rows.max(initial=-1)) + 1 - len(sets))
    seen = overlaps(found, k + len(sets))
    share, repeated = _repeated(seen, gold, k, sets)
    pairs = []
    for i, j in zip(*np.nonzero(repeated >= DEPENDENT), strict=True):
        if repeated[j, i] < DEPENDENT:
            pairs.append(Dependent(lf_names[i], lf_names[j], "contained", float(share[i, j])))
        elif i < j:
            both = float(min(share[i, j], share[j, i]))
            pairs.append(Dependent(lf_names[i], lf_names[j], "duplicate", both))
    return sorted(pairs, key=lambda pair: -pair.share)


def exponents(seen: Overlaps, gold: Gold | None, k: int, sets: Sets = ()) -> Floats:
    """How much of what each LF's votes say is its own: float64 (m,), values in (0, 1].

    An LF that others repeat counts 1 / (1 + the shares of its votes that they repeat), the design effect of
    correlated samples (Kish 1965, Survey Sampling, 5.4): five copies of a rule count a fifth each, a rule
    within a large list half, and the list, most of which nobody repeats, whole.
    """
    _, repeated = _repeated(seen, gold, k, sets)
    return np.asarray(1 / (1 + np.where(repeated >= DEPENDENT, repeated, 0).sum(axis=1)))


def _repeated(seen: Overlaps, gold: Gold | None, k: int, sets: Sets) -> tuple[Floats, Floats]:
    """The share of each LF's votes that each other LF casts alike, and what of it is beyond chance.

    By chance, two votes that are independent given the class meet on a share
    r_i r_j Σ_c P(c | i) P(c | j) / P(c) of the points, where r is how frequent each is. Of the rest of an
    LF's votes, the share that meets the other's as well is what is beyond chance, as in Cohen's kappa (1960).
    It counts as 0 where as many would meet by chance with a probability above BY_CHANCE.

    Returns:
        Two arrays (m, m), the first index the LF whose votes are repeated; the diagonal is 0.
    """
    balance = MULTICLASS.class_prior(truth(gold), k)
    shares = _at_best(seen, gold, balance, sets)[seen.lfs, seen.classes]
    together, by_chance = np.zeros((2, seen.m, seen.m))
    for code in np.unique(seen.classes):
        own = np.flatnonzero(seen.classes == code)
        block = np.ix_(seen.lfs[own], seen.lfs[own])
        rates = seen.rates[own]
        met = np.outer(rates, rates) * (shares[own] / balance @ shares[own].T)
        together[block] += seen.O[own][:, own].toarray()
        by_chance[block] += np.minimum(met, np.minimum.outer(rates, rates))
    votes = np.maximum(seen.coverage, 1 / seen.n)[:, None]  # of a silent LF, nothing is repeated
    share, chance = together / votes, by_chance / votes
    beyond = np.divide(share - chance, 1 - chance, out=np.zeros_like(share), where=chance < 1)
    as_many = bdtrc(np.round(together * seen.n) - 1, np.round(votes * seen.n).astype(np.int64), chance)
    beyond[(as_many > BY_CHANCE) | np.eye(seen.m, dtype=bool)] = 0
    return share, np.maximum(beyond, 0)


def _at_best(seen: Overlaps, gold: Gold | None, balance: Floats, sets: Sets) -> Floats:
    """P(class | vote), (m, k + s, k), of votes as good as gold allows: good rules meet more often."""
    counts = gold_counts(gold, seen.m, len(balance), sets)
    meant = named_classes(len(balance), sets) * balance
    right = meant / meant.sum(axis=1, keepdims=True)
    shares = (counts + PRIOR_VOTES * right) / (counts.sum(axis=2, keepdims=True) + PRIOR_VOTES)
    return np.asarray(MOST_PRECISE * shares + (1 - MOST_PRECISE) * balance)
