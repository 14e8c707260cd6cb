"""Temporary files that are locked while their process lives, so that those of a killed one can be cleared."""

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

OLD_S = 60.0  # younger ones may be about to be locked
SCRATCH = "adaptml-step-"


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder for what a step needs while it is at work; those that killed steps left are cleared first."""
    clear(Path(tempfile.gettempdir()).glob(f"{SCRATCH}*"))
    with tempfile.TemporaryDirectory(prefix=SCRATCH) as name, locked(Path(name)):
        yield Path(name)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """A block in which `clear` leaves a file or a folder alone, also that of another process."""
    handle = os.open(path, os.O_RDONLY)
    try:
        with suppress(OSError):  # a file system without locks: there, `clear` takes nothing
            fcntl.flock(handle, fcntl.LOCK_SH)
        yield
    finally:
        os.close(handle)


def clear(paths: Iterable[Path]) -> None:
    """Remove files and folders of this user that nobody has locked and that are a minute old; no others."""
    for path in paths:
        with suppress(OSError):
            found = path.lstat()
            if found.st_uid == os.getuid() and time.time() - found.st_mtime > OLD_S and not path.is_symlink():
                _remove_unlocked(path)


def _remove_unlocked(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)  # fails where somebody is at work with it
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink()
    finally:
        os.close(handle)
