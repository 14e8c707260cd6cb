"""An encoder of numbers, for columns whose values differ by orders of magnitude or are missing."""

from collections.abc import Sequence

import numpy as np

from adaptml.errors import FeatureError
from adaptml.features.encoders import encoder
from adaptml.features.values_to_encode import EncodeBatch, Vectors

NUMBERS_CODE = 1


@encoder("numbers", NUMBERS_CODE, takes="number")
def _numbers(source: str | None) -> EncodeBatch:
    """2 numbers: sign(x)·log(1 + |x|), and whether there is none (1, and 0 for the logarithm).

    Counts, prices and views become comparable with text vectors of length 1; nothing is fitted, so that the
    same number always gives the same vector.
    """
    if source is not None:
        raise FeatureError(f"the encoder 'numbers' reads no model, given {source!r}; write only 'numbers'")

    def encode_batch(numbers: Sequence[float]) -> Vectors:
        given = np.asarray(numbers, dtype=np.float64)
        missing = np.isnan(given)
        known = np.where(missing, 0.0, given)
        return np.column_stack([np.sign(known) * np.log1p(np.abs(known)), missing]).astype(np.float32)

    return encode_batch
