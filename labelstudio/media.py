"""Pictures, sounds and films on disk: served by Label Studio from one folder, and from nowhere else.

Label Studio serves what lies below a folder of its own (`LOCAL_FILES_DOCUMENT_ROOT`) in subfolders that are
registered with a project. Ours is `media`: in a Label Studio on this machine a link to the folder that the
settings name, in the Docker stack the mounted folder itself.
"""

import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pandas as pd

from adaptml.errors import AnnotationError, LabelStudioError, listed
from adaptml.settings import Settings
from adaptml.tasks import Task
from labelstudio.client import LabelStudio

SERVED = "media"  # the subfolder's name in Label Studio's folder
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:|/data/upload/|/data/local-files/")  # C: is a drive


def media_columns(task: Task) -> list[str]:
    """The columns of a task that show pictures, sounds or films."""
    return [column.name for column in task.columns if column.type in ("image", "audio", "video")]


def with_addresses(rows: pd.DataFrame, task: Task, folder: Path) -> pd.DataFrame:
    """The rows with the address at which Label Studio serves it in place of each path of a file.

    Args:
        rows: `table_name`, `id` and columns to send. In columns of pictures, sounds and films, addresses
            (`https:`, `data:`, …) and empty cells stay as they are; all else is a path, relative to the
            folder or in it.
        task: says which columns these are.
        folder: holds the files.

    Raises:
        AnnotationError: files that are not there, or lie outside of the folder, also by `..` or a link.
    """
    columns = [name for name in media_columns(task) if name in rows.columns]
    real = folder.resolve()
    wrong: list[str] = []
    changed = {}
    for name in columns:
        cells = []
        for table_name, key, value in zip(rows["table_name"], rows["id"], rows[name], strict=True):
            address, reason = _address(value, real)
            cells.append(address)
            if reason:
                wrong.append(f"{table_name}/{key}: {value!r} {reason}")
        changed[name] = pd.Series(cells, index=rows.index, dtype=object)
    if wrong:
        raise AnnotationError(
            f"{len(wrong)} files cannot be shown: {listed(wrong)}; expected paths of files in {folder} "
            "(ADAPTML_MEDIA names the folder), or addresses such as https://…"
        )
    return rows.assign(**changed)


def _address(value: Any, folder: Path) -> tuple[Any, str]:
    """The address of one cell, and why there is none."""
    if not isinstance(value, str) or not value.strip() or _ADDRESS.match(value):
        return value, ""
    try:
        path = (folder / value).resolve()
        inside, there = path.is_relative_to(folder), path.is_file()
    except (
        OSError,
        ValueError,
        RuntimeError,
    ) as error:  # too long, a null character, a circle
        return value, f"is no path ({error.__class__.__name__})"
    if not inside:
        return value, "lies outside of the folder"
    if not there:
        return value, "is not there"
    return f"/data/local-files/?d={SERVED}/{quote(path.relative_to(folder).as_posix())}", ""


def share(studio: LabelStudio, project: int, task: Task, settings: Settings) -> bool:
    """Let a project show the files of the folder, where the task shows any and the folder is there.

    Args:
        studio: the server.
        project: the task's project.
        task: its columns.
        settings: name the folder, and where Label Studio sees it.

    Returns:
        Whether that is new.

    Raises:
        LabelStudioError: Label Studio does not serve that folder.
    """
    if not media_columns(task) or not settings.media.is_dir():
        return False
    path = str(settings.label_studio_media)
    if any(os.path.normpath(str(storage["path"])) == path for storage in studio.local_files(project)):
        return False
    try:
        studio.add_local_files(project, path, f"adaptml: {SERVED}")
    except LabelStudioError as error:
        if error.status is None:
            raise
        raise LabelStudioError(
            f"Label Studio cannot show the files of {settings.media}, which it should see as {path} "
            f"(ADAPTML_LABEL_STUDIO_MEDIA): {error}; start it with LOCAL_FILES_SERVING_ENABLED=true and "
            f"LOCAL_FILES_DOCUMENT_ROOT={Path(path).parent}, as `python -m labelstudio.local_server` does",
            error.status,
        ) from error
    return True
