"""Rows as a database keeps them: their cells become Python values only when somebody asks for them."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import sqlalchemy as sa
from sqlalchemy.engine import Dialect

from adaptml.database.types import TextList, Vector

Decode = Callable[[Any], Any]


@dataclass(frozen=True, eq=False)
class StoredRows:
    """Some rows of one table.

    Attributes:
        table: its name.
        ids: ids of the r rows.
        cells: column → its r cells, as the database keeps them: where it has no lists, they are JSON text.
        decode: column → what makes a Python value of a cell; none for one whose cells are values already.
        positions: int64 (r,), where each row stands among the keys that were asked for.
    """

    table: str
    ids: Sequence[str]
    cells: dict[str, Sequence[Any]]
    decode: dict[str, Decode]
    positions: npt.NDArray[np.int64]

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.ids)

    def frame(self, rows: npt.NDArray[np.int64] | None = None) -> pd.DataFrame:
        """The rows at some places (all for None), as `Database.read` gives them."""
        ids = self._values("id", self.ids, rows)
        table = pd.Series(_objects([self.table] * len(ids)), dtype=object)
        columns = {name: self._values(name, cells, rows) for name, cells in self.cells.items()}
        return pd.DataFrame({"table_name": table, "id": ids} | columns)

    def _values(
        self, name: str, cells: Sequence[Any], rows: npt.NDArray[np.int64] | None
    ) -> "pd.Series[Any]":
        chosen = cells if rows is None else [cells[row] for row in rows]
        decode = self.decode.get(name)
        values = chosen if decode is None else [None if cell is None else decode(cell) for cell in chosen]
        return pd.Series(_objects(values), dtype=object)


def stored(column: sa.ColumnElement[Any], dialect: Dialect) -> tuple[sa.ColumnElement[Any], Decode | None]:
    """How to select a column's cells as they are kept, and what makes values of them.

    SQLite keeps lists as JSON text and vectors as bytes, which take longer to decode than to read; elsewhere
    the driver has decoded them already.
    """
    if dialect.name == "sqlite":
        if isinstance(column.type, sa.JSON | TextList):
            return sa.type_coerce(column, sa.Text()), json.loads
        if isinstance(column.type, Vector):
            vector = column.type
            return sa.type_coerce(column, sa.LargeBinary()), (
                lambda cell: vector.process_result_value(cell, dialect)
            )
    return column, None


def _objects(values: Sequence[Any]) -> npt.NDArray[np.object_]:
    """Values one by one: numpy would make a matrix of lists of one length."""
    array = np.empty(len(values), dtype=object)
    array[:] = list(values)
    return array
