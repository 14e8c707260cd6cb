"""An encoder of films: what an encoder of pictures makes of some of theirs."""

from collections.abc import Mapping, Sequence

import numpy as np

from adaptml.errors import FeatureError
from adaptml.features.encoders import encoder, encoder_checksum, encoder_takes, get_encoder
from adaptml.features.films import Film
from adaptml.features.media_source import missing_library
from adaptml.features.values_to_encode import BATCH_PICTURES, EncodeBatch, Vectors

FRAMES_CODE = 1
PICTURES = "pictures"


def _files(source: str | None) -> Mapping[str, str]:
    return {"pictures": encoder_checksum(source or PICTURES)}


@encoder("frames", FRAMES_CODE, takes="video", files=_files)
def _frames(source: str | None) -> EncodeBatch:
    """Twice as many numbers as the encoder of pictures makes: their means over a film, and the largest.

    Eight pictures at even distances are looked at. The source is an encoder of pictures, such as
    `onnx:FOLDER`; without one it is `pictures`. What is heard in a film counts for nothing.
    """
    try:
        import av  # noqa: F401
    except ImportError as error:
        raise missing_library("encoding films", "video", error) from error
    name = source or PICTURES
    if encoder_takes(name) != "image":
        raise FeatureError(
            f"the encoder 'frames' needs one of pictures, given {name!r}; write frames:pictures"
        )
    encode_pictures = get_encoder(name).encode_batch

    def encode_batch(films: Sequence[Film]) -> Vectors:
        made = []
        for film in films:
            parts = [
                encode_pictures(film[start : start + BATCH_PICTURES])
                for start in range(0, len(film), BATCH_PICTURES)
            ]
            vectors = np.vstack(parts)
            made.append(np.concatenate([vectors.mean(axis=0), vectors.max(axis=0)]))
        return np.vstack(made)

    return encode_batch
