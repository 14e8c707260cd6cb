"""Names for new files: what was written before is never replaced unsaid by something else."""

from collections.abc import Callable
from itertools import count
from pathlib import Path

from adaptml.errors import FileError


def own_name(path: Path, same: Callable[[Path], bool], *, named: bool) -> Path:
    """The path to write to: free, or of a file that is the same already.

    Args:
        path: wanted.
        same: whether a file that is there holds what is to be written.
        named: a person named it; else a taken name gets the next free number behind it.

    Raises:
        FileError: the named file is there and holds something else.
    """
    if named and path.is_file() and not same(path):
        raise FileError(
            f"{path} is there already and holds something else; name another file with --to, or remove it"
        )
    for number in count(1):
        found = path if number == 1 else path.with_stem(f"{path.stem}_{number}")
        if named or not found.is_file() or same(found):
            return found
    raise AssertionError  # there is always a next number
