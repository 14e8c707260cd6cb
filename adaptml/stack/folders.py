"""Folders of the host that containers write to: made for their user, and looked at before a start."""

import os
from pathlib import Path

from adaptml.stack.compose import Stack, StackError


def make_folders(stack: Stack) -> list[Path]:
    """Make those of the stack's folders that are not there yet, for the user that containers run as.

    Docker would make them too, but as root's.

    Returns:
        The folders that were made.

    Raises:
        StackError: one cannot be made, or that user may not write to one that is there.
    """
    made = []
    for folder in [*stack.folders.values(), *([stack.data_path] if stack.volumes_of_before else [])]:
        try:
            for absent in reversed([one for one in (folder, *folder.parents) if not one.exists()]):
                absent.mkdir()
                give(absent, stack.owner)
                made.append(absent)
        except OSError as error:
            raise StackError(
                f"{folder} cannot be made: {error.strerror}; expected a place that this user may write to: "
                "name one as DATA_PATH in .env.dev"
            ) from error
        if not is_writable(folder, stack.owner):
            uid, gid = stack.owner
            raise StackError(
                f"{folder} cannot be written by user {uid}:{gid}, as whom containers run; expected a "
                f"folder of that user: `sudo chown -R {uid}:{gid} {folder}`, or name another DATA_PATH in "
                ".env.dev"
            )
    return made


def give(path: Path, owner: tuple[int, int]) -> None:
    """Root gives what it makes to the user that the containers run as; others own it already."""
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        os.chown(path, *owner)


def is_writable(folder: Path, owner: tuple[int, int]) -> bool:
    """Whether a user may make files in a folder, by the bits of its mode."""
    if not folder.is_dir():
        return False
    found, (uid, gid) = folder.stat(), owner
    if uid == 0:  # in a rootless engine, the caller
        return os.access(folder, os.W_OK)
    shift = 6 if found.st_uid == uid else 3 if found.st_gid == gid else 0
    return (found.st_mode >> shift) & 0o3 == 0o3


def size_bytes(folder: Path) -> int:
    """What the files in a folder take together; those that may not be read are left out."""
    return sum((Path(at) / name).lstat().st_size for at, _, names in os.walk(folder) for name in names)
