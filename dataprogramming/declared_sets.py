"""Sets of classes that labelling functions may vote for: each declares its own, and they have numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain

import numpy as np
import numpy.typing as npt
from snorkel.labeling import LabelingFunction

from adaptml.errors import LabellingError
from adaptml.tasks import Labels
from adaptml.tasks.class_sets import ClassSet, class_numbers, is_class_set, set_text
from adaptml.tasks.vote_codes import MOST_CODES, Sets, VoteCodes
from dataprogramming.rule_lfs import RuleLF

CastVotes = npt.NDArray[np.int8]


@dataclass(frozen=True)
class DeclaredSets:
    """What the votes of m labelling functions stand for.

    Each one's votes are computed and kept with codes of its own: k + i is the i-th of its own sets, whatever
    the others declare. Those of a label matrix are common to all; equal sets share one.

    Attributes:
        k: number of classes.
        own: the sets of each labelling function, in the order in which it declares them.
    """

    k: int
    own: tuple[Sets, ...]

    @cached_property
    def codes(self) -> VoteCodes:
        """What the numbers of the label matrix stand for: all sets, in the order in which they come first."""
        return VoteCodes(self.k, tuple(dict.fromkeys(chain.from_iterable(self.own))))

    def common(self, votes: CastVotes) -> CastVotes:
        """Votes (r, m) in each one's own codes as those of a label matrix; it is changed in place."""
        for j, sets in enumerate(self.own):
            if sets:
                votes[:, j] = recoded(votes[:, j], VoteCodes(self.k, sets), self.codes)
        return votes


def declared_sets(lfs: Sequence[LabelingFunction], labels: Labels) -> DeclaredSets:
    """The sets that labelling functions declare.

    Args:
        lfs: m labelling functions.
        labels: the task's classes.

    Raises:
        LabellingError: a set of what are no classes, or of all of them; or too many sets.
    """
    k = len(labels) - 1
    found = DeclaredSets(k, tuple(_own(lf, labels) for lf in lfs))
    n = len(found.codes.sets)
    if k + n > MOST_CODES:
        raise LabellingError(
            f"the labelling functions vote for {n} different sets of classes, and with {k} classes at most "
            f"{MOST_CODES - k} can be told apart; use fewer, such as not_ of one class each"
        )
    return found


def _own(lf: LabelingFunction, labels: Labels) -> Sets:
    """The sets of one labelling function; one of a single class is a vote for that class."""
    given: Sequence[ClassSet] = getattr(lf, "sets", ())
    if isinstance(lf, RuleLF):
        given = [lf.label] if is_class_set(lf.label) else []
    found: dict[tuple[int, ...], None] = {}
    for one in given:
        try:
            classes = class_numbers(labels, one)
        except ValueError as error:
            raise LabellingError(
                f"the labelling function {lf.name!r} votes for {set_text(one)}: {error}"
            ) from error
        if len(classes) == len(labels) - 1:
            raise LabellingError(
                f"the labelling function {lf.name!r} votes for {set_text(one)}, which are all classes, so "
                "that its votes say nothing; leave one out"
            )
        if len(classes) > 1:
            found[classes] = None
    return tuple(found)


def recoded(L: CastVotes, codes: VoteCodes, to: VoteCodes) -> CastVotes:
    """Votes of one coding as those of another, which has all sets of the first.

    Args:
        L: int8, of any shape; what is below 0 stays as it is.
        codes: of L.
        to: of the result.
    """
    table = np.arange(codes.k + len(codes.sets), dtype=np.int8)
    table[codes.k :] = [to.k + to.sets.index(classes) for classes in codes.sets]
    return np.where(L < 0, L, table[np.maximum(L, 0)])
