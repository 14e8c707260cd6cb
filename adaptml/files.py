"""Files that take their place whole or not at all."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from adaptml.errors import FileError


def write_text(text: str, path: Path) -> Path:
    """Write a text file as UTF-8, whole or not at all; returns the path."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary file beside `path` that takes its place when the block ends, and vanishes when it fails.

    Raises:
        FileError: `path` is something else than a file, the folder cannot be written or the disk is full;
            the old file is as it was.
    """
    temporary: Path | None = None
    try:
        _check_replaceable(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-", suffix=path.suffix)
        os.close(handle)
        temporary = Path(name)
        yield temporary
        temporary.chmod(0o644)
        temporary.replace(path)
    except OSError as error:
        reason = error.strerror or error
        raise FileError(f"{path} cannot be written: {reason}; free space or name another folder") from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


@contextmanager
def removing(path: Path) -> Iterator[None]:
    """The file `path`, if there is one, goes when the block ends, and stays as it was when it fails.

    Raises:
        FileError: `path` is something else than a file, or the folder cannot be written.
    """
    _check_replaceable(path)
    yield
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        reason = error.strerror or error
        raise FileError(f"{path} cannot be removed: {reason}; remove it, then run this again") from error


def _check_replaceable(path: Path) -> None:
    """Refuse a folder, a device or a pipe: a rename would put a file in its place."""
    try:
        usable = path.is_file() or not path.exists()
    except OSError:  # the folder is out of reach: writing itself says why
        return
    if not usable:
        kind = "a folder" if path.is_dir() else "a device, pipe or socket"
        raise FileError(
            f"{path} is {kind}; expected a file or a name that is free: move it away or name another"
        )
