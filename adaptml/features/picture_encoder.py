"""An encoder of pictures that needs no model: colours, edges and shapes by scikit-image."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from adaptml.features.encoders import encoder
from adaptml.features.media_source import missing_images
from adaptml.features.sentence_parts import of_length_1
from adaptml.features.values_to_encode import EncodeBatch, Picture, Vectors

PICTURES_CODE = 1
SIDE = 96  # dots; every picture is brought to this width and height
CELLS = 4  # in each direction, where it matters where in the picture something is
HUES, SATURATIONS, BRIGHTNESSES = 8, 3, 3  # kinds of colour that are counted
SHAPES = {"orientations": 9, "pixels_per_cell": (16, 16), "cells_per_block": (2, 2), "block_norm": "L2-Hys"}


@encoder("pictures", PICTURES_CODE, takes="image", of_media=True)
def _pictures(_source: str | None) -> EncodeBatch:
    """1036 numbers: 72 for colours, 48 for where they are, 16 for edges, 900 for shapes.

    Colours are counted by hue, saturation and brightness, as square roots of their shares; then the mean
    colour and the mean strength of edges (Sobel) in each of 4 × 4 parts; shapes are histograms of oriented
    gradients (Dalal and Triggs 2005, https://doi.org/10.1109/CVPR.2005.177). Each of the four is of length
    1. Nothing is fitted. Pictures are alike where they look alike as a whole; what is in them is not known.

    The source is the folder in which relative paths of pictures start.
    """
    try:
        from PIL import Image
        from skimage.color import rgb2gray, rgb2hsv
        from skimage.feature import hog
        from skimage.filters import sobel
    except ImportError as error:
        raise missing_images(error) from error

    edges: Any = sobel  # which has no types

    def encode_one(picture: Picture) -> Vectors:
        image = Image.fromarray(picture).resize((SIDE, SIDE), Image.Resampling.BOX)
        dots = np.asarray(image, dtype=np.float32) / 255
        grey = rgb2gray(dots)
        parts = [_colours(rgb2hsv(dots)), _in_cells(dots), _in_cells(edges(grey)), hog(grey, **SHAPES)]
        return np.hstack([of_length_1(np.reshape(part, (1, -1)).astype(np.float32)) for part in parts])

    def encode_batch(pictures: Sequence[Picture]) -> Vectors:
        return np.vstack(list(map(encode_one, pictures)))

    return encode_batch


def _colours(hsv: Any) -> Any:
    """Square roots of the shares of each kind of colour, so that small areas count too: (72,)."""
    sizes = np.array([HUES, SATURATIONS, BRIGHTNESSES])
    kinds = np.minimum((hsv.reshape(-1, 3) * sizes).astype(np.int64), sizes - 1)
    counts = np.bincount(np.ravel_multi_index(kinds.T, sizes), minlength=int(sizes.prod()))
    return np.sqrt(counts / len(kinds))


def _in_cells(values: Any) -> Any:
    """Means over the parts of the picture, (SIDE, SIDE) or (SIDE, SIDE, 3) → (16,) or (48,)."""
    side = SIDE // CELLS
    return values.reshape(CELLS, side, CELLS, side, -1).mean(axis=(1, 3)).ravel()
