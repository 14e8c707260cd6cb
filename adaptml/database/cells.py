"""Columns of data points as a frame."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from adaptml.database.keyed import Places, RowsOf, fill
from adaptml.database.stored import StoredRows
from adaptml.frames import KEYS


class _Columns:
    """Columns of n data points, object (n,) each."""

    def __init__(self, names: Sequence[str], n: int) -> None:
        self.by_name = {name: np.empty(n, dtype=object) for name in names}

    def take(self, places: Places, rows: StoredRows) -> None:
        for name, column in self.by_name.items():
            values = np.empty(len(places), dtype=object)
            values[:] = rows.values(name)
            column[places] = values

    def repeat(self, places: Places, of: Places) -> None:
        for column in self.by_name.values():
            column[places] = column[of]


def read_frame(
    keys: pd.DataFrame, columns: Sequence[str], rows_of: RowsOf, *, skip_missing: bool, show_progress: bool
) -> pd.DataFrame:
    """A frame of table_name, id and columns (object), its rows in the order of n keys: see `Reader.read`."""
    filled = _Columns(columns, len(keys))
    found = fill(keys, rows_of, filled, skip_missing=skip_missing, show_progress=show_progress)
    read = {name: _texts(keys[name]) for name in KEYS} | filled.by_name
    if not found.all():
        read = {name: values[found] for name, values in read.items()}
    # object: pandas would make NaN of the None among texts
    return pd.DataFrame(read | {name: pd.Series(read[name], dtype=object) for name in columns})


def _texts(column: "pd.Series[Any]") -> Any:
    """A column of which a frame makes one of type `str`, at once where it is one already."""
    return column.array if column.dtype == "str" else column.to_numpy()
