"""Filling columns a few rows at a time."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt


class Cells:
    """Columns of n rows that are filled a few rows at a time.

    Attributes:
        by_column: the n values of each column.
        found: which rows have been filled, bool (n,).
    """

    def __init__(self, by_column: Mapping[str, np.ndarray[Any, Any]], n: int) -> None:
        self.by_column, self.found = by_column, np.zeros(n, dtype=bool)

    def fill(self, places: npt.NDArray[np.int64], columns: Mapping[str, Sequence[Any]]) -> None:
        """Fill the rows at these places."""
        self.found[places] = True
        for name, cells in self.by_column.items():
            read = np.empty(len(places), dtype=object)
            read[:] = columns[name]
            cells[places] = read
