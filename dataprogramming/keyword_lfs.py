"""Labelling functions that vote when a keyword is among a row's tokens, and their votes all at once.

One keyword LF is an ordinary Snorkel LabelingFunction. Many of them over one column are one dictionary,
keyword → LFs, and one pass over the tokens.
"""

from collections.abc import Iterable, Sequence
from itertools import chain, repeat
from typing import Any

import numpy as np
import numpy.typing as npt
from snorkel.labeling import LabelingFunction

from adaptml.errors import LabellingError
from adaptml.tasks import ABSTAIN


def is_missing(value: object) -> bool:
    """True for None and for the float nan that data frames put where a text or a list is missing."""
    return value is None or (isinstance(value, float) and value != value)


class KeywordLF(LabelingFunction):  # type: ignore[misc]
    """Votes `label` when one of `keywords` is among the tokens of `column`; abstains otherwise.

    Attributes:
        keywords: the tokens looked for, compared letter by letter.
        label: a member of the task's classes or a class name.
        column: a column whose values are lists of text; a missing value is a row without tokens.
    """

    def __init__(self, name: str, keywords: Iterable[str], label: int | str, column: str) -> None:
        if isinstance(keywords, str):
            raise LabellingError(
                f"the labelling function {name!r} got the text {keywords!r} as keywords; "
                f"give a list of words, for example [{keywords!r}]"
            )
        super().__init__(name, self._vote)
        self.keywords = frozenset(keywords)
        self.label = label
        self.column = column
        if not self.keywords:
            raise LabellingError(
                f"the labelling function {name!r} has no keyword; give it at least one word."
            )

    def _vote(self, x: Any) -> int | str:
        tokens = getattr(x, self.column)
        if is_missing(tokens) or self.keywords.isdisjoint(tokens):
            return ABSTAIN
        return self.label


def keyword_lf(name: str, keywords: Iterable[str], label: int | str, column: str) -> KeywordLF:
    """A labelling function that votes `label` when one of `keywords` is among the tokens of `column`.

    Args:
        name: name of the LF, unique within the task.
        keywords: single tokens (lemmas, when the column holds lemmas), compared letter by letter.
        label: a member of `params.labels`, or a class name.
        column: one of the task's LF features; its values are lists of text.

    Raises:
        LabellingError: `keywords` is empty, or one text where a list of them is expected.

    Example:
        >>> from types import SimpleNamespace
        >>> kitten = adaptml.keyword_lf("kitten", ["kitten", "kitty"], "cat", "tokens")
        >>> kitten(SimpleNamespace(tokens=["my", "kitten", "sleep"]))
        'cat'
    """
    return KeywordLF(name, keywords, label, column)


def keyword_hits(
    lfs: Sequence[KeywordLF], values: Sequence[Any]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Which of `lfs` find a keyword in which of `values`, in one pass over the tokens.

    Args:
        lfs: keyword LFs over one column.
        values: the column: a list of text, or None, per row.

    Returns:
        rows, numbers: two arrays of equal length; LF `numbers[i]` votes on row `rows[i]`. Pairs may repeat.

    Raises:
        LabellingError: a value is not a list of text.
    """
    words, table = _table(lfs)
    tokens = [() if is_missing(value) else value for value in values]
    _check_tokens(lfs[0], tokens)
    lengths = np.fromiter(map(len, tokens), np.int64, len(tokens))
    found = map(words.get, chain.from_iterable(tokens), repeat(-1))
    codes = np.fromiter(found, np.int64, int(lengths.sum()))
    hits = np.flatnonzero(codes >= 0)
    rows = np.searchsorted(np.cumsum(lengths), hits, side="right")
    numbers = table[codes[hits]]
    known = numbers >= 0
    return np.repeat(rows, known.sum(axis=1)), numbers[known]


def _table(lfs: Sequence[KeywordLF]) -> tuple[dict[str, int], npt.NDArray[np.int64]]:
    """Keyword → its line in an array of LF numbers, padded with -1."""
    users: dict[str, list[int]] = {}
    for number, lf in enumerate(lfs):
        for keyword in lf.keywords:
            users.setdefault(keyword, []).append(number)
    table = np.full((len(users), max(map(len, users.values()))), -1, np.int64)
    for line, numbers in enumerate(users.values()):
        table[line, : len(numbers)] = numbers
    return {word: line for line, word in enumerate(users)}, table


def _check_tokens(lf: KeywordLF, tokens: Sequence[Any]) -> None:
    for kind in set(map(type, tokens)):
        if kind not in (list, tuple, np.ndarray, set, frozenset):
            raise LabellingError(
                f"the labelling function {lf.name!r} looks for keywords in the column {lf.column!r}, which "
                f"holds {kind.__name__}; expected lists of text: give it a column of tokens, or write a rule "
                "for whole texts with @labeling_function"
            )
