"""Words and phrases that mark a class, among rows that no rule covers or that rules get wrong."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from adaptml.errors import LabellingError, listed
from adaptml.features.words import phrases, split
from adaptml.frames import KEYS
from adaptml.project import Project
from adaptml.rules.keywords import is_missing
from adaptml.tasks import Task
from adaptml.tasks.vote_codes import VoteCodes
from dataprogramming.label_models.core import Indicator, LabelMatrix, covered
from dataprogramming.next_rule.log_odds import log_odds
from dataprogramming.votes import Votes

E = TypeVar("E", bound=StrEnum)
Mask = npt.NDArray[np.bool_]
LONGEST = 3  # words of a phrase
MOST_CHARS, MOST_TOKENS = 10_000, 1_000  # of a row that are looked at
FEWEST_ROWS = 2  # that a phrase is in: one in a single row marks that row
_COMPARED = 300  # phrases of which it is seen whether they are in the same rows


class Among(StrEnum):
    """Which rows the next rule is to reach."""

    UNCOVERED = "uncovered"  # no rule votes on them
    WRONG = "wrong"  # a rule's vote is none of their gold label
    ALL = "all"


class Against(StrEnum):
    """What the rows of the class are compared with."""

    CLASSES = "classes"  # rows of other classes
    REST = "rest"  # all other rows
    VOTED = "voted"  # here the rows to reach, whatever their class, with those that have votes


@dataclass(frozen=True)
class ClassWords:
    """Words and phrases that mark a class.

    Attributes:
        frame: a row per phrase, the surest first: `phrase`, `z` (above 0) and `log_odds`, see `log_odds`;
            `one`, `other` and `reached`: in how many rows of the class, of those it is compared with and of
            those to reach it is.
        one, other, reached: how many rows these groups have.
        gold: how many rows of the class have it by a gold label; the others by the votes on them.
        rows: how many rows were looked at.

    Example:
        >>> votes = project.apply_lfs("spam", "comments")
        >>> found = adaptml.class_words(project, "spam", votes, "spam", "text", among="wrong")
        >>> found.one, found.other, found.reached
        (12, 11, 2)
    """

    frame: pd.DataFrame
    one: int
    other: int
    reached: int
    gold: int
    rows: int


def class_words(
    project: Project,
    task: str | Task,
    votes: Votes,
    class_name: str,
    column: str,
    *,
    among: str = Among.UNCOVERED,
    against: str = Against.CLASSES,
    n: int = 30,
) -> ClassWords:
    """The words and phrases that mark a class, and are in rows that the next rule is to reach.

    A row has the classes of its gold label; without one, those that it has votes for, and in a multiclass
    task none where they differ. Gold points that judge are never looked at.

    Args:
        project: reads the column.
        task: whose classes; the task, or its name.
        votes: on the rows, and on gold, as `apply_lfs` gives them.
        class_name: the class.
        column: of text or of lists of text, which the rule is to look at.
        among: the rows to reach, see `Among`; `wrong` are those of the class.
        against: what is compared, see `Against`.
        n: at most so many phrases.

    Returns:
        Phrases of 1 to 3 words that are in at least 2 rows, one of them to be reached. Of phrases that are in
        the same rows, the shortest.

    Raises:
        LabellingError: no such class, no such choice, or a column that is no text.

    Example:
        >>> votes = project.apply_lfs("spam", "comments")
        >>> found = adaptml.class_words(project, "spam", votes, "spam", "text")
        >>> found.frame["phrase"].tolist()
        ['to', 'who']
    """
    task = project.task(task)
    if class_name not in task.class_names:
        raise LabellingError(
            f"no class {class_name!r} in task {task.name!r}; its classes are {listed(task.class_names, 20)}"
        )
    rows = _rows(votes)
    chosen, compared = _choice(Among, among), _choice(Against, against)
    of_class = _of_class(rows, task, task.class_names.index(class_name))
    reach = {
        Among.UNCOVERED: ~covered(rows.L),
        Among.WRONG: rows.wrong() & of_class,
        Among.ALL: np.ones(len(rows.L), np.bool_),
    }[chosen]
    if chosen is Among.ALL and compared is Against.VOTED:
        raise LabellingError(
            "all rows cannot be compared with those that have votes; choose uncovered or wrong rows"
        )
    one, other = {
        Against.CLASSES: (of_class, _of_others(rows, task, task.class_names.index(class_name)) & ~of_class),
        Against.REST: (of_class, ~of_class),
        Against.VOTED: (reach, covered(rows.L) & ~reach),
    }[compared]
    values = project.points.read(rows.keys, [column])[column].tolist()
    texts = [phrases(tokens, LONGEST) for tokens in _tokens(values, column)]
    frame = marking_phrases(texts, one, other, reach, n)
    return ClassWords(
        frame, int(one.sum()), int(other.sum()), int(reach.sum()), int((one & rows.known).sum()), len(texts)
    )


def marking_phrases(texts: Sequence[set[str]], one: Mask, other: Mask, reach: Mask, n: int) -> pd.DataFrame:
    """The phrases that set one group of rows apart from another, see `ClassWords.frame`.

    Args:
        texts: the phrases in each of r rows.
        one, other: the groups, bool (r,).
        reach: rows of which a phrase has to be in one, bool (r,).
        n: at most so many.
    """
    every = Counter[str](phrase for text in texts for phrase in text)
    counts = [Counter[str](p for text in _where(texts, group) for p in text) for group in (one, other, reach)]
    names = sorted(phrase for phrase in counts[2] if every[phrase] >= FEWEST_ROWS and counts[0][phrase])
    ones, others, reached = (np.array([count[p] for p in names], np.int64) for count in counts)
    delta, z = log_odds(ones, int(one.sum()), others, int(other.sum()), [every[p] for p in names], len(texts))
    frame = pd.DataFrame(
        {"phrase": names, "z": z, "log_odds": delta, "one": ones, "other": others, "reached": reached}
    )
    frame["length"] = [phrase.count(" ") for phrase in names]
    frame = frame[frame["z"] > 0].sort_values(["z", "length", "phrase"], ascending=[False, True, True])
    return _one_a_set(frame, texts).head(n).drop(columns="length").reset_index(drop=True)


def _one_a_set(frame: pd.DataFrame, texts: Sequence[set[str]]) -> pd.DataFrame:
    """Of phrases that are in the same rows the first, which is the shortest."""
    frame = frame.head(_COMPARED)
    places: dict[str, list[int]] = {phrase: [] for phrase in frame["phrase"]}
    for place, text in enumerate(texts):
        for phrase in text & places.keys():
            places[phrase].append(place)
    same = pd.Series([tuple(places[phrase]) for phrase in frame["phrase"]], index=frame.index, dtype=object)
    return frame[~same.duplicated()]


@dataclass(frozen=True)
class _Rows:
    """The rows and the gold points together, each once.

    Attributes:
        keys: `table_name` and `id` (r rows).
        L: label matrix (r, m).
        codes: what its numbers stand for.
        Y: gold labels (r, k); 0 where nothing is known.
        known: which have a gold label, bool (r,).
    """

    keys: pd.DataFrame
    L: LabelMatrix
    codes: VoteCodes
    Y: Indicator
    known: Mask

    def wrong(self) -> Mask:
        """Which have a vote that is none of their gold label, bool (r,)."""
        wrong = (self.L >= 0) & ~self.codes.right(self.L, self.Y)
        return np.asarray(wrong.any(axis=1) & self.known)


def _rows(votes: Votes) -> _Rows:
    k = len(votes.class_names)
    parts = [part for part in (votes.gold, votes) if part is not None]
    keys = pd.concat([part.keys[KEYS] for part in parts], ignore_index=True)
    L = np.concatenate([part.L for part in parts])
    Y = np.concatenate([np.zeros((len(p), k), np.int8) if p.Y is None else p.Y for p in parts])
    known = np.concatenate([np.full(len(part), part.Y is not None) for part in parts])
    kept = ~keys.duplicated().to_numpy()
    return _Rows(keys[kept].reset_index(drop=True), L[kept], votes.codes, Y[kept], known[kept])


def _of_class(rows: _Rows, task: Task, c: int) -> Mask:
    """Which rows (r,) are of class c, by gold or else by votes."""
    voted = np.equal(rows.L, c).any(axis=1)
    if task.problem.exclusive:
        voted &= ~rows.codes.apart[c][rows.L].any(axis=1)
    return np.where(rows.known, rows.Y[:, c] > 0, voted)


def _of_others(rows: _Rows, task: Task, c: int) -> Mask:
    """Which rows (r,) are of some other class."""
    others = [_of_class(rows, task, other) for other in range(len(task.class_names)) if other != c]
    return np.asarray(np.any(others, axis=0))


def _tokens(values: Sequence[Any], column: str) -> Iterator[Iterable[str]]:
    for value in values:
        if isinstance(value, str):
            yield split(value[:MOST_CHARS])[:MOST_TOKENS]
        elif isinstance(value, list | tuple | np.ndarray) and all(isinstance(item, str) for item in value):
            yield islice(value, MOST_TOKENS)
        elif is_missing(value):
            yield ()
        else:
            raise LabellingError(
                f"the column {column!r} holds {type(value).__name__}; expected text or lists of text: "
                "name another column"
            )


def _where(texts: Sequence[set[str]], mask: Mask) -> Iterator[set[str]]:
    return (text for text, chosen in zip(texts, mask, strict=True) if chosen)


def _choice(kind: type[E], given: str) -> E:
    try:
        return kind(given)
    except ValueError as error:
        raise LabellingError(f"no choice {given!r}; expected one of {listed(list(kind), 20)}") from error
