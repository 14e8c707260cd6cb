"""A folder of pictures, sounds and clips: a row for each file."""

from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from adaptml.errors import FrameError
from adaptml.importing.chunks import CHUNK_ROWS, Chunk

KINDS = {
    "image": ["bmp", "gif", "jpeg", "jpg", "png", "svg", "tif", "tiff", "webp"],
    "audio": ["aac", "flac", "m4a", "mp3", "ogg", "opus", "wav"],
    "video": ["avi", "m4v", "mkv", "mov", "mp4", "mpeg", "mpg", "webm"],
}
_KIND = {f".{suffix}": kind for kind, suffixes in KINDS.items() for suffix in suffixes}


class Folder:
    """The pictures, sounds and clips in a folder and the folders in it, by name.

    `id` and `path` are the file's path, with `/` between: within the folder whose files annotators are shown
    and encoders read, where it lies there, else within the folder itself. `kind` is `image`, `audio` or
    `video`. Other files, and those whose name begins with a dot, are left out.
    """

    typed = True
    columns = ("id", "path", "kind")

    def __init__(self, path: Path, media: Path) -> None:
        """Look for its files.

        Args:
            path: the folder.
            media: the folder whose files annotators are shown, and encoders read.

        Raises:
            FrameError: there are none.
        """
        self.path = path
        self.name = path.name
        inside = path.resolve().is_relative_to(media.resolve())
        self._above = path.resolve().relative_to(media.resolve()) if inside else Path()
        kinds = Counter(_KIND.get(file.suffix.lower(), "other") for file in self._all())
        others = kinds.pop("other", 0)
        if not kinds:
            raise FrameError(
                f"folder {path} holds no pictures, sounds or clips, and {others} other files; expected such "
                "as .jpg, .png, .mp3 or .mp4: name the folder that holds them, or the files of rows"
            )
        counted = ", ".join(f"{count:,} {kind}" for kind, count in sorted(kinds.items()))
        self.said = f"a folder of {counted} files" + (f"; {others:,} others left out" if others else "")
        if not inside:
            self.said += f"; annotators and encoders see them with ADAPTML_MEDIA={path.resolve()}"

    def _all(self) -> Iterator[Path]:
        for file in sorted(self.path.rglob("*")):
            inside = file.relative_to(self.path)
            if file.is_file() and not any(part.startswith(".") for part in inside.parts):
                yield file

    def chunks(self) -> Iterator[Chunk]:
        """A row for each file."""
        files = (file for file in self._all() if file.suffix.lower() in _KIND)
        while found := list(islice(files, CHUNK_ROWS)):
            paths = [(self._above / file.relative_to(self.path)).as_posix() for file in found]
            kinds = [_KIND[file.suffix.lower()] for file in found]
            yield Chunk(len(found), {"id": paths, "path": paths, "kind": kinds})
