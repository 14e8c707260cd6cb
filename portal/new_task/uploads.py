"""Files that came through the page: where they lie, by a number of their own, and how they get there."""

import re
import shutil
import time
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

from adaptml.errors import FrameError
from adaptml.importing.files import check_kind

KEPT_S = 7 * 86_400.0
_NUMBER = re.compile("[0-9a-f]{32}")
_PLAIN = re.compile(r"[^\w.-]+")
MAX_NAME = 60  # of up to 4 bytes each: file systems take 255
MB = 1_000_000


class TooLargeError(FrameError):
    """A file that is larger than the page takes."""


def plain_name(given: str) -> str:
    """A name for a file's copy: letters, digits, `.`, `_` and `-` alone, with the end that says its kind.

    >>> plain_name("../../etc/Meine Liste (1).CSV"), plain_name(".csv")
    ('Meine_Liste_1_.CSV', 'file.csv')
    """
    last = _PLAIN.sub("_", re.split(r"[/\\]", given)[-1])
    stem, dot, end = last.partition(".")
    return f"{stem.strip('_-') or 'file'}{dot}{end}"[-MAX_NAME:].lstrip("._-")


async def receive(chunks: AsyncIterator[bytes], given: str, uploads: Path, limit_mb: int) -> str:
    """Write a file as it comes in; what is too large, or breaks off, leaves nothing.

    Args:
        chunks: its content.
        given: its name where it comes from.
        uploads: the folder of uploads.
        limit_mb: the largest file that is taken, in MB.

    Returns:
        The number by which it is found.

    Raises:
        FrameError: a file of another kind than imports take.
        TooLargeError: it is larger.
    """
    name = plain_name(given)
    check_kind(name)
    _remove_old(uploads)
    number = uuid4().hex
    folder = uploads / number
    folder.mkdir(parents=True)
    try:
        await _write(chunks, folder / name, limit_mb)
    except BaseException:  # the browser went away, too: then nothing is left, and the error goes on
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return number


async def _write(chunks: AsyncIterator[bytes], path: Path, limit_mb: int) -> None:
    size = 0
    with path.open("xb") as file:
        async for chunk in chunks:
            size += len(chunk)
            if size > limit_mb * MB:
                raise TooLargeError(
                    f"the file is larger than {limit_mb:,} MB; expected a smaller one: import it with "
                    "`adaptml import`, or set ADAPTML_UPLOAD_LIMIT_MB"
                )
            file.write(chunk)


def uploaded(uploads: Path, number: str) -> Path:
    """The file of a number.

    Raises:
        FrameError: there is none.
    """
    folder = uploads / number
    found = [*folder.iterdir()] if _NUMBER.fullmatch(number) and folder.is_dir() else []
    if len(found) != 1:
        raise FrameError("this file is no longer here; uploads are kept for a week: upload it again")
    return found[0]


def _remove_old(folder: Path) -> None:
    """Remove uploads of more than a week ago."""
    for old in folder.glob("*"):
        if old.is_dir() and time.time() - old.stat().st_mtime > KEPT_S:
            shutil.rmtree(old, ignore_errors=True)
