"""Google's Universal Sentence Encoder, by tensorflow-hub."""

import numpy as np

from adaptml.errors import FeatureError, one_line
from adaptml.features.encoders import encoder
from adaptml.features.values_to_encode import EncodeBatch

USE = "universal-sentence-encoder"
USE_URL = "https://tfhub.dev/google/universal-sentence-encoder/4"


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
