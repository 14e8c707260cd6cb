"""What the numbers of a label matrix stand for: silence, a class, or a set such as "cat or dog"."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

Sets = tuple[tuple[int, ...], ...]  # each: numbers of its classes, rising
Mask = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.integer]
MOST_CODES = 127  # classes and sets together, as votes are int8
BATCH_ROWS = 20_000


@dataclass(frozen=True)
class VoteCodes:
    """The votes that a task's labelling functions cast, as numbers.

    -1 abstains, 0 … k-1 are the classes, and k + i says that it is one of the classes in `sets[i]`: which, it
    leaves open.

    Attributes:
        k: number of classes.
        sets: class numbers of each of s sets; none has one class, or all.

    Example:
        >>> codes = VoteCodes(4, ((0, 1), (1, 2, 3)))
        >>> codes.names(["cat", "dog", "bird", "fish"])
        ['cat', 'dog', 'bird', 'fish', 'cat or dog', 'not cat']
    """

    k: int
    sets: Sets = ()

    @cached_property
    def members(self) -> Mask:
        """Which classes a vote may be for, bool (k + s + 1, k); the last line, that of -1, holds none."""
        found = np.zeros((self.k + len(self.sets) + 1, self.k), np.bool_)
        found[np.arange(self.k), np.arange(self.k)] = True
        for i, classes in enumerate(self.sets):
            found[self.k + i, list(classes)] = True
        return found

    @cached_property
    def apart(self) -> Mask:
        """Which two votes cannot both be right, bool (k + s + 1, k + s + 1); -1 contradicts none."""
        found = ~(self.members @ self.members.T)
        found[-1] = found[:, -1] = False
        return found

    def names(self, class_names: Sequence[str]) -> list[str]:
        """What people read of each vote from 0 on, k + s of them."""
        return [*class_names, *(set_name(classes, class_names) for classes in self.sets)]

    def right(self, L: Codes, Y: npt.NDArray[np.integer]) -> Mask:
        """Which votes (n, m) are right, for a class, or one of those, that the point has: bool (n, m).

        Args:
            L: label matrix (n, m).
            Y: true classes (n, k), values in {0, 1}.
        """
        true = np.asarray(Y) > 0
        if self.sets:
            true = true @ self.members[:-1].T
        return np.asarray((L >= 0) & np.take_along_axis(true, np.maximum(L, 0).astype(np.int64), axis=1))

    def disagree(self, L: Codes) -> Mask:
        """Which rows (n,) of a label matrix (n, m) have two votes that cannot both be right."""
        highest = L.max(axis=1, initial=-1)
        found = np.asarray(((L >= 0) & np.not_equal(L, highest[:, None])).any(axis=1))
        if not self.sets:
            return found
        rows = np.flatnonzero(found & (highest >= self.k))  # two votes that differ may yet agree
        cast = np.zeros((len(rows), len(self.apart)), np.bool_)
        cast[np.arange(len(rows))[:, None], L[rows]] = True
        found[rows] = self.contradict(cast)
        return found

    def contradict(self, cast: Mask) -> Mask:
        """Which rows (n,) hold two votes that cannot both be right.

        Args:
            cast: which votes were cast, bool (n, k + s + 1); the last column is that of -1.
        """
        if not self.sets:
            return np.asarray(cast[:, :-1].sum(axis=1) > 1)
        found, apart = np.zeros(len(cast), np.bool_), self.apart.astype(np.float32)
        for start in range(0, len(cast), BATCH_ROWS):
            batch = cast[start : start + BATCH_ROWS].astype(np.float32)
            found[start : start + BATCH_ROWS] = ((batch @ apart) * batch).any(axis=1)
        return found


def sets_in(metadata: Mapping[str, Any]) -> Sets:
    """The sets that a file of votes names in its metadata; files of earlier versions have none."""
    return tuple(tuple(map(int, classes)) for classes in metadata.get("sets", ()))


def set_name(classes: Sequence[int], class_names: Sequence[str]) -> str:
    """What people read of a set of classes: "cat or dog", "not cat", "neither cat nor dog".

    >>> set_name((0, 1, 3), ["cat", "dog", "bird", "fish"])
    'not bird'
    """
    others = [name for c, name in enumerate(class_names) if c not in classes]
    if 2 * len(others) >= len(classes):
        return " or ".join(class_names[c] for c in classes)
    return f"not {others[0]}" if len(others) == 1 else f"neither {' nor '.join(others)}"
