"""How cells are shown: texts, numbers, lists, and pictures, sounds and films by their column."""

from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote

from adaptml.browsing.paging import Listed
from adaptml.tasks import Task

# What a browser is told a file is; nothing else in the media folder is served. SVG could hold scripts.
TYPES = {
    ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png", ".gif": "image/gif",
    ".webp": "image/webp", ".avif": "image/avif", ".bmp": "image/bmp", ".wav": "audio/wav",
    ".mp3": "audio/mpeg", ".ogg": "audio/ogg", ".oga": "audio/ogg", ".flac": "audio/flac",
    ".m4a": "audio/mp4", ".mp4": "video/mp4", ".webm": "video/webm", ".ogv": "video/ogg",
}  # fmt: skip


def media_kinds(task: Task | None, rows: Listed) -> dict[str, str]:
    """Column → image, audio or video: as the task says, else as the first cell's ending does."""
    said = {} if task is None else {column.name: column.type for column in task.columns}
    found = {}
    for place, name in enumerate(rows.columns):
        kind = said.get(name) or _kind_of(next((row[place] for row in rows.cells if row[place]), None))
        if kind in ("image", "audio", "video"):
            found[name] = kind
    return found


def _kind_of(cell: Any) -> str:
    if not isinstance(cell, str) or len(cell) > 500 or "\n" in cell:
        return ""
    return TYPES.get(PurePosixPath(cell).suffix.lower(), "").partition("/")[0]


def media_address(cell: Any, folder: Path) -> str:
    """Where the page serves a cell's file, or a picture that is in the cell itself; empty for neither."""
    if not isinstance(cell, str) or not cell:
        return ""
    if cell.startswith("data:image/"):
        return cell
    if "://" in cell:
        return ""
    path = cell.removeprefix(f"{folder}/")
    return "" if path.startswith("/") else f"/media/{quote(path)}"
