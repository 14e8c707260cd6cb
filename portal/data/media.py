"""Pictures, sounds and films of the media folder, and nothing else."""

from pathlib import Path

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import FileResponse

from portal.data.cells import TYPES
from portal.showing import project_of

router = APIRouter()


@router.get("/media/{path:path}")
def media(request: Request, path: str) -> FileResponse:
    """One file below the media folder, links out of it not followed, as what its ending says it is."""
    folder = project_of(request).settings.media
    found = _inside(folder, path)
    kind = TYPES.get(Path(path).suffix.lower())
    if found is None or kind is None:
        raise HTTPException(404)
    # Whatever a file holds, a browser that opens it by itself runs none of it.
    return FileResponse(
        found, media_type=kind, headers={"content-security-policy": "default-src 'none'; sandbox"}
    )


def _inside(folder: Path, path: str) -> Path | None:
    """The file, where it lies in the folder."""
    try:
        real = (folder / path.lstrip("/")).resolve()
        return real if real.is_relative_to(folder.resolve()) and real.is_file() else None
    except (OSError, ValueError):  # a name that no file can have
        return None
