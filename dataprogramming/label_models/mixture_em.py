"""For each class, a mixture of the points that it applies to and the others."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from adaptml.label_scoring import (
    FittedModel,
    or_best,
    sigmoid,
    thresholds,
    thresholds_or_best,
)
from adaptml.tasks import MULTILABEL
from dataprogramming.label_models.base import LabelModel
from dataprogramming.label_models.core import Floats, Gold, Indicator, correct_votes, truth
from dataprogramming.patterns import Counts, VotePatterns, vote_patterns

Fired = npt.NDArray[np.bool_]
MAX_ROUNDS = 200
TOLERANCE = 1e-6
PRIOR_PRECISION = 0.8
PRIOR_VOTES = 5.0
MOST_LIKELY = 0.95  # no LF is expected to vote on more of its class's points than this
MIN_POSITIVE = 5
THRESHOLDS = np.round(np.arange(0.05, 0.951, 0.05), 2)


class MixtureEM(LabelModel):
    """For each class, a mixture of the points it applies to and the others, found by EM.

    An LF either votes for the class or is silent about it, and its silence is evidence too: after Dawid &
    Skene (1979), https://doi.org/10.2307/2346806, with two observations (vote, silence) and two true values.
    Gold points take part with their known classes; the share of points that a class applies to stays what
    gold says. Each LF starts with PRIOR_VOTES imaginary votes that are right as often as all votes on gold:
    without them, LFs that seldom vote together, as keywords do, would be explained away. With gold, the
    thresholds are those with the best F1 on it, and a row of which no class passes gets its most probable one
    if that is better on gold; without gold they are 0.5. Its weights are the estimated precision of each LF's
    votes.

    Example:
        >>> L = np.array([[0, 0, -1], [-1, -1, 1]] * 20)
        >>> adaptml.MixtureEM(cardinality=2).fit(L).predict(L[:2]).tolist()
        [[1, 0], [0, 1]]
    """

    name, problem, order = "em", MULTILABEL, 1

    def decide(self, probs: Floats) -> Indicator:
        """Classes above their thresholds, or the most probable one where that was better on gold."""
        flags = super().decide(probs)
        fitted = self._known()
        return or_best(flags, probs, fitted.balance) if fitted.decision is thresholds_or_best else flags

    def _summary(self, votes: VotePatterns) -> VotePatterns:
        return votes

    def _fit(self, votes: VotePatterns, gold: Gold | None) -> FittedModel:
        rates = MULTILABEL.class_prior(truth(gold), self.cardinality)
        table, weights = _learn(votes, gold, rates)
        # Told from where all LFs are silent: what a row without votes gets is the model's own answer.
        silence = sigmoid(table[:, 0].sum(axis=0), rates)
        limits = np.full(self.cardinality, 0.5)
        model = FittedModel(self.name, sigmoid, thresholds, silence, table - table[:, :1], limits, weights)
        return self._with_thresholds(model, gold) if gold is not None and len(gold) else model

    def _with_thresholds(self, model: FittedModel, gold: Gold) -> FittedModel:
        """The model with the thresholds, and the treatment of rows of which none passes, best on gold."""
        plain = replace(model, thresholds=best_thresholds(model.predict_proba(gold.L), gold.Y))
        with_best = replace(plain, decision=thresholds_or_best)
        return with_best if self.goodness(with_best, gold) > self.goodness(plain, gold) else plain


def _learn(votes: VotePatterns, gold: Gold | None, rates: Floats) -> tuple[Floats, Floats]:
    """The table (m, k + 1, k) of what votes and silence add, and the precision (m,) of each LF's votes."""
    L, times = votes.rows, votes.counts
    m, k = L.shape[1], len(rates)
    table = np.zeros((m, k + 1, k))
    precision = _prior_precision(gold)
    right, cast = np.zeros(m), np.zeros(m)
    for c in range(k):
        own = np.flatnonzero(np.equal(L, c).any(axis=0))
        if not len(own):
            continue
        fired = np.equal(L[:, own], c)
        known = None if gold is None else (np.equal(gold.L[:, own], c), gold.Y[:, c] > 0)
        if_true, if_false = _two_class_em(fired, times, known, rates[c], precision)
        table[own, :, c] = np.log((1 - if_true) / (1 - if_false))[:, None]
        table[own, c + 1, c] = np.log(if_true / if_false)
        truly, falsely = rates[c] * if_true, (1 - rates[c]) * if_false
        n_fired = times @ fired
        right[own] += n_fired * truly / (truly + falsely)
        cast[own] += n_fired
    return table, np.divide(right, cast, out=np.full(m, np.nan), where=cast > 0)


def best_thresholds(probs: Floats, Y: Indicator) -> Floats:
    """The threshold of each class (k,) with the best F1; of several, the one nearest 0.5.

    A class with fewer than MIN_POSITIVE gold points keeps 0.5: too few to tell.

    Args:
        probs: (g, k), values in [0, 1].
        Y: (g, k), values in {0, 1}.
    """
    passed = probs[None, :, :] > THRESHOLDS[:, None, None]
    hits = (passed & (Y > 0)).sum(axis=1)
    f1 = 2 * hits / np.maximum(passed.sum(axis=1) + Y.sum(axis=0), 1)
    nearness = 1e-9 * (1 - np.abs(THRESHOLDS - 0.5))
    best = THRESHOLDS[np.argmax(f1 + nearness[:, None], axis=0)]
    return np.where(Y.sum(axis=0) >= MIN_POSITIVE, best, 0.5)


def _prior_precision(gold: Gold | None) -> float:
    """That of all votes on gold together, with PRIOR_VOTES of which PRIOR_PRECISION are right."""
    right, cast = (0, 0) if gold is None else (correct_votes(gold).sum(), (gold.L >= 0).sum())
    return float((right + PRIOR_VOTES * PRIOR_PRECISION) / (cast + PRIOR_VOTES))


def _two_class_em(
    fired: Fired, times: Counts, known: tuple[Fired, Fired] | None, rate: float, precision: float
) -> tuple[Floats, Floats]:
    """P(LF votes | class applies) and P(LF votes | it does not), each (m,), the first the larger.

    Args:
        fired: (u, m), True where the LF votes for the class; each LF votes at least once.
        times: int64 (u,), how often each of these rows occurs.
        known: the same for gold points (g, m), and whether the class applies to each (g,); or None.
        rate: share of points that the class applies to; stays fixed.
        precision: of the imaginary votes; where the class is frequent, it is more.
    """
    found = vote_patterns(fired.view(np.int8))
    patterns, counts = found.rows.astype(np.float64), np.bincount(found.which, times)
    coverage = times @ fired / times.sum()
    precision = max(precision, (1 + rate) / 2)
    # Imaginary points: as many as the LF needs to vote PRIOR_VOTES times.
    points = PRIOR_VOTES / coverage
    true_votes, true_points = np.full(len(coverage), precision * PRIOR_VOTES), rate * points
    true_points = np.maximum(true_points, true_votes / MOST_LIKELY)
    false_votes, false_points = np.full(len(coverage), (1 - precision) * PRIOR_VOTES), (1 - rate) * points
    false_points = np.maximum(false_points, false_votes / MOST_LIKELY)
    if known is not None:
        voted, applies = known
        true_votes, true_points = true_votes + voted[applies].sum(axis=0), true_points + applies.sum()
        false_votes, false_points = false_votes + voted[~applies].sum(axis=0), false_points + (~applies).sum()
    if_true, if_false = true_votes / true_points, false_votes / false_points
    q = np.full(len(patterns), np.inf)
    for _ in range(MAX_ROUNDS):
        if_true = np.maximum(if_true, if_false + TOLERANCE)
        score = np.log(rate / (1 - rate)) + patterns @ np.log(if_true / if_false)
        score += (1 - patterns) @ np.log((1 - if_true) / (1 - if_false))
        before, q = q, 0.5 * (1 + np.tanh(0.5 * score))
        if np.abs(q - before).max() < TOLERANCE:
            break
        inside, outside = q * counts, (1 - q) * counts
        if_true = (inside @ patterns + true_votes) / (inside.sum() + true_points)
        if_false = (outside @ patterns + false_votes) / (outside.sum() + false_points)
    return if_true, if_false


LABEL_MODEL = MixtureEM
