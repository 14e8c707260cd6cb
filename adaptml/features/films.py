"""Films from their files, as some of their pictures."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from adaptml.features.media_source import UnreadableError, is_empty, missing_library, opened

FRAMES = 8
MAX_SIDE = 512  # dots; larger pictures are brought to that
MAX_DOTS = 89_478_485  # of a picture, as Pillow's bound
MAX_DECODED = 5_000  # pictures of a film; what few key frames leave beyond that is told by the last one
MAX_PACKETS = 1_000_000  # looked at for the length of a film that does not say it
_READS_TITLES_LATER = 19  # versions of PyAV
BACK_S = (0, 2, 20)  # before a picture; of some formats, seeking ends behind what was asked for
TIMEOUT_S = 30.0  # of one reading from the file, which may lie on a share

Film = list[npt.NDArray[np.uint8]]


def read_film(cell: Any, folder: Path | None) -> Film | None:
    """Eight pictures of a film from its file or its bytes, in all formats that FFmpeg reads.

    They are those that are seen at 1/16, 3/16 … 15/16 of its length. At most 5,000 are decoded on the way,
    so that a film whose key frames are far apart, or a broken one, takes no longer.

    Args:
        cell: the path of a file, the file's bytes, or these as a `data:` address; None or no text: none.
        folder: where relative paths start.

    Returns:
        8 pictures, uint8 (height, width, 3) each, of 512 dots at most on the longer side, turned as the file
        says; fewer of a shorter film. None where there is none.

    Raises:
        FeatureError: PyAV is not installed, there is no such file, or it holds no pictures that can be read.
    """
    if is_empty(cell):
        return None
    try:
        import av
    except ImportError as error:
        raise missing_library("encoding films", "video", error) from error
    with opened(cell, folder) as source:
        # A playlist may name other files and addresses: only what lies in files here is read.
        options = {"protocol_whitelist": "file,pipe,crypto,data"}
        given = str(source.resolve()) if isinstance(source, Path) else source
        with av.open(given, options=options, timeout=TIMEOUT_S, **_lenient(av.__version__)) as container:
            film = list(_pictures(container))
        if not film:
            raise UnreadableError("no pictures that can be read")
        return film


def _lenient(version: str) -> dict[str, Any]:
    """What lets a film have a title that is not UTF-8: PyAV 19 reads titles only when they are asked for."""
    return {"metadata_errors": "replace"} if int(version.partition(".")[0]) < _READS_TITLES_LATER else {}


def _pictures(container: Any) -> Iterator[npt.NDArray[np.uint8]]:
    """The pictures at even distances, each once."""
    if not container.streams.video:
        raise UnreadableError("it holds no pictures")
    stream = container.streams.video[0]
    width, height = stream.codec_context.width, stream.codec_context.height
    if width * height > MAX_DOTS:
        raise UnreadableError(f"its pictures are of {width} × {height} dots, more than {MAX_DOTS:,}")
    start, length = _span(container, stream)
    left, shown = MAX_DECODED, None
    for part in range(FRAMES):
        target = start + length * (2 * part + 1) // (2 * FRAMES)
        found, decoded = _seen_at(container, stream, target, left)
        left -= decoded
        if found is not None and found.pts != shown:
            shown = found.pts
            yield _dots(found)
        if left <= 0:
            return


def _seen_at(container: Any, stream: Any, target: int, left: int) -> tuple[Any, int]:
    """The picture that is seen at a time, or the nearest that was found, and how many were decoded for it."""
    found, decoded = None, 0
    for back_s in BACK_S:
        container.seek(target - int(back_s / stream.time_base), stream=stream)
        for frame in container.decode(stream):
            decoded += 1
            if found is None or frame.pts is None or frame.pts <= target:
                found = frame
            if decoded >= left or (frame.pts is not None and frame.pts >= target):
                break
        if decoded >= left or (found is not None and (found.pts is None or found.pts <= target)):
            break
    return found, decoded


def _span(container: Any, stream: Any) -> tuple[int, int]:
    """Where a film begins and how long it is, in the stream's unit of time."""
    start = stream.start_time or 0
    if stream.duration:
        return start, stream.duration
    if container.duration:
        return start, int(container.duration / 1_000_000 / stream.time_base)
    times = [0]
    for number, packet in enumerate(container.demux(stream)):
        if packet.pts is not None:
            times[0] = max(times[0], packet.pts)
        if number >= MAX_PACKETS:
            break
    return start, max(0, times[0] - start)


def _dots(frame: Any) -> npt.NDArray[np.uint8]:
    """A picture as dots, turned as the film says."""
    times = min(1.0, MAX_SIDE / max(frame.width, frame.height))
    width, height = (max(1, round(side * times)) for side in (frame.width, frame.height))
    dots = frame.reformat(width=width, height=height, format="rgb24").to_ndarray()
    return np.ascontiguousarray(np.rot90(dots, round(frame.rotation / 90)))
