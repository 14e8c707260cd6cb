"""The votes on old and on new rows, counted and compared."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from adaptml.evaluation import metric_names
from adaptml.tasks import ABSTAIN
from adaptml.tasks.vote_codes import VoteCodes
from dataprogramming.label_models.core import LabelMatrix, covered
from dataprogramming.watching.statistics import FEWEST, Kind, Quantity, compare_shares


@dataclass
class VoteCounts:
    """Votes on n rows, counted; rows are added chunk by chunk.

    Attributes:
        n: rows.
        covered: rows with a vote.
        by_lf: int64 (m,), on how many rows each labelling function votes.
        by_class: int64 (k,), on how many rows there is a vote for each class, or for a set with it.
    """

    m: int
    codes: VoteCodes

    def __post_init__(self) -> None:
        self.n = self.covered = 0
        self.by_lf, self.by_class = np.zeros(self.m, np.int64), np.zeros(self.codes.k, np.int64)

    def add(self, L: LabelMatrix) -> "VoteCounts":
        """Count a label matrix (r, m); returns itself."""
        self.n += len(L)
        self.covered += int(covered(L).sum())
        self.by_lf += (L != ABSTAIN).sum(axis=0)
        self.by_class += np.array([of_class[L].any(axis=1).sum() for of_class in self.codes.members.T])
        return self


def compare_votes(
    lf_names: Sequence[str], class_names: Sequence[str], old: VoteCounts, new: VoteCounts
) -> list[Quantity]:
    """Coverage of each labelling function, rows without votes, and the classes that votes are for.

    Rows are counted, not votes: those of one row hang together, and no test of shares would hold of them.

    Args:
        lf_names: m names.
        class_names: k names.
        old, new: the votes on the rows of each side.
    """
    found = [
        compare_shares(
            Kind.COVERAGE,
            f"{Kind.COVERAGE}/{clean}",
            f"rows that {name} votes on",
            (int(old.by_lf[j]), old.n),
            (int(new.by_lf[j]), new.n),
            name,
        )
        for j, (name, clean) in enumerate(zip(lf_names, metric_names(lf_names), strict=True))
    ]
    bare = (old.n - old.covered, old.n), (new.n - new.covered, new.n)
    found.append(compare_shares(Kind.UNCOVERED, Kind.UNCOVERED, "rows without votes", *bare))
    if min(old.covered, new.covered) < FEWEST:
        return found
    return found + [
        compare_shares(
            Kind.VOTED,
            f"{Kind.VOTED}/{clean}",
            f"rows with a vote for {name}, of those with votes",
            (int(old.by_class[c]), old.covered),
            (int(new.by_class[c]), new.covered),
            name,
        )
        for c, (name, clean) in enumerate(zip(class_names, metric_names(class_names), strict=True))
    ]
