"""What a rule does beside the others: the rows that it alone reaches, and those where it contradicts."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from adaptml.errors import LabellingError, listed
from adaptml.reports.interval import wilson
from dataprogramming.votes import Votes

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class RuleEffect:
    """What one labelling function does among m others.

    Attributes:
        name: of the labelling function.
        n: rows.
        hits_rows: rows on which it votes, bool (n,).
        new_rows: rows on which it alone votes, bool (n,).
        conflict_rows: rows on which it votes and another contradicts it, bool (n,).
        covered_before: rows on which others vote.
        right_rows: gold points on which it votes for a class that they have, bool (g,); empty without gold.
        wrong_rows: gold points on which it votes for another, bool (g,).
        has_gold: whether there is any.

    Example:
        >>> effect = adaptml.rule_effect(project.apply_lfs("spam", "comments"), "song")
        >>> effect.covered_before, effect.covered_after, effect.conflicts
        (20, 23, 2)
    """

    name: str
    n: int
    hits_rows: Mask
    new_rows: Mask
    conflict_rows: Mask
    covered_before: int
    right_rows: Mask
    wrong_rows: Mask
    has_gold: bool

    @property
    def votes(self) -> int:
        """Rows on which it votes."""
        return int(self.hits_rows.sum())

    @property
    def new(self) -> int:
        """Rows on which it alone votes."""
        return int(self.new_rows.sum())

    @property
    def conflicts(self) -> int:
        """Rows on which another votes otherwise."""
        return int(self.conflict_rows.sum())

    @property
    def covered_after(self) -> int:
        """Rows with votes, with it."""
        return self.covered_before + self.new

    @property
    def right(self) -> int | None:
        """Votes on gold points for a class that they have."""
        return int(self.right_rows.sum()) if self.has_gold else None

    @property
    def wrong(self) -> int | None:
        """Its other votes on gold points."""
        return int(self.wrong_rows.sum()) if self.has_gold else None

    @property
    def accuracy(self) -> tuple[float, float] | None:
        """The 95 % Wilson interval of its share of right votes; None where it votes on no gold point."""
        right, wrong = int(self.right_rows.sum()), int(self.wrong_rows.sum())
        low, high = wilson(right, right + wrong)
        return (float(low), float(high)) if right + wrong else None


def rule_effect(votes: Votes, name: str) -> RuleEffect:
    """What one of the labelling functions does beside the others.

    Args:
        votes: of all of them, with it.
        name: of the labelling function.

    Raises:
        LabellingError: it is none of them.

    Example:
        >>> effect = adaptml.rule_effect(project.apply_lfs("spam", "comments"), "link")
        >>> effect.votes, effect.new, effect.conflicts, effect.right, effect.wrong
        (4, 4, 0, 2, 0)
    """
    if name not in votes.lf_names:
        raise LabellingError(f"no labelling function {name!r}; expected one of {listed(votes.lf_names, 20)}")
    j = votes.lf_names.index(name)
    mine, others = votes.L[:, j], np.delete(votes.L, j, axis=1)
    hits, before = mine >= 0, (others >= 0).any(axis=1)
    apart = votes.codes.apart[others, mine[:, None]].any(axis=1)
    gold = votes if votes.Y is not None else votes.gold
    nothing = np.zeros(0, np.bool_)
    wrong = nothing if gold is None else gold.is_wrong()[:, j]
    right = nothing if gold is None else (gold.L[:, j] >= 0) & ~wrong
    return RuleEffect(
        name=name,
        n=len(votes),
        hits_rows=hits,
        new_rows=hits & ~before,
        conflict_rows=hits & apart,
        covered_before=int(before.sum()),
        right_rows=right,
        wrong_rows=wrong,
        has_gold=gold is not None,
    )
