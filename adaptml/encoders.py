"""Text encoders: text in, real vectors out. Adding one is adding one function under `@encoder`.

>>> get_encoder("hybrid").encode(["The kitten purrs."]).shape
(1, 4608)
"""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from importlib.util import find_spec
from itertools import chain, islice, pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from adaptml.errors import FeatureError, listed

Vectors = npt.NDArray[np.float32]
EncodeBatch = Callable[[Sequence[str]], Vectors]

BATCH_TEXTS = 512  # bounds the memory that an encoder needs on top of its result
WORD = r"\w+|[^\w\s]"  # signs such as ? and ! are words too
# How much the first words of a text count. Three count alike, so that a stray word in front changes little.
OPENING = (1.0, 1.0, 1.0, 0.5, 0.25)
WORD_NUMBERS = 256  # length of one word vector
MEANING_LENGTH = 0.7
CACHED_WORDS = 100_000  # about 100 MB of word vectors
TINY = 1e-12
USE = "universal-sentence-encoder"
USE_URL = "https://tfhub.dev/google/universal-sentence-encoder/4"

_MAKERS: dict[str, Callable[[str | None], EncodeBatch]] = {}


class Encoder(NamedTuple):
    """A text encoder that is ready to use.

    Attributes:
        name: what it was asked for by.
        dimensions: length d of its vectors.
        encode_batch: up to BATCH_TEXTS texts → float32 (n, d).
    """

    name: str
    dimensions: int
    encode_batch: EncodeBatch

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Vectors of n texts: float32 (n, d), finite."""
        vectors = np.empty((len(texts), self.dimensions), dtype=np.float32)
        for start in range(0, len(texts), BATCH_TEXTS):
            vectors[start : start + BATCH_TEXTS] = self.encode_batch(texts[start : start + BATCH_TEXTS])
        return vectors


def encoder(
    name: str,
) -> Callable[[Callable[[str | None], EncodeBatch]], Callable[[str | None], EncodeBatch]]:
    """Register the function below as the maker of the encoder `name`.

    The function gets what stands after the colon in `name:source` (None without a colon) and returns the
    callable that encodes a batch. It imports what it needs itself, so that nobody else has to have it.
    """

    def register(maker: Callable[[str | None], EncodeBatch]) -> Callable[[str | None], EncodeBatch]:
        _MAKERS[name] = maker
        return maker

    return register


def list_encoders() -> list[str]:
    """Names of all encoders, sorted."""
    return sorted(_MAKERS)


def get_encoder(name: str) -> Encoder:
    """An encoder by its name, or by `name:source` for one that reads a model from somewhere else.

    Raises:
        FeatureError: no encoder of that name, a source for one that takes none, a library that is not
            installed, or a model that cannot be read.
    """
    kind, _, source = name.partition(":")
    if kind not in _MAKERS:
        raise FeatureError(f"no text encoder {kind!r}; expected one of {listed(list_encoders(), 20)}")
    encode_batch = _MAKERS[kind](source or None)
    return Encoder(name, encode_batch([""]).shape[1], encode_batch)


@encoder("hashing")
def _hashing(source: str | None) -> EncodeBatch:
    """4096 numbers: 1536 for words, 512 for pairs of words, 1024 for the opening, 1024 for pieces of words.

    The opening is the first words and pairs again: what kind of text it is often shows there (who, when, how
    many). Each kind is hashed with random signs (Weinberger et al. 2009, https://arxiv.org/abs/0902.2206),
    its counts are damped by log(1 + count) and scaled to length 1, pairs to length 0.5, so that the kinds
    weigh alike in short and long texts. Nothing is fitted: the same text always gives the same vector.
    Vectors are alike where spelling is alike; they know nothing of meaning.
    """
    if source is not None:
        raise FeatureError(f"the encoder 'hashing' reads no model, given {source!r}; write only 'hashing'")
    from sklearn.feature_extraction import FeatureHasher
    from sklearn.feature_extraction.text import HashingVectorizer

    as_words: dict[str, Any] = {"token_pattern": WORD, "norm": None}
    words = HashingVectorizer(n_features=1536, **as_words)
    pairs = HashingVectorizer(n_features=512, ngram_range=(2, 2), **as_words)
    opening = FeatureHasher(n_features=1024, input_type="pair")
    pieces = HashingVectorizer(n_features=1024, analyzer="char_wb", ngram_range=(3, 4), norm=None)

    def encode_batch(texts: Sequence[str]) -> Vectors:
        parts = [
            _scaled(words.transform(texts), 1.0),
            _scaled(pairs.transform(texts), 0.5),
            _scaled(opening.transform(map(_opening, texts)), 1.0),
            _scaled(pieces.transform(texts), 1.0),
        ]
        return np.hstack(parts)

    return encode_batch


def _words(text: str) -> Iterator[str]:
    return (found.group() for found in re.finditer(WORD, text.lower()))


def _opening(text: str) -> list[tuple[str, float]]:
    """The first words of a text and their pairs, each with how much it counts."""
    words = list(islice(_words(text), len(OPENING)))
    pairs = [f"{first} {second}" for first, second in pairwise(words)]
    return [*zip(words, OPENING, strict=False), *zip(pairs, OPENING, strict=False)]


def _scaled(hashed: Any, length: float) -> Vectors:
    """Signed counts as sparse rows (n, d) → damped rows of this length; rows of zeros stay so."""
    counts = hashed.data
    damped = np.sign(counts) * np.log1p(np.abs(counts))
    row = np.repeat(np.arange(hashed.shape[0]), np.diff(hashed.indptr))
    lengths = np.sqrt(np.bincount(row, weights=damped**2, minlength=hashed.shape[0]))
    hashed.data = (length * damped / np.maximum(lengths[row], TINY)).astype(np.float32)
    return np.asarray(hashed.toarray())


@encoder("hybrid")
def _hybrid(source: str | None) -> EncodeBatch:
    """4608 numbers: the 4096 of `hashing` for spelling, and 512 for meaning.

    Those are the mean of the word vectors of WordLlama (https://github.com/dleemiller/WordLlama; 256 numbers
    for each of 32,000 pieces of words; they come with its package) over all words of a text, and over its
    opening. Every word counts alike: a word's vector is the sum over its pieces, of length 1. Texts are alike
    where their spelling or the meaning of their words is alike.
    """
    if source is not None:
        raise FeatureError(f"the encoder 'hybrid' reads its own model, given {source!r}; write only 'hybrid'")
    from scipy.sparse import csr_array

    spelling, vector_of = _hashing(None), _word_vectors()

    def mean(rows: list[list[tuple[str, float]]]) -> Vectors:
        """Mean word vector of each row of words and weights: of MEANING_LENGTH, zeros without words."""
        place: dict[str, int] = {}
        columns = [place.setdefault(word, len(place)) for word, _ in chain(*rows)]
        weights = np.array([weight for _, weight in chain(*rows)], dtype=np.float32)
        starts = np.cumsum([0, *map(len, rows)])
        # Entries stay in the order of the text, so that a sum does not depend on the other texts.
        counts = csr_array((weights, columns, starts), shape=(len(rows), len(place)))
        sums = counts @ np.array([vector_of(word) for word in place], np.float32).reshape(-1, WORD_NUMBERS)
        lengths = np.linalg.norm(sums, axis=1, keepdims=True)
        return np.asarray(MEANING_LENGTH * sums / np.maximum(lengths, TINY), np.float32)

    def encode_batch(texts: Sequence[str]) -> Vectors:
        everything = [[(word, 1.0) for word in _words(text)] for text in texts]
        first = [[(w, at) for (w, _), at in zip(row, OPENING, strict=False)] for row in everything]
        return np.hstack([spelling(texts), mean(everything), mean(first)])

    return encode_batch


def _word_vectors() -> Callable[[str], Vectors]:
    """From a word to its vector: float32 (256,), of length 1."""
    found = find_spec("wordllama")
    if found is None or not found.submodule_search_locations:
        raise FeatureError(
            "the encoder 'hybrid' needs the package wordllama, which is not installed; "
            "install the extra: pip install -e '.[featurize]'"
        )
    from safetensors.numpy import load_file
    from tokenizers import Tokenizer

    # Its files are read and it is not imported: that would set up logging for the whole process.
    folder = Path(found.submodule_search_locations[0])
    pieces = load_file(folder / "weights" / "l2_supercat_256.safetensors")["embedding.weight"]
    tokenizer = Tokenizer.from_file(str(folder / "tokenizers" / "l2_supercat_tokenizer_config.json"))

    @lru_cache(CACHED_WORDS)
    def vector(word: str) -> Vectors:
        total = pieces[tokenizer.encode(word, add_special_tokens=False).ids].sum(axis=0, dtype=np.float32)
        return np.asarray(total / max(np.linalg.norm(total), TINY), np.float32)

    return vector


@encoder(USE)
def _universal_sentence_encoder(source: str | None) -> EncodeBatch:
    """Google's Universal Sentence Encoder (512 numbers): Cer et al. 2018, https://arxiv.org/abs/1803.11175.

    The source is a folder with a SavedModel or an address that tensorflow-hub knows; default: USE_URL.
    """
    address = source or USE_URL
    try:
        import tensorflow_hub
    except ImportError as error:
        raise FeatureError(
            f"the encoder {USE!r} needs a library that is not installed ({error}); "
            "install the extra: pip install -e '.[use]'"
        ) from error
    try:
        model = tensorflow_hub.load(address)
    except (OSError, ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise FeatureError(
            f"the encoder {USE!r} cannot be read from {address}: {reason}; "
            f"give a folder with its SavedModel, as in {USE}:FOLDER"
        ) from error
    return lambda texts: np.asarray(model(list(texts)), dtype=np.float32)
