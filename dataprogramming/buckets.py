"""The rows behind a number: which data points a bucket holds."""

from enum import StrEnum

import numpy as np
import numpy.typing as npt

from adaptml.errors import LabellingError, listed
from dataprogramming.label_models.core import covered
from dataprogramming.votes import Votes

Mask = npt.NDArray[np.bool_]


class Bucket(StrEnum):
    """What the rows of a bucket have in common.

    Those of `wrong`, `right` and `missed` are gold points, all others are points of the sample.
    """

    ALL = "all"  # every point
    HITS = "hits"  # the rule votes
    WRONG = "wrong"  # it votes, for a class that the point does not have
    RIGHT = "right"  # it votes, for a class that the point has
    OVERLAPS = "overlaps"  # it votes, and the other rule does; without one, any other
    CONFLICTS = "conflicts"  # it votes, and the other rule contradicts it; without one, any two do so
    ALONE = "alone"  # it votes, and no other rule does
    UNCOVERED = "uncovered"  # no rule votes
    DISAGREEMENT = "disagreement"  # two rules contradict one another: no class fits both votes
    MISSED = "missed"  # gold points on which no rule votes, or none for a class that the point has


_ON_GOLD = {Bucket.WRONG, Bucket.RIGHT, Bucket.MISSED}
_OF_A_RULE = {Bucket.HITS, Bucket.OVERLAPS, Bucket.CONFLICTS, Bucket.ALONE}


def bucket(
    votes: Votes, which: Bucket, lf: str | None = None, other: str | None = None, label: str | None = None
) -> tuple[Votes, Mask]:
    """The rows of a bucket.

    Args:
        votes: on a sample, with those on gold points as their `gold`, where there are some.
        which: the bucket.
        lf: the rule that it is about; None for any in `wrong` and `right`. The others, but for those of a
            rule, are about no rule.
        other: the second rule of `overlaps` and `conflicts`, or None.
        label: only rows on which the rule, or any where none is named, votes for this class, or for a
            set with it; None for all.

    Returns:
        The votes that the rows are of (the sample's, or those on gold), and which of them: bool (n,).

    Raises:
        LabellingError: no such rule or class, a bucket of a rule without one, or no gold points.
    """
    source = votes
    if which in _ON_GOLD:
        source = _judged(votes)
    if which in _OF_A_RULE and lf is None:
        raise LabellingError(f"the bucket {which} is about a rule and none was named; name one")
    j, b = (_place(votes, name) for name in (lf, other))
    found = _mask(source, which, j, b)
    return source, found if label is None else found & _for_class(source, j, label)


def _mask(source: Votes, which: Bucket, j: int | None, b: int | None) -> Mask:
    L, cast = source.L, source.L >= 0
    mine: Mask = np.asarray(cast.any(axis=1) if j is None else cast[:, j])
    others = cast.sum(axis=1) - 1
    if which in (Bucket.WRONG, Bucket.RIGHT):
        judged = source.is_wrong() if which is Bucket.WRONG else cast & ~source.is_wrong()
        return np.asarray(judged.any(axis=1) if j is None else judged[:, j])
    if which is Bucket.OVERLAPS:
        return np.asarray(mine & (others > 0 if b is None else cast[:, b]))
    if which is Bucket.CONFLICTS:
        apart = source.disagree() if b is None or j is None else source.codes.apart[L[:, b], L[:, j]]
        return np.asarray(mine & apart)
    if which is Bucket.MISSED:
        return np.asarray(~(cast & ~source.is_wrong()).any(axis=1))
    return {
        Bucket.ALL: np.ones(len(source), bool),
        Bucket.HITS: mine,
        Bucket.ALONE: np.asarray(mine & (others == 0)),
        Bucket.UNCOVERED: ~covered(L),
        Bucket.DISAGREEMENT: source.disagree(),
    }[which]


def _judged(votes: Votes) -> Votes:
    if votes.gold is None:
        raise LabellingError(
            f"task {votes.task!r} has no gold points here, so no vote is known to be right or wrong; label "
            "some rows, or annotate some"
        )
    return votes.gold


def _place(votes: Votes, lf: str | None) -> int | None:
    if lf is None:
        return None
    if lf not in votes.lf_names:
        raise LabellingError(f"no labelling function {lf!r}; expected one of {listed(votes.lf_names, 20)}")
    return votes.lf_names.index(lf)


def _for_class(votes: Votes, j: int | None, label: str) -> Mask:
    if label not in votes.class_names:
        raise LabellingError(f"no class {label!r}; expected one of {listed(votes.class_names, 20)}")
    chosen = votes.L if j is None else votes.L[:, [j]]
    return np.asarray(votes.codes.members[chosen, votes.class_names.index(label)].any(axis=1))
