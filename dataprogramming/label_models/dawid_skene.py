"""How likely each LF's votes and its silence are on points of each class, found by EM."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from adaptml.label_scoring import FittedModel, argmax, softmax
from adaptml.tasks import MULTICLASS
from dataprogramming.label_models.base import LabelModel
from dataprogramming.label_models.core import Floats, Gold, Sets, truth
from dataprogramming.label_models.dependence import exponents
from dataprogramming.label_models.overlaps import Overlaps, one_hot, overlaps
from dataprogramming.label_models.precision import PRIOR_VOTES, before_gold, gold_counts, right_votes
from dataprogramming.patterns import VotePatterns

MAX_ROUNDS = 100
TOLERANCE = 1e-3
MOST_LIKELY = 0.95  # no LF is expected to vote on more of a class's points than this
COUNTED_AS = (np.inf, 10.0, 1.0, 0.1)  # most that unlabelled points together may count, in times the gold
LEAST = 1e-12


@dataclass(frozen=True)
class Patterns:
    """The distinct rows of a label matrix of n rows.

    Attributes:
        votes: sparse one-hot (u, m * codes).
        counts: float64 (u,), how often each row occurs.
        seen: how often votes meet.
    """

    votes: sparse.csr_array
    counts: Floats
    seen: Overlaps


class DawidSkene(LabelModel):
    """Each LF's votes, and its silence, as likely as they are on points of each class.

    Dawid & Skene (1979), https://doi.org/10.2307/2346806, with silence as one more observation: LFs that know
    only one class would otherwise say nothing. EM over all points: from how likely each observation is in
    each class follow each point's class probabilities, and from those how likely each observation is. Gold
    points take part with their known classes, and the class balance stays what gold says; without gold all
    classes are equally frequent. Each LF starts with PRIOR_VOTES imaginary votes as good as all votes
    on gold together (`before_gold`): without them, LFs that seldom vote together would be explained away.

    LFs that repeat each other count less (`exponents`), but they may still depend on each other in a way that
    many unlabelled points make the model believe. So how much these count against gold is chosen (EM-λ: Nigam
    et al. 2000, https://doi.org/10.1023/A:1007692713085): all of them, or as many gold points ten times, once
    or a tenth, whichever gives gold the least log loss, each gold point being judged without what it adds to
    the counts itself. Its weights are the expected shares of each LF's votes that are right; nan for no
    votes.

    Example:
        >>> L = np.array([[0, 0, -1], [-1, 1, 1]] * 20)
        >>> adaptml.DawidSkene(cardinality=2).fit(L).predict(L[:2]).tolist()
        [[1, 0], [0, 1]]
    """

    name, problem, order = "dawid_skene", MULTICLASS, 3
    takes_sets = True

    def _summary(self, votes: VotePatterns) -> Patterns:
        codes = self.cardinality + len(self.sets)
        seen = overlaps(votes, codes)
        return Patterns(one_hot(votes.rows, codes), votes.counts.astype(np.float64), seen)

    def _fit(self, votes: Patterns, gold: Gold | None) -> FittedModel:
        k = self.cardinality
        balance = MULTICLASS.class_prior(truth(gold), k)
        em = _EM(votes, gold, balance, self.sets)
        table = em.table(em.best())
        shares = np.exp(table[:, 1:]) * balance
        weights = right_votes(shares / shares.sum(axis=2, keepdims=True), votes.seen, self.sets)
        table *= em.own[:, None, None]
        return FittedModel(
            self.name, softmax, argmax, balance, table, np.full(k, 0.5), weights, sets=self.sets
        )


@dataclass(frozen=True)
class _Counts:
    """How often what was observed on points of each class: votes (a, k) of each pair, points (m, k)."""

    votes: Floats
    points: Floats


class _EM:
    """EM on the votes of one label matrix and one gold, for the (LF, code) pairs (a,) that occur."""

    def __init__(self, seen: Patterns, gold: Gold | None, balance: Floats, sets: Sets) -> None:
        m, codes, k = seen.seen.m, seen.seen.k, len(balance)
        self.shape, self.balance, self.counts = (m, codes, k), balance, seen.counts
        known = gold or Gold(np.empty((0, m), np.int8), np.empty((0, k), np.int8))
        on_gold = one_hot(known.L, codes)
        cast = seen.votes.T @ seen.counts + on_gold.sum(axis=0)
        self.pairs = np.flatnonzero(cast)
        self.lf = self.pairs // codes
        self.votes, self.on_gold = seen.votes[:, self.pairs], on_gold[:, self.pairs]
        self.truth, self.n_gold = known.Y.argmax(axis=1), len(known)
        self.own = exponents(seen.seen, gold, k, sets)
        before = before_gold(gold_counts(gold, m, k, sets), balance, sets)
        imaginary = self._imaginary(cast[self.pairs], before[self.pairs % codes])
        Y = known.Y.astype(np.float64)
        self.start = _Counts(imaginary.votes + self.on_gold.T @ Y, imaginary.points + Y.sum(axis=0))

    def best(self) -> _Counts:
        """The counts after EM in which unlabelled points count what is best for gold."""
        n = self.counts.sum()
        shares = [min(1.0, times * self.n_gold / n) for times in COUNTED_AS] if self.n_gold else [1.0]
        found = [self._run(share) for share in dict.fromkeys(shares)]
        return min(found, key=self._loss) if len(found) > 1 else found[0]

    def table(self, counts: _Counts) -> Floats:
        """The log-likelihood of silence and of each code, (m, codes + 1, k); a code never seen is silence."""
        codes = self.shape[1]
        spoken, silent = self._logs(counts.votes, self._silent(counts), counts.points)
        table = np.repeat(silent[:, None], codes + 1, axis=1)
        table[self.lf, self.pairs % codes + 1] += spoken
        return table

    def _imaginary(self, cast: Floats, before: Floats) -> _Counts:
        """So many points that each LF casts PRIOR_VOTES votes for each of its codes, in its own mix."""
        m = self.shape[0]
        per_lf = np.bincount(self.lf, cast, m)
        n_codes = np.bincount(self.lf, minlength=m)
        votes = (PRIOR_VOTES * n_codes[self.lf] * cast / per_lf[self.lf])[:, None] * before
        n = self.counts.sum() + self.n_gold
        size = np.divide(PRIOR_VOTES * n_codes * n, per_lf, out=np.ones(m), where=per_lf > 0)
        points = np.maximum(size[:, None] * self.balance, self._by_lf(votes) / MOST_LIKELY)
        return _Counts(votes, points)

    def _run(self, share: float) -> _Counts:
        """EM in which an unlabelled point counts as this share of a gold point."""
        counts, weights, q = self.start, self.counts[:, None] * share, np.array([np.inf])
        for _ in range(MAX_ROUNDS):
            before, q = q, _softmax(self._scores(self.votes, counts))
            if np.abs(q - before).max() < TOLERANCE:
                break
            inside = q * weights
            counts = _Counts(self.start.votes + self.votes.T @ inside, self.start.points + inside.sum(axis=0))
        return counts

    def _loss(self, counts: _Counts) -> float:
        """Log loss of gold, each point without its own part in the counts."""
        every = np.arange(self.n_gold)
        scores = self._scores(self.on_gold, counts)
        without = self._scores(self.on_gold, counts, 1.0)
        scores[every, self.truth] = without[every, self.truth]
        probs = _softmax(scores)[every, self.truth]
        return float(-np.log(np.maximum(probs, LEAST)).mean())

    def _scores(self, votes: sparse.csr_array, counts: _Counts, less: float = 0.0) -> Floats:
        """Log of balance times likelihood of rows of votes, (rows, k), all counts being lower by `less`."""
        silent = self._silent(counts)
        spoken, unspoken = self._logs(counts.votes - less, silent - less, counts.points - less)
        always = np.log(self.balance) + self.own @ unspoken
        return np.asarray(always + votes @ (self.own[self.lf][:, None] * spoken))

    def _logs(self, votes: Floats, silent: Floats, points: Floats) -> tuple[Floats, Floats]:
        """The log-likelihood of silence, (m, k), and what each vote has on top of it, (a, k)."""
        votes, silent, points = (np.log(np.maximum(counts, LEAST)) for counts in (votes, silent, points))
        unspoken = silent - points
        return votes - points[self.lf] - unspoken[self.lf], unspoken

    def _silent(self, counts: _Counts) -> Floats:
        return counts.points - self._by_lf(counts.votes)

    def _by_lf(self, votes: Floats) -> Floats:
        """Sums over the pairs of each LF, (m, k)."""
        sums = np.zeros((self.shape[0], self.shape[2]))
        np.add.at(sums, self.lf, votes)
        return sums


def _softmax(scores: Floats) -> Floats:
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


LABEL_MODEL = DawidSkene
