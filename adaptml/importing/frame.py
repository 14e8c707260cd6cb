"""A pandas frame as a source of rows."""

from collections.abc import Iterator

import pandas as pd

from adaptml.errors import FrameError
from adaptml.importing.chunks import CHUNK_ROWS, Chunk
from adaptml.importing.plain import plain


class FrameSource:
    """The rows of a frame, in its order; its index is left out."""

    name = "the frame"
    said = "a frame"
    typed = True

    def __init__(self, frame: pd.DataFrame) -> None:
        """Take a frame.

        Raises:
            FrameError: two columns have the same name.
        """
        names = [str(name) for name in frame.columns]
        repeated = sorted({name for name in names if names.count(name) > 1})
        if repeated:
            raise FrameError(
                f"the frame has two columns {repeated[0]!r}; expected each name once: rename one"
            )
        self.columns = names
        self._frame = frame.set_axis(names, axis="columns")

    def chunks(self) -> Iterator[Chunk]:
        """All rows."""
        for start in range(0, len(self._frame), CHUNK_ROWS):
            part = self._frame.iloc[start : start + CHUNK_ROWS]
            columns = {str(name): plain(str(name), values.tolist()) for name, values in part.items()}
            yield Chunk(len(part), columns)
