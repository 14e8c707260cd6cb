"""What each labelling function does, how often it is right on gold, and what looks wrong."""

from collections.abc import Sequence
from hashlib import blake2b
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pandas as pd

from adaptml.errors import listed
from adaptml.tasks.vote_codes import Sets, VoteCodes
from dataprogramming.label_models.config import MIN_LFS
from dataprogramming.label_models.core import Floats, Gold, LabelMatrix, correct_votes
from dataprogramming.label_models.dependence import find_dependent
from dataprogramming.lf_table import Counts, VoteCounts, count_votes, lf_table
from dataprogramming.patterns import CastVotes, VotePatterns, as_patterns

MOST_COVERAGE = 0.5
FEW_COMMON_VOTES = 5
MOST_DEPENDENT = 5  # pairs of labelling functions that are named
FEW_VOTES_ON_GOLD = 3
BATCH_ROWS = 100_000
# Of `lf_table`: counts that are shares in the summary already, and the interval.
NOT_IN_SUMMARY = ["votes", "n_overlaps", "n_conflicts", "accuracy_low", "accuracy_high"]


def lf_summary(
    cast: CastVotes,
    lf_names: Sequence[str],
    class_names: Sequence[str],
    weights: Floats,
    gold: npt.NDArray[np.int8] | None = None,
    counts: VoteCounts | None = None,
    sets: Sets = (),
) -> pd.DataFrame:
    """A row per labelling function; shares are of all n rows, as in Snorkel's LFAnalysis.lf_summary.

    Args:
        cast: votes on n rows, values in {-1, 0 … k-1}, and from k on for sets of classes.
        lf_names: m names.
        class_names: k names.
        weights: float64 (m,), the learned weights.
        gold: true classes (n, k), values in {0, 1}, or None. A vote is correct if the point has that
            class, or one of the set.
        counts: of these votes, where they were counted already.
        sets: code k + i is a vote for one of the classes in sets[i].

    Returns:
        Frame of m rows: lf, polarity (names of what it votes for), coverage, overlaps (it votes and
        another does), conflicts (it votes on a row where two LFs disagree), learned_weight; with gold also
        correct, incorrect (counts) and empirical_accuracy (nan for an LF without votes).
    """
    known = None if gold is None else Gold(as_patterns(cast).matrix(), gold)
    table = lf_table(cast, lf_names, class_names, sets, weights=weights, gold=known, counts=counts)
    return table.drop(columns=NOT_IN_SUMMARY, errors="ignore")


def find_problems(
    cast: CastVotes,
    gold: Gold | None,
    lf_names: Sequence[str],
    class_names: Sequence[str],
    counts: VoteCounts | None = None,
    sets: Sets = (),
) -> list[str]:
    """What looks wrong with labelling functions and gold: one sentence each, naming the LF or the class.

    Args:
        cast: votes on the n points to label.
        gold: points whose classes are known, or None.
        lf_names: m names.
        class_names: k names.
        counts: of these votes, where they were counted already.
        sets: code k + i is a vote for one of the classes in sets[i].
    """
    patterns = as_patterns(cast)
    m, k = patterns.rows.shape[1], len(class_names)
    problems = []
    if m < MIN_LFS:
        problems.append(f"there are fewer than {MIN_LFS} labelling functions ({m}): write more of them")
    codes = VoteCodes(k, sets)
    found = counts or count_votes(patterns, codes)
    votes = found.votes
    coverage = votes / max(found.n, 1)
    silent = [lf_names[j] for j in np.flatnonzero(coverage == 0).tolist()]
    if silent:
        problems.append(f"{_lfs(silent)} never {_vote(silent)}: look at what {_it(silent)} looks for")
    problems += [
        f"labelling function {name} votes on {share:.0%} of the points, more than {MOST_COVERAGE:.0%}: "
        "a rule that general is seldom right"
        for name, share in zip(lf_names, coverage, strict=True)
        if share > MOST_COVERAGE
    ]
    named = np.asarray(codes.members[np.flatnonzero(found.votes_for)].any(axis=0))
    unnamed = [class_names[c] for c in range(k) if not named[c]]
    if unnamed:
        problems.append(f"no labelling function votes for {listed(unnamed)} on any point: write one")
    twins = _twins(patterns.rows, votes)
    problems += [_twin(pair, votes, lf_names) for pair in twins]
    problems += _dependents(patterns, gold, lf_names, sets, {(lf_names[i], lf_names[j]) for i, j in twins})
    return problems if gold is None else problems + _gold_problems(gold, lf_names, class_names, codes)


def _gold_problems(
    gold: Gold, lf_names: Sequence[str], class_names: Sequence[str], codes: VoteCodes
) -> list[str]:
    problems = []
    absent = [class_names[c] for c in np.flatnonzero(gold.Y.sum(axis=0) == 0).tolist()]
    if absent:
        problems.append(
            f"no gold point has the class {listed(absent)}: annotate some, nothing is known of it"
        )
    cast, correct, chance = (gold.L >= 0).sum(axis=0), correct_votes(gold, codes.sets), _chance(gold, codes)
    return problems + [
        f"labelling function {lf_names[j]} is worse than chance on gold: {correct[j]} of {cast[j]} votes are "
        f"right ({correct[j] / cast[j]:.0%}); on gold points drawn at random, {chance[j]:.0%} would be"
        for j in range(len(cast))
        if cast[j] >= FEW_VOTES_ON_GOLD and correct[j] < chance[j] * cast[j]
    ]


def _chance(gold: Gold, codes: VoteCodes) -> Floats:
    """The accuracy (m,) that each LF's votes would have on points drawn at random from gold."""
    share = (gold.Y.astype(np.int64) @ codes.members[:-1].T > 0).mean(axis=0)  # of points that fit a vote
    by_code = count_votes(gold.L, codes).by_code
    return np.asarray(by_code @ share / np.maximum(by_code.sum(axis=1), 1), np.float64)


def _twins(rows: LabelMatrix, votes: Counts) -> list[tuple[int, int]]:
    """Pairs of LFs that always vote alike, wherever one of them votes: their columns are equal."""
    alike: dict[bytes, list[int]] = {}
    for j, digest in enumerate(_digests(rows)):
        if votes[j] >= FEW_COMMON_VOTES:
            alike.setdefault(digest, []).append(j)
    return sorted(pair for group in alike.values() for pair in combinations(group, 2))


def _twin(pair: tuple[int, int], votes: Counts, lf_names: Sequence[str]) -> str:
    i, j = pair
    return (
        f"labelling functions {lf_names[i]} and {lf_names[j]} always agree ({votes[i]} votes): "
        "one of them adds nothing but the weight of the other"
    )


def _dependents(
    cast: VotePatterns, gold: Gold | None, lf_names: Sequence[str], sets: Sets, said: set[tuple[str, str]]
) -> list[str]:
    """A sentence for each pair of LFs of which one repeats the other, but for those of which it was said."""
    found = [pair for pair in find_dependent(cast, lf_names, gold, sets) if (pair.lf, pair.other) not in said]
    sentences = [
        f"{pair.share:.0%} of the votes of labelling function {pair.lf} are cast by {pair.other} too"
        + (", and the other way round" if pair.kind == "duplicate" else "")
        + ": they are hardly two opinions; merge them, or look for something else with one of them"
        for pair in found[:MOST_DEPENDENT]
    ]
    if len(found) > MOST_DEPENDENT:
        pairs = f"{more} more pairs" if (more := len(found) - MOST_DEPENDENT) > 1 else "1 more pair"
        sentences.append(f"{pairs} of labelling functions of which one repeats the other so")
    return sentences


def _digests(rows: LabelMatrix) -> list[bytes]:
    """One for each column (m,), the same for equal columns only."""
    found = [blake2b() for _ in range(rows.shape[1])]
    for start in range(0, len(rows), BATCH_ROWS):
        batch = np.ascontiguousarray(rows[start : start + BATCH_ROWS].T)
        for digest, column in zip(found, batch, strict=True):
            digest.update(column)
    return [digest.digest() for digest in found]


def _lfs(names: Sequence[str]) -> str:
    return f"labelling function{'s' if len(names) > 1 else ''} {listed(names)}"


def _vote(names: Sequence[str]) -> str:
    return "vote" if len(names) > 1 else "votes"


def _it(names: Sequence[str]) -> str:
    return "each" if len(names) > 1 else "it"
