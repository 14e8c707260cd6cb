"""NumPy arrays beside a table: the vector, or the value, of the row at the same place."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from adaptml.errors import FrameError, one_line
from adaptml.importing.chunks import Chunk, Source
from adaptml.importing.damaged import DAMAGED
from adaptml.importing.plain import plain

SUFFIXES = (".npy", ".npz")


def read_arrays(path: Path) -> dict[str, npt.NDArray[Any]]:
    """The arrays of a file by the name of the column that each becomes, shapes (n,) or (n, d).

    An .npy file's is called as the file; it is not read into memory as a whole.

    Raises:
        FrameError: a file that cannot be read, holds Python objects, or has arrays of other shapes.
    """
    try:
        if path.suffix.lower() == ".npy":
            found = {path.stem: np.load(path, mmap_mode="r", allow_pickle=False)}
        else:
            with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
                found = {name: file[name] for name in file.files}
    except DAMAGED as error:
        raise FrameError(
            f"{path} cannot be read as NumPy's {path.suffix}: {one_line(error)}; save it "
            "again with numpy.save"
        ) from error
    for name, array in found.items():
        if array.ndim not in (1, 2) or array.dtype.kind not in "biufU":
            raise FrameError(
                f"{path}: {name} has the shape {array.shape} and the type {array.dtype}; expected numbers, a "
                "row for each row of the table: (n, d) or (n,)"
            )
    return found


class Beside:
    """The rows of other sources, each with its row of the arrays."""

    def __init__(self, sources: Sequence[Source], paths: Sequence[Path]) -> None:
        """Read the arrays.

        Args:
            sources: the table, from one file or several.
            paths: .npy and .npz files.

        Raises:
            FrameError: see `read_arrays`; arrays of different lengths, or with the name of a column.
        """
        self._sources = sources
        self._arrays: dict[str, npt.NDArray[Any]] = {}
        own = sources[0].columns or ()
        for path in paths:
            for name, array in read_arrays(path).items():
                if name in self._arrays or name in own:
                    raise FrameError(f"{path}: there is a column {name!r} already; rename one of them")
                self._arrays[name] = array
        self.name = ", ".join([*(source.name for source in sources), *(path.name for path in paths)])
        self.said = "; ".join(source.said for source in sources) + f"; {_shapes(self._arrays)}"
        self.typed = all(source.typed for source in sources)
        self.columns = None if sources[0].columns is None else [*own, *self._arrays]

    def chunks(self) -> Iterator[Chunk]:
        """All rows.

        Raises:
            FrameError: an array has more or fewer rows than the table.
        """
        row = 0
        for source in self._sources:
            for chunk in source.chunks():
                added = {name: _rows(name, array, row, chunk.rows) for name, array in self._arrays.items()}
                row += chunk.rows
                if any(len(values) < chunk.rows for values in added.values()):
                    continue  # go on to count, for the message
                yield Chunk(chunk.rows, {**chunk.columns, **added})
        for name, array in self._arrays.items():
            if len(array) != row:
                raise FrameError(
                    f"array {name} has {len(array):,} rows and the table has {row:,}; expected one for each, "
                    "in the same order: compute it again for this table"
                )


def _rows(name: str, array: npt.NDArray[Any], start: int, count: int) -> Sequence[Any]:
    part = array[start : start + count]
    return list(np.asarray(part)) if array.ndim == 2 else plain(name, part.tolist())


def _shapes(arrays: dict[str, npt.NDArray[Any]]) -> str:
    return ", ".join(f"{name} {' × '.join(map(str, array.shape))}" for name, array in arrays.items())
