"""From what a labelling function returns to the numbers of its votes."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from snorkel.labeling import LabelingFunction

from adaptml.errors import LabellingError
from adaptml.tasks import ABSTAIN, Label, Labels
from adaptml.tasks.class_sets import (
    AllBut,
    ClassSet,
    class_numbers,
    is_class_set,
    numbers_as_names,
    numbers_sentence,
    set_text,
)
from adaptml.tasks.labels import votes_by_name
from dataprogramming.declared_sets import declared_sets

CastVotes = npt.NDArray[np.int8]
NameRow = Callable[[int], str]
_VOTES = (str, int, np.integer, type(None))
_SURE: set[type] = {str, Label, type(None)}  # what cannot be taken for something else, by its type alone


class VoteEncoder:
    """Knows the votes that m labelling functions may cast."""

    def __init__(self, lfs: Sequence[LabelingFunction], labels: Labels) -> None:
        """Note the classes, and the sets that the labelling functions declare.

        Raises:
            LabellingError: as `declared_sets`.
        """
        self._lfs, self._labels = lfs, labels
        self._own = declared_sets(lfs, labels).own
        # A vote's meaning, by member, number and name at once: members are equal to their numbers.
        self._codes: dict[object, int] = {None: ABSTAIN}
        for name, label in votes_by_name(labels).items():
            self._codes |= {int(label): int(label), name: int(label)}
        self._numbered = numbers_as_names(labels)
        self._sets: dict[object, int] = {}

    def encode(self, number: int, votes: Sequence[Any], name_row: NameRow) -> CastVotes:
        """Votes (n) of one labelling function as numbers, in its own codes: see `DeclaredSets`.

        True, False and 1.0 are no classes, though Python takes them for 1.

        Args:
            number: of the labelling function, from 0.
            votes: what it returned.
            name_row: what a message calls the row of the i-th vote.

        Raises:
            LabellingError: a vote for what is no class, or for a set that it does not declare.
        """
        sure = _SURE if self._numbered else _SURE | {int}
        kinds = set(map(type, votes))
        if not kinds <= sure and any(map(is_class_set, votes)):
            return self._encode_sets(number, votes, name_row)
        if kinds <= sure or all(map(self._is_vote, votes)):
            try:
                return np.fromiter(map(self._codes.__getitem__, votes), np.int8, len(votes))
            except KeyError:
                pass
        wrong = next(i for i, vote in enumerate(votes) if not self._is_vote(vote))
        classes = ", ".join(label.name for label in self._labels if label != ABSTAIN)
        expected = f"expected one of the classes {classes}, or ABSTAIN"
        if isinstance(votes[wrong], int | np.integer) and self._numbered:
            expected = numbers_sentence(self._numbered)
        raise self._no_vote(number, repr(votes[wrong]), name_row(wrong), expected)

    def _is_vote(self, vote: Any) -> bool:
        if not isinstance(vote, _VOTES) or isinstance(vote, bool) or not type(vote).__hash__:
            return False
        if self._numbered and not isinstance(vote, str | Label | None):
            return vote == ABSTAIN and str(ABSTAIN) not in self._numbered
        return vote in self._codes

    def _encode_sets(self, number: int, votes: Sequence[Any], name_row: NameRow) -> CastVotes:
        """As `encode`, of votes of which some are for sets of classes."""
        cast = self.encode(number, [None if is_class_set(vote) else vote for vote in votes], name_row)
        for i, vote in enumerate(votes):
            if is_class_set(vote):
                key = (number, _key(vote))
                if key not in self._sets:
                    self._sets[key] = self._code_of_set(number, vote, name_row(i))
                cast[i] = self._sets[key]
        return cast

    def _code_of_set(self, number: int, vote: ClassSet, row: str) -> int:
        """The number of a set; of one class that class, and all classes together say nothing."""
        k = len(self._labels) - 1
        try:
            classes = class_numbers(self._labels, vote)
        except ValueError as error:
            raise self._no_vote(number, set_text(vote), row, str(error)) from error
        if len(classes) in (1, k):
            return classes[0] if len(classes) == 1 else ABSTAIN
        if classes not in self._own[number]:
            declared = [*getattr(self._lfs[number], "sets", ()), vote]
            expected = (
                "a set of classes is declared where the function is made: write "
                f"@adaptml.labeling_function(sets=[{', '.join(map(set_text, declared))}]) above it"
            )
            raise self._no_vote(number, set_text(vote), row, expected)
        return k + self._own[number].index(classes)

    def _no_vote(self, number: int, vote: str, row: str, expected: str) -> LabellingError:
        name = self._lfs[number].name
        return LabellingError(f"the labelling function {name!r} voted {vote} on {row}; {expected}")


def _key(vote: ClassSet) -> object:
    """What two equal sets share; True is not 1 here."""
    items = vote.all_but if isinstance(vote, AllBut) else vote
    return isinstance(vote, AllBut), frozenset((type(item), repr(item)) for item in items)
