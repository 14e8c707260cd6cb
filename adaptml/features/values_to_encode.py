"""What encoders take: texts, pictures, sounds, films or numbers, made of the cells of a column."""

import base64
import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from adaptml.errors import FeatureError, listed
from adaptml.features.films import FRAMES, read_film
from adaptml.features.media_source import DATA_URI, is_empty, missing_images, opened
from adaptml.features.sounds import Sound, read_sound

Modality = Literal["text", "image", "audio", "video", "number"]
Vectors = npt.NDArray[np.float32]
Picture = npt.NDArray[np.uint8]
EncodeBatch = Callable[[Sequence[Any]], Vectors]

WHAT: dict[Modality, str] = {
    "text": "texts", "image": "pictures", "audio": "sounds", "video": "films", "number": "numbers"
}  # fmt: skip
BATCH_TEXTS = 512  # bounds the memory that an encoder needs on top of its result
BATCH_PICTURES = 4  # of up to 89 million dots each, beyond which Pillow refuses them


class Kind(NamedTuple):
    """How values of one modality reach an encoder.

    Attributes:
        batch: most of them at once.
        probe: a value that every encoder takes, to see how long its vectors are.
        read: a cell, and the folder in which relative paths start → what the encoder gets; None where the
            cell holds nothing, which counts as zeros.
    """

    batch: int
    probe: Any
    read: Callable[[Any, Path | None], Any]


def _text(cell: Any, _folder: Path | None) -> str:
    return "" if cell is None else str(cell)


def _number(cell: Any, _folder: Path | None) -> float:
    """A number, also one written as text; NaN where there is none."""
    if cell is None or cell == "":
        return math.nan
    try:
        number = float(cell)
    except (TypeError, ValueError):
        raise FeatureError(f"{str(cell)[:50]!r} is no number") from None
    if math.isinf(number):
        raise FeatureError(f"{number} is not finite")
    return number


def read_picture(cell: Any, folder: Path | None) -> Picture | None:
    """A picture as dots, from its file or its bytes.

    Args:
        cell: the path of a file, the file's bytes, or these as a `data:` address; None or no text: none.
        folder: where relative paths start.

    Returns:
        uint8 (height, width, 3), red, green and blue in 0 … 255, turned as its EXIF says, on white where it
        lets through; the first frame of a film. None where there is none.

    Raises:
        FeatureError: Pillow is not installed, there is no such file, or it is no picture.
    """
    if is_empty(cell):
        return None
    try:
        from PIL import Image, ImageOps
    except ImportError as error:
        raise missing_images(error) from error
    with opened(cell, folder) as source, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about tags that are out of order
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        with Image.open(source) as file:
            picture = ImageOps.exif_transpose(file).convert("RGBA")
    white = Image.new("RGBA", picture.size, "white")
    return np.asarray(Image.alpha_composite(white, picture).convert("RGB"))


def cell_text(cell: Any) -> str:
    """A cell as text that encoders take for the cell itself: no text for NULL, bytes as a `data:` address.

    >>> cell_text(2.5), cell_text(None), cell_text(b"GIF89a")
    ('2.5', '', 'data:;base64,R0lGODlh')
    """
    if cell is None or isinstance(cell, str):
        return cell or ""
    if isinstance(cell, bytes | memoryview | bytearray):
        return f"{DATA_URI};base64,{base64.b64encode(cell).decode()}"
    return str(cell)


_BLACK: Picture = np.zeros((32, 32, 3), dtype=np.uint8)
KINDS: dict[Modality, Kind] = {
    "text": Kind(BATCH_TEXTS, "", _text),
    "image": Kind(BATCH_PICTURES, _BLACK, read_picture),
    "audio": Kind(1, Sound(np.zeros(1_000, dtype=np.float32), 16_000), read_sound),
    "video": Kind(1, [_BLACK] * FRAMES, read_film),
    "number": Kind(BATCH_TEXTS, math.nan, _number),
}


def encode_cells(
    encode_batch: EncodeBatch, takes: Modality, dimensions: int, cells: Sequence[Any], folder: Path | None
) -> Vectors:
    """Vectors of n cells: float32 (n, dimensions), zeros where a cell names no file.

    Raises:
        FeatureError: cells that cannot be read; all of them in one line.
    """
    vectors = np.zeros((len(cells), dimensions), dtype=np.float32)
    for rows, values in batches(takes, cells, folder):
        vectors[rows] = encode_batch(values)
    return vectors


def batches(
    takes: Modality, cells: Sequence[Any], folder: Path | None
) -> Iterator[tuple[list[int], list[Any]]]:
    """What the cells hold, some at a time: places of cells that hold something, and what an encoder gets.

    Raises:
        FeatureError: cells that cannot be read; all of them in one line, at the end.
    """
    kind = KINDS[takes]
    refused: list[str] = []
    for start in range(0, len(cells), kind.batch):
        rows, values = [], []
        for row in range(start, min(start + kind.batch, len(cells))):
            try:
                value = kind.read(cells[row], folder)
            except FeatureError as error:
                refused.append(str(error))
                continue
            if value is not None:
                rows.append(row)
                values.append(value)
        if rows and not refused:
            yield rows, values
    if refused:
        raise _refused(takes, refused, len(cells))


def _refused(takes: Modality, refused: Sequence[str], n: int) -> FeatureError:
    return FeatureError(
        f"{len(refused)} of {n} {WHAT[takes]} cannot be read: {listed(refused)}; "
        "correct them, or leave the cells empty (NULL)"
    )
