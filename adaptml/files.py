"""Files that take their place whole or not at all, one alone or several together."""

import fcntl
import json
import os
import secrets
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from glob import escape
from pathlib import Path

from adaptml.errors import FileError
from adaptml.leftovers import clear, locked

READABLE, PRIVATE = 0o666, 0o600  # the umask takes away from the first what a person wants taken away
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL
_UNFINISHED = ".unfinished-"  # a folder of new files that are being written
_READY, _GONE = ".complete", ".gone.json"  # new files on their way to their places, and whose files go


def write_text(text: str, path: Path, *, mode: int = READABLE) -> Path:
    """Write a text file as UTF-8, whole or not at all; returns the path."""
    with replacing(path, mode=mode) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return path


def read_bounded(path: Path, max_bytes: int) -> bytes:
    """A file that somebody else can have written, whole.

    Raises:
        OSError: it cannot be read.
        ValueError: it is larger.
    """
    with path.open("rb") as file:
        found = file.read(max_bytes + 1)
    if len(found) > max_bytes:
        raise ValueError(f"{path.name} is larger than {max_bytes:,} bytes")
    return found


@contextmanager
def replacing(path: Path, *, mode: int = READABLE) -> Iterator[Path]:
    """A temporary file beside `path` that takes its place when the block ends, and vanishes when it fails.

    Once the block has ended, the file outlives a power failure. What a killed process left in its place is
    cleared.

    Args:
        path: the file.
        mode: who may read and write it, from its first byte on; less what the umask takes away.

    Raises:
        FileError: `path` is something else than a file, the folder cannot be written or the disk is full;
            the old file is as it was.
    """
    temporary: Path | None = None
    try:
        _check_replaceable(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.stem}-{secrets.token_hex(4)}{path.suffix}")
        clear(path.parent.glob(f".{escape(path.stem)}-{'[0-9a-f]' * 8}{escape(path.suffix)}"))
        os.close(os.open(temporary, _NEW_FILE, mode))
        with locked(temporary):
            yield temporary
        _sync(temporary)
        temporary.replace(path)
        _sync_names(path.parent)
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


@contextmanager
def replacing_together(folder: Path, gone: Sequence[str] = ()) -> Iterator[Path]:
    """A new folder to write files in, which take their places in `folder` together when the block ends.

    Whenever the process is killed, readers that call `finish_replacing` first see all files of before or all
    of the new ones. When the block fails, those of before stay.

    Args:
        folder: where the files belong.
        gone: names of files in it that go.

    Raises:
        FileError: a place is taken by something else than a file, `folder` cannot be written, or the disk is
            full.
    """
    unfinished: Path | None = None
    try:
        clear(folder.glob(f"{_UNFINISHED}*"))
        unfinished = new_folder(folder, _UNFINISHED)
        with locked(unfinished):
            yield unfinished
        for path in unfinished.iterdir():
            _check_replaceable(folder / path.name)
        (unfinished / _GONE).write_text(json.dumps(list(gone)), encoding="utf-8")
        for path in unfinished.iterdir():
            _sync(path)
        _sync_names(unfinished)
        with _locked(folder):
            _move_in(folder)  # those of a process that was killed come first
            unfinished.rename(folder / _READY)
            _sync_names(folder)
            _move_in(folder)
    except OSError as error:
        raise _not_in_place(folder, error) from error
    finally:
        if unfinished is not None:
            shutil.rmtree(unfinished, ignore_errors=True)


def new_folder(parent: Path, prefix: str) -> Path:
    """Make a folder of a name of its own, readable as the umask says: that of `mkdtemp` is for its owner."""
    made = parent / f"{prefix}{secrets.token_hex(4)}"
    made.mkdir(parents=True)
    return made


def finish_replacing(folder: Path) -> None:
    """Put in their places the files that a process was killed over; to be called before a folder is read.

    Raises:
        FileError: `folder` cannot be written.
    """
    if not (folder / _READY).exists():
        return
    try:
        with _locked(folder):
            _move_in(folder)
    except OSError as error:
        raise _not_in_place(folder, error) from error


def _move_in(folder: Path) -> None:
    """Done again after it was broken off, this gives the same."""
    ready = folder / _READY
    if not ready.is_dir():
        return
    names = sorted(path.name for path in ready.iterdir() if path.name != _GONE)
    if (ready / _GONE).exists():
        for name in json.loads((ready / _GONE).read_text(encoding="utf-8")):
            (folder / name).unlink(missing_ok=True)
    for name in names:
        (ready / name).replace(folder / name)
    _sync_names(folder)
    (ready / _GONE).unlink(missing_ok=True)
    ready.rmdir()


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Only one process at a time is in a folder's block; the lock goes with the process."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _sync(path: Path) -> None:
    """Have the disk hold a file's content: after a power failure, a rename alone can leave an empty file."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _sync_names(folder: Path) -> None:
    """Have the disk hold a folder's names; some file systems cannot, and the files are there all the same."""
    with suppress(OSError):
        _sync(folder)


def _not_in_place(folder: Path, error: OSError) -> FileError:
    reason = error.strerror or error
    return FileError(
        f"the files of {folder} cannot be written: {reason}; free space, or see who may write there"
    )


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
