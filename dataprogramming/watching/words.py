"""Words that are new: chosen on one half of the rows, tested on the other, so that choosing costs nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from adaptml.features.words import phrases, split
from dataprogramming.watching.statistics import FEWEST, Kind, Quantity, compare_shares, half

Numbers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
MOST_WORDS = 10
CLEAR = 3.0  # z of a word that is taken beside others
FEWEST_ROWS = 3  # in which a word must be, of the half that it is chosen on


@dataclass(frozen=True)
class NewWords:
    """Words that are more frequent in new rows.

    Attributes:
        words: the strongest first, 1 to 10.
        old, new: in how many rows each of them is, of the halves that they were not chosen on.
        of_old, of_new: how many rows these halves have.
        has_any: bool (m,): which of all m new rows have one of the words.
        quantity: the test whether rows have any of them.
    """

    words: Sequence[str]
    old: Sequence[int]
    new: Sequence[int]
    of_old: int
    of_new: int
    has_any: Mask
    quantity: Quantity


def words_of(text: str) -> set[str]:
    """The words of a text, in small letters; signs are none.

    >>> sorted(words_of("Flood, FLOOD in #Leeds!"))
    ['#leeds', 'flood', 'in']
    """
    return phrases(split(text))


def new_words(old: Sequence[str], new: Sequence[str], seed: int) -> NewWords | None:
    """The words that set new texts apart, and whether that is more than chance.

    On one half of the texts, words are ordered by the z of two proportions, and so many of the first ten are
    taken as together are the strongest. On the other half, Fisher's exact test compares how many rows have
    any of them: it holds, for these rows had no say in the choice.

    Args:
        old: n texts.
        new: m texts.
        seed: draws the halves.

    Returns:
        The words; None where a half has fewer than 30 texts or no word is more frequent in new texts.
    """
    if min(len(old), len(new)) < 2 * FEWEST:
        return None
    from sklearn.feature_extraction.text import CountVectorizer

    counter = CountVectorizer(analyzer=words_of, binary=True, dtype=np.int64)
    try:
        X = counter.fit_transform([*old, *new]).tocsc()
    except ValueError:  # not a single word
        return None
    is_new = np.repeat([False, True], [len(old), len(new)])
    chooses = np.concatenate([half(len(old), seed), half(len(new), seed + 1)])
    here = X[chooses]
    chosen = _chosen(here[~is_new[chooses]], here[is_new[chooses]])
    if not len(chosen):
        return None
    tests = ~chooses
    told = X[:, chosen]
    any_of = np.asarray(told.sum(axis=1)).ravel() > 0
    of_old, of_new = int((tests & ~is_new).sum()), int((tests & is_new).sum())
    names = counter.get_feature_names_out()[chosen].tolist()
    counts = [np.asarray(told[tests & group].sum(axis=0)).ravel().tolist() for group in (~is_new, is_new)]
    quantity = compare_shares(
        Kind.WORDS,
        Kind.WORDS,
        f"rows with {' or '.join(names)}",
        (int((any_of & tests & ~is_new).sum()), of_old),
        (int((any_of & tests & is_new).sum()), of_new),
    )
    return NewWords(names, counts[0], counts[1], of_old, of_new, any_of[is_new], quantity)


def _chosen(old: Any, new: Any) -> Numbers:
    """Columns of the words that together set new rows apart the most; (n, w) and (m, w), values in {0, 1}."""
    n, m = old.shape[0], new.shape[0]
    was, now = (np.asarray(part.sum(axis=0)).ravel() for part in (old, new))
    z = _z(was, n, now, m)
    z[was + now < FEWEST_ROWS] = 0
    best = np.argsort(-z, kind="stable")[:MOST_WORDS]
    clear = best[z[best] > CLEAR]
    best = clear if len(clear) else best[:1][z[best[:1]] > 0]
    strength = [_together(old, new, best[:k]) for k in range(1, len(best) + 1)]
    # Of equally strong choices the longest: words that come together tell people more than one of them.
    return best[: len(best) - int(np.argmax(strength[::-1]))] if strength else best


def _together(old: Any, new: Any, columns: Numbers) -> float:
    """The z of having any of some words."""
    was, now = (int((np.asarray(part[:, columns].sum(axis=1)).ravel() > 0).sum()) for part in (old, new))
    return float(_z(np.array([was]), old.shape[0], np.array([now]), new.shape[0])[0])


def _z(was: Numbers, n: int, now: Numbers, m: int) -> npt.NDArray[np.float64]:
    """By how many standard errors shares are higher in the second group; half a row is added to each."""
    pooled = (was + now + 1) / (n + m + 2)
    error = np.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
    return np.asarray(((now + 0.5) / (m + 1) - (was + 0.5) / (n + 1)) / np.maximum(error, 1e-12))
