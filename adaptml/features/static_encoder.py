"""Static word vectors of a folder, by the library model2vec: any language that has them, and no model."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from adaptml.errors import FeatureError
from adaptml.features.encoders import encoder
from adaptml.features.values_to_encode import EncodeBatch, Vectors
from adaptml.user_code import said, user_code

STATIC_CODE = 1


@encoder("static", STATIC_CODE)
def _static(source: str | None) -> EncodeBatch:
    """As many numbers as the folder's vectors have: the mean of the vectors of a text's pieces of words.

    Van Dongen and Tulkens 2024, Model2Vec. The source is a folder that model2vec saved (`model.safetensors`,
    `tokenizer.json`, `config.json`; its vectors may have weights and a mapping), or a StaticEmbedding of the
    library sentence-transformers. Texts of any length in thousands a second; a word is the same one whatever
    stands beside it.
    """
    if source is None:
        raise FeatureError("the encoder 'static' needs the folder of its vectors; write static:FOLDER")
    try:
        from model2vec import StaticModel
    except ImportError as error:
        raise FeatureError(
            f"the encoder 'static' needs a library that is not installed ({error}); "
            "install the extra: pip install -e '.[static]'"
        ) from error
    if not Path(source).is_dir():  # model2vec would ask the network for a model of that name
        raise _unreadable(source, "there is no such folder")
    with user_code(lambda error: _unreadable(source, said(error))):
        model = StaticModel.from_pretrained(source)
        _check(model, source)

    def encode_batch(texts: Sequence[str]) -> Vectors:
        return np.asarray(model.encode(list(texts), use_multiprocessing=False), dtype=np.float32)

    return encode_batch


def _check(model: Any, source: str) -> None:
    """Refuse what would fail, or be wrong without a word, only once a text is encoded."""
    vectors, mapping, weights = model.embedding, model.token_mapping, model.weights
    if vectors.ndim != 2 or not np.isfinite(vectors).all():
        raise _unreadable(source, f"its vectors have the shape {vectors.shape}, or are not finite")
    pieces = len(model.tokens)
    for what, values in (("mapping", mapping), ("weights", weights)):
        if values is not None and values.shape != (pieces,):
            raise _unreadable(
                source, f"its {what} has the shape {values.shape} and its tokenizer {pieces} pieces of words"
            )
    if mapping is not None and not (mapping.min() >= 0 and mapping.max() < len(vectors)):
        raise _unreadable(source, f"its mapping names vectors beyond the {len(vectors)} that there are")
    if weights is not None and not np.isfinite(weights).all():
        raise _unreadable(source, "its weights are not finite")


def _unreadable(source: str, why: str) -> FeatureError:
    return FeatureError(
        f"the static vectors in {source} cannot be read: {why}; give a folder that model2vec saved"
    )
