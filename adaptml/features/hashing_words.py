"""Which words of a text make each hashed number of `hashing`, to share a linear model's weights by."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy import sparse

from adaptml.features.hashing_encoder import FIRST, HASHED, OPENING, PAIRS, PIECE_CHARS, PIECES, WORDS
from adaptml.features.words import normalized, word_pattern

Shares = list[tuple[int, float]]  # places of words, and how much of a count each has; together 1


@dataclass(frozen=True, eq=False)
class WordShares:
    """The words of one text, and what part each has in the numbers that `hashing` makes of the text.

    The last numbers, which are about its form, belong to no word.

    Attributes:
        words: the text's words and signs in their order, in lower case.
        shares: scipy's sparse float64 (words, 4096). A column sums to 1 where the text's number is not 0,
            else to 0. A part may lie outside of 0 to 1: words may hash to one number with opposite signs.
        counts: float64 (4096,), the signed counts that the numbers are made from.
    """

    words: tuple[str, ...]
    shares: sparse.csr_array
    counts: npt.NDArray[np.float64]


@dataclass(frozen=True)
class _Counted:
    """What is counted among `size` numbers from `start` on: names, how much each counts, for which words."""

    start: int
    size: int
    names: Sequence[str]
    values: Sequence[float]
    shares: Sequence[Shares]


def word_shares(text: str) -> WordShares:
    """Share the numbers of a text among its words.

    A word has all of its own count, half of a pair's, and of a piece of characters as much as it has of the
    piece's characters that are no blanks.

    >>> found = word_shares("Free gifts!")
    >>> found.words, found.shares.shape
    (('free', 'gifts', '!'), (3, 4096))
    """
    lowered = normalized(text).lower()
    found = list(_word().finditer(lowered))
    words = tuple(match.group() for match in found)
    owner = np.full(len(lowered), -1)
    for i, match in enumerate(found):
        owner[slice(*match.span())] = i
    counts, rows, places, parts = np.zeros(HASHED), [], [], []
    for kind in (*_of_words(words), _of_pieces(lowered, owner.tolist())):
        for place, count, shares in _placed(kind):
            counts[place] += count
            for word, part in shares:
                rows.append(word)
                places.append(place)
                parts.append(count * part)
    inverse = np.divide(1.0, counts, out=np.zeros(HASHED), where=counts != 0)
    values = np.array(parts, dtype=np.float64) * inverse[np.array(places, dtype=np.int64)]
    matrix = sparse.coo_array((values, (rows, places)), shape=(len(words), HASHED))
    return WordShares(words, matrix.tocsr(), counts)


def _of_words(words: Sequence[str]) -> Iterator[_Counted]:
    """The words, their pairs, and those of the opening again."""
    pairs = [f"{first} {second}" for first, second in pairwise(words)]
    alone: list[Shares] = [[(i, 1.0)] for i in range(len(words))]
    both: list[Shares] = [[(i, 0.5), (i + 1, 0.5)] for i in range(len(pairs))]
    yield _Counted(0, WORDS, words, [1.0] * len(words), alone)
    yield _Counted(WORDS, PAIRS, pairs, [1.0] * len(pairs), both)
    n = min(len(OPENING), len(words))
    m = max(n - 1, 0)
    values, shares = [*OPENING[:n], *OPENING[:m]], [*alone[:n], *both[:m]]
    yield _Counted(WORDS + PAIRS, FIRST, [*words[:n], *pairs[:m]], values, shares)


def _of_pieces(text: str, owner: Sequence[int]) -> _Counted:
    """Runs of characters inside of blanks; `owner`: the word of each character of the text, or -1."""
    names, shares = [], []
    for name, start in _pieces(text):
        own = [owner[at] for at in range(max(start, 0), min(start + len(name), len(text))) if owner[at] >= 0]
        names.append(name)
        shares.append([(word, 1 / len(own)) for word in own])
    return _Counted(WORDS + PAIRS + FIRST, PIECES, names, [1.0] * len(names), shares)


def _pieces(text: str) -> Iterator[tuple[str, int]]:
    """Pieces as scikit-learn's `char_wb` takes them, each with where it begins in the text."""
    for found in re.finditer(r"\S+", text):
        chunk, start = f" {found.group()} ", found.start() - 1
        for size in range(PIECE_CHARS[0], PIECE_CHARS[1] + 1):
            last = max(len(chunk) - size, 0)
            yield from ((chunk[at : at + size], start + at) for at in range(last + 1))
            if last == 0:  # a chunk that is no longer than this is counted once
                break


def _placed(kind: _Counted) -> Iterator[tuple[int, float, Shares]]:
    """Place, signed count and words of all that is counted, as scikit-learn's FeatureHasher has them."""
    from sklearn.feature_extraction import FeatureHasher

    if not kind.names:
        return
    made = FeatureHasher(n_features=kind.size, input_type="string").transform([[name] for name in kind.names])
    signs = np.asarray(made.data)
    for place, sign, value, shares in zip(made.indices, signs, kind.values, kind.shares, strict=True):
        yield kind.start + int(place), float(sign) * value, shares


@cache
def _word() -> re.Pattern[str]:
    return re.compile(word_pattern())
