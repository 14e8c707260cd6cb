"""Sounds from their files, as samples of one channel."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from adaptml.features.media_source import UnreadableError, is_empty, missing_library, opened

MAX_SECONDS = 300  # what comes later in a sound is not read
MAX_RATE = 192_000  # samples a second
MAX_SAMPLES = 30_000_000  # of a channel: 300 s at up to 100 kHz
BLOCK_SAMPLES = 1 << 18  # read at once, of all channels

Samples = npt.NDArray[np.float32]


class Sound(NamedTuple):
    """The beginning of a sound.

    Attributes:
        samples: float32 (n,), n at least 1, the mean of the channels, -1 … 1 where nothing is clipped.
        rate: samples a second.
    """

    samples: Samples
    rate: int


def read_sound(cell: Any, folder: Path | None) -> Sound | None:
    """A sound from its file or its bytes, in wav, flac, ogg, mp3 or what else libsndfile reads.

    Args:
        cell: the path of a file, the file's bytes, or these as a `data:` address; None or no text: none.
        folder: where relative paths start.

    Returns:
        Its first 300 seconds; None where there is none.

    Raises:
        FeatureError: soundfile is not installed, there is no such file, or it is no sound.
    """
    if is_empty(cell):
        return None
    try:
        import soundfile
    except (ImportError, OSError) as error:  # OSError: the C library that it is for is not there
        raise missing_library("encoding sounds", "sounds", ImportError(str(error))) from error
    with opened(cell, folder) as source, soundfile.SoundFile(source) as file:
        if file.samplerate > MAX_RATE:
            raise UnreadableError(f"{file.samplerate} samples a second; expected {MAX_RATE} at most")
        left = min(MAX_SECONDS * file.samplerate, MAX_SAMPLES)
        frames = max(1, BLOCK_SAMPLES // file.channels)
        blocks: list[Samples] = []
        while left > 0:
            block = file.read(min(left, frames), dtype="float32", always_2d=True)
            if not len(block):
                break
            blocks.append(block.mean(axis=1))
            left -= len(block)
        if not blocks:
            raise UnreadableError("it holds no samples")
        samples = np.concatenate(blocks)
        if not np.isfinite(samples).all():
            raise UnreadableError("it has samples that are not finite")
        return Sound(samples, file.samplerate)
