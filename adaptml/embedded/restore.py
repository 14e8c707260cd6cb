"""`adaptml restore` without the stack: an archive of `adaptml backup` becomes the home folder."""

import json
import shutil
import tarfile
from pathlib import Path
from typing import Any

from adaptml.embedded.backup import FORMAT, HOME, MANIFEST
from adaptml.errors import FileError, one_line
from adaptml.files import new_folder
from adaptml.project import Project


def restore(project: Project, file: Path) -> dict[str, Any]:
    """Put a saved home folder in the place of the project's, which may be another one than it had.

    It belongs to who restores it. Runs and models are found in the new place when it is first used.

    Args:
        project: whose home folder, which is not there yet or is empty.
        file: what `backup` wrote.

    Returns:
        What the archive says of itself: `made_at`, `home` where it was made, number of `files`, `left_out`.

    Raises:
        FileError: the home folder holds files, `file` is no whole backup or would write elsewhere, or the
            disk is full; no home folder is made then.
    """
    home = project.settings.home
    if not file.is_file():
        raise FileError(f"no file {file}; expected what `adaptml backup` wrote")
    if home.exists() and (not home.is_dir() or any(home.iterdir())):
        raise FileError(
            f"{home} is not empty; expected an empty home folder: move it away, or set ADAPTML_HOME"
        )
    unfinished: Path | None = None
    try:
        unfinished = new_folder(home.parent, f".{home.name}-")
        about = _unpacked(file, unfinished)
        (unfinished / HOME).replace(home)
    except (tarfile.TarError, EOFError) as error:
        raise FileError(
            f"{file} is no whole backup: {one_line(error)}; expected what `adaptml backup` wrote"
        ) from error
    except OSError as error:
        reason = error.strerror or error
        raise FileError(
            f"{file} cannot be restored to {home}: {reason}; free space or name another home"
        ) from error
    finally:
        if unfinished is not None:
            shutil.rmtree(unfinished, ignore_errors=True)
    return about


def _unpacked(file: Path, folder: Path) -> dict[str, Any]:
    """All members below a folder; none may lie or point elsewhere."""
    with tarfile.open(file) as archive:
        for member in archive:
            if not (member.isfile() and (member.name == MANIFEST or member.name.startswith(f"{HOME}/"))):
                raise FileError(
                    f"{file} holds {member.name!r}, which no backup has; restore one that you made"
                )
            archive.extract(member, folder, filter="data")
    (folder / HOME).mkdir(exist_ok=True)
    files = sum(path.is_file() for path in (folder / HOME).rglob("*"))
    try:
        about: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        known, expected = about["format"] <= FORMAT, about["files"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FileError(
            f"{file} is no whole backup: it has no {MANIFEST}; expected what `adaptml backup` wrote"
        ) from error
    if not known:
        raise FileError(
            f"{file} is a backup of a newer version; install that version, and restore it with that"
        )
    if files != expected:
        raise FileError(
            f"{file} holds {files} files, and says {expected}; copy it again, or restore another one"
        )
    return about
