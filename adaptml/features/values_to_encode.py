"""What encoders take: texts, pictures or numbers, made of the cells of a column."""

import base64
import binascii
import math
import warnings
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from adaptml.errors import FeatureError, listed
from adaptml.user_code import said, user_code

Modality = Literal["text", "image", "number"]
Vectors = npt.NDArray[np.float32]
Picture = npt.NDArray[np.uint8]
EncodeBatch = Callable[[Sequence[Any]], Vectors]

WHAT: dict[Modality, str] = {"text": "texts", "image": "pictures", "number": "numbers"}
BATCH_TEXTS = 512  # bounds the memory that an encoder needs on top of its result
BATCH_PICTURES = 4  # of up to 89 million dots each, beyond which Pillow refuses them
DATA_URI = "data:"


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
    if cell is None or (isinstance(cell, str) and not cell.strip()):
        return None
    try:
        from PIL import Image, ImageOps
    except ImportError as error:
        raise missing_images(error) from error
    name = repr(cell[:200]) if isinstance(cell, str) else f"of {len(cell)} bytes"
    if isinstance(cell, str) and cell.startswith(DATA_URI):
        name = f"{cell[:30]!r}…"
    source = _source(cell, name, folder)
    with user_code(lambda error: FeatureError(f"{name} ({_reason(error)})")), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about tags that are out of order
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        with Image.open(source) as file:
            picture = ImageOps.exif_transpose(file).convert("RGBA")
    white = Image.new("RGBA", picture.size, "white")
    return np.asarray(Image.alpha_composite(white, picture).convert("RGB"))


def _source(cell: Any, name: str, folder: Path | None) -> Path | BytesIO:
    """Where the picture is read from."""
    if not isinstance(cell, str):
        return BytesIO(cell)
    if cell.startswith(DATA_URI):
        try:
            return BytesIO(base64.b64decode(cell.partition(",")[2], validate=True))
        except binascii.Error:
            raise FeatureError(f"{name} (its bytes are no base64)") from None
    if "://" in cell:
        raise FeatureError(f"{name} (an address; expected the path of a file)")
    path = Path(cell)
    if not path.is_absolute() and folder is None:
        raise FeatureError(f"{name} (nothing says in which folder it lies)")
    path = path if folder is None else folder / path
    try:
        if path.is_file():
            return path
    except (OSError, ValueError):  # a name that no file can have
        pass
    raise FeatureError(f"{name} (no such file{'' if folder is None else f' in {folder}'})")


def _reason(error: BaseException) -> str:
    if type(error).__name__ == "UnidentifiedImageError":  # whose text is the address of an object
        return "no picture that can be read"
    return said(error)


def missing_images(error: ImportError) -> FeatureError:
    """What is raised where the libraries of pictures are not installed."""
    return FeatureError(
        f"encoding pictures needs a library that is not installed ({error}); "
        "install the extra: pip install -e '.[images]'"
    )


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


KINDS: dict[Modality, Kind] = {
    "text": Kind(BATCH_TEXTS, "", _text),
    "image": Kind(BATCH_PICTURES, np.zeros((32, 32, 3), dtype=np.uint8), read_picture),
    "number": Kind(BATCH_TEXTS, math.nan, _number),
}


def encode_cells(
    encode_batch: EncodeBatch, takes: Modality, dimensions: int, cells: Sequence[Any], folder: Path | None
) -> Vectors:
    """Vectors of n cells: float32 (n, dimensions), zeros where a cell holds no picture.

    Raises:
        FeatureError: cells that cannot be read; all of them in one line.
    """
    kind = KINDS[takes]
    vectors = np.zeros((len(cells), dimensions), dtype=np.float32)
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
            vectors[rows] = encode_batch(values)
    if refused:
        raise _refused(takes, refused, len(cells))
    return vectors


def _refused(takes: Modality, refused: Sequence[str], n: int) -> FeatureError:
    return FeatureError(
        f"{len(refused)} of {n} {WHAT[takes]} cannot be read: {listed(refused)}; "
        "correct them, or leave the cells empty (NULL)"
    )
