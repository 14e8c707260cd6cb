"""Where pictures, sounds and films are read from: a file in a folder, or the bytes of one."""

import base64
import binascii
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

from adaptml.errors import FeatureError
from adaptml.user_code import said, user_code

DATA_URI = "data:"

# What Pillow, libsndfile and FFmpeg raise for a file of no format that they know, with texts for programmers.
_UNKNOWN_FORMAT = {
    "UnidentifiedImageError": "picture", "LibsndfileError": "sound", "InvalidDataError": "film"
}  # fmt: skip


def is_empty(cell: Any) -> bool:
    """Whether a cell names no file and holds no bytes."""
    return cell is None or (isinstance(cell, str) and not cell.strip())


@contextmanager
def opened(cell: Any, folder: Path | None) -> Iterator[Path | BytesIO]:
    """The file that a cell names or holds; what is raised inside becomes one line with its name.

    Args:
        cell: the path of a file, the file's bytes, or these as a `data:` address.
        folder: where relative paths start.

    Raises:
        FeatureError: there is no such file, or the block cannot read it.
    """
    name = repr(cell[:200]) if isinstance(cell, str) else f"of {len(cell)} bytes"
    if isinstance(cell, str) and cell.startswith(DATA_URI):
        name = f"{cell[:30]!r}…"
    source = _source(cell, name, folder)
    with user_code(lambda error: FeatureError(f"{name} ({_reason(error)})")):
        yield source


def _source(cell: Any, name: str, folder: Path | None) -> Path | BytesIO:
    """Where the file is read from."""
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


class UnreadableError(Exception):
    """A file that the block of `opened` refuses; its text is the reason."""


def _reason(error: BaseException) -> str:
    if isinstance(error, UnreadableError):
        return str(error)
    what = _UNKNOWN_FORMAT.get(type(error).__name__)
    return f"no {what} that can be read" if what else said(error)


def missing_library(what: str, extra: str, error: ImportError) -> FeatureError:
    """What is raised where a library that an extra brings is not installed."""
    return FeatureError(
        f"{what} needs a library that is not installed ({error}); "
        f"install the extra: pip install -e '.[{extra}]'"
    )


def missing_images(error: ImportError) -> FeatureError:
    """What is raised where the libraries of pictures are not installed."""
    return missing_library("encoding pictures", "images", error)
