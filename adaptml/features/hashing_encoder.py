"""The encoder of spelling, which needs no model and knows no language."""

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import islice, pairwise
from typing import Any

import numpy as np

from adaptml.errors import FeatureError
from adaptml.features.encoders import encoder
from adaptml.features.values_to_encode import EncodeBatch, Vectors
from adaptml.features.words import normalized, word_pattern

# How much the first words of a text count. Three count alike, so that a stray word in front changes little.
OPENING = (1.0, 1.0, 1.0, 0.5, 0.25)
TINY = 1e-12
# Where each kind lies among the numbers, in this order, and how much it weighs.
WORDS, PAIRS, FIRST, PIECES = 1536, 512, 1024, 1024
HASHED = WORDS + PAIRS + FIRST + PIECES
# What Unicode's general categories begin with: capitals, digits, punctuation, symbols (emoji among them).
CATEGORIES, SHARE_WEIGHT = ("Lu", "N", "P", "S"), 1.5
USUAL_LENGTH, LENGTH_WEIGHT = 100, 0.25  # in characters
DIMENSIONS = HASHED + len(CATEGORIES) + 1
PIECE_CHARS = (3, 4)
HASHING_CODE = 2  # one more whenever the same text gives other numbers than before


@encoder("hashing", HASHING_CODE)
def hashing(source: str | None) -> EncodeBatch:
    """4101 numbers: 1536 for words, 512 for their pairs, 1024 for the opening, 1024 for pieces, 5 for form.

    The opening is the first words and pairs again: what kind of text it is often shows there (who, when, how
    many). Each kind is hashed with random signs (Weinberger et al. 2009, https://arxiv.org/abs/0902.2206),
    its counts are damped by log(1 + count) and scaled to length 1, pairs to length 0.5, so that the kinds
    weigh alike in short and long texts. Signs such as ? are words too, and marks belong to their letter's
    word. The form is how much of the text is capitals, digits, punctuation and symbols, 1.5 times the square
    root of the share of characters that each has, and how long it is, a quarter of log((1 + n) / 101) of its
    n characters: the kinds above do not know who shouts, or says in ten lines what others say in one.
    Nothing is fitted: the same text always gives the same vector.
    Vectors are alike where spelling is alike; they know nothing of meaning.
    """
    if source is not None:
        raise FeatureError(f"the encoder 'hashing' reads no model, given {source!r}; write only 'hashing'")
    from sklearn.feature_extraction import FeatureHasher
    from sklearn.feature_extraction.text import HashingVectorizer

    as_words: dict[str, Any] = {"token_pattern": word_pattern(), "norm": None}
    words = HashingVectorizer(n_features=WORDS, **as_words)
    pairs = HashingVectorizer(n_features=PAIRS, ngram_range=(2, 2), **as_words)
    opening = FeatureHasher(n_features=FIRST, input_type="pair")
    pieces = HashingVectorizer(n_features=PIECES, analyzer="char_wb", ngram_range=PIECE_CHARS, norm=None)

    def encode_batch(texts: Sequence[str]) -> Vectors:
        texts = list(map(normalized, texts))
        parts = [
            _scaled(words.transform(texts), 1.0),
            _scaled(pairs.transform(texts), 0.5),
            _scaled(opening.transform(map(_opening, texts)), 1.0),
            _scaled(pieces.transform(texts), 1.0),
            np.array(list(map(_form, texts)), dtype=np.float32).reshape(-1, DIMENSIONS - HASHED),
        ]
        return np.hstack(parts)

    return encode_batch


def _words(text: str) -> Iterator[str]:
    return (found.group() for found in _word().finditer(text.lower()))


@cache
def _word() -> re.Pattern[str]:
    return re.compile(word_pattern())


def _opening(text: str) -> list[tuple[str, float]]:
    """The first words of a text and their pairs, each with how much it counts."""
    words = list(islice(_words(text), len(OPENING)))
    pairs = [f"{first} {second}" for first, second in pairwise(words)]
    return [*zip(words, OPENING, strict=False), *zip(pairs, OPENING, strict=False)]


def _form(text: str) -> list[float]:
    """Shares of CATEGORIES, and the length; zeros of a text without characters."""
    if not text:
        return [0.0] * (DIMENSIONS - HASHED)
    found: Counter[str] = Counter()
    for character, times in Counter(text).items():
        found[unicodedata.category(character)] += times
    shares = (sum(found[name] for name in found if name.startswith(one)) / len(text) for one in CATEGORIES)
    length = math.log((1 + len(text)) / (1 + USUAL_LENGTH))
    return [*(SHARE_WEIGHT * math.sqrt(share) for share in shares), LENGTH_WEIGHT * length]


def _scaled(hashed: Any, length: float) -> Vectors:
    """Signed counts as sparse rows (n, d) → damped rows of this length; rows of zeros stay so."""
    counts = hashed.data
    damped = np.sign(counts) * np.log1p(np.abs(counts))
    row = np.repeat(np.arange(hashed.shape[0]), np.diff(hashed.indptr))
    lengths = np.sqrt(np.bincount(row, weights=damped**2, minlength=hashed.shape[0]))
    hashed.data = (length * damped / np.maximum(lengths[row], TINY)).astype(np.float32)
    return np.asarray(hashed.toarray())
