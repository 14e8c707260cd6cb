"""Rows as a database keeps them: their cells become Python values only when somebody asks for them."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import repeat
from operator import itemgetter
from typing import Any

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa
from sqlalchemy.engine import Dialect

from adaptml.database.fetching import paused_gc
from adaptml.database.packed import PackedVector, unpack_matrix, unpack_stored
from adaptml.database.types import Matrix, TextList, Vector, as_vector, matrix_of_bytes
from adaptml.errors import DatabaseError

# What `json.loads` calls, without what it does around each: a text and where it begins → a value and its end.
_scanned: Callable[[str, int], tuple[Any, int]] = json.JSONDecoder().scan_once  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Decode:
    """How the cells of a column become values.

    Attributes:
        one: the value of a cell, which is not None; raises DatabaseError.
        many: the values of some cells, None for None, faster than one by one; None where a cell is
            out of the ordinary, whatever it is.
        matrix: the vectors of r cells as float32 (r, d); None where they are not all of one length.
    """

    one: Callable[[Any], Any]
    many: Callable[[Sequence[Any]], list[Any] | None] | None = None
    matrix: Callable[[Sequence[Any]], Matrix | None] | None = None


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

    def columns(self, rows: npt.NDArray[np.int64] | None = None) -> dict[str, Sequence[Any]]:
        """The rows at some places (all for None), column by column, as `Database.read` gives them."""
        ids = _chosen(self.ids, rows)
        return {"table_name": [self.table] * len(ids), "id": ids} | {
            name: self.values(name, rows) for name in self.cells
        }

    def values(self, name: str, rows: npt.NDArray[np.int64] | None = None) -> Sequence[Any]:
        """One column of the rows at some places (all for None), as `Database.read` gives it."""
        cells, decode = _chosen(self.cells[name], rows), self.decode.get(name)
        return cells if decode is None else decoded(cells, decode, self.table, name, _chosen(self.ids, rows))

    def matrix(self, name: str) -> Matrix | None:
        """The r vectors of a column, float32 (r, d); None where not all of its cells are such."""
        decode = self.decode.get(name)
        return decode.matrix(self.cells[name]) if decode is not None and decode.matrix is not None else None


def stored_rows(
    table: str,
    columns: Sequence[str],
    ids: Sequence[str],
    rows: Sequence[Sequence[Any]],
    decode: dict[str, Decode],
    positions: npt.NDArray[np.int64] | None = None,
) -> StoredRows:
    """Rows, the id first in each and the columns behind it."""
    # Not by `zip`, which would make an iterator of each row, and have the garbage collector look at them.
    by_column: dict[str, Sequence[Any]] = {
        name: list(map(itemgetter(place), rows)) for place, name in enumerate(columns, start=1)
    }
    return StoredRows(table, ids, by_column, decode, np.arange(len(rows)) if positions is None else positions)


def decoded(cells: Sequence[Any], decode: Decode, table: str, column: str, ids: Sequence[str]) -> list[Any]:
    """The values of some cells, None for None.

    Raises:
        DatabaseError: a cell that is not what its column is; says which, and what it holds.
    """
    with paused_gc():
        many = None if decode.many is None else decode.many(cells)
        if many is not None:
            return many
        try:
            return [None if cell is None else decode.one(cell) for cell in cells]
        except DatabaseError:
            for key, cell in zip(ids, cells, strict=True):
                problem = None if cell is None else _problem(cell, decode)
                if problem is not None:
                    raise DatabaseError(
                        f"id {key!r} of table {table!r} has in column {column!r} {problem}; correct this row"
                    ) from None
            raise


def _problem(cell: Any, decode: Decode) -> str | None:
    try:
        decode.one(cell)
    except DatabaseError as error:
        return str(error)
    return None


def _chosen(cells: Sequence[Any], rows: npt.NDArray[np.int64] | None) -> Sequence[Any]:
    return cells if rows is None else [cells[row] for row in rows]


def stored(column: sa.ColumnElement[Any], dialect: Dialect) -> tuple[sa.ColumnElement[Any], Decode | None]:
    """How to select a column's cells as they are kept, and what makes values of them.

    Packed vectors take longer to decode than to read, and so do SQLite's lists, which are JSON text, and
    vectors, which are bytes; elsewhere the driver has decoded those already.
    """
    if isinstance(column.type, PackedVector):
        kept = sa.type_coerce(column, column.type.load_dialect_impl(dialect))
        return kept, Decode(unpack_stored, _rows_of(unpack_matrix), unpack_matrix)
    if isinstance(column.type, Vector) and (dialect.name == "sqlite" or column.type.as_bytes):
        return sa.type_coerce(column, sa.LargeBinary()), Decode(
            as_vector, _rows_of(matrix_of_bytes), matrix_of_bytes
        )
    if dialect.name == "sqlite" and isinstance(column.type, sa.JSON | TextList):
        return sa.type_coerce(column, sa.Text()), Decode(_from_json, many=_many_from_json)
    return column, None


def _rows_of(
    matrix: Callable[[Sequence[Any]], Matrix | None],
) -> Callable[[Sequence[Any]], list[Any] | None]:
    """The vectors of cells that are all of one length, each a row of what they are together."""

    def many(cells: Sequence[Any]) -> list[Any] | None:
        found = None if len(cells) < 2 else matrix(cells)
        return None if found is None else list(found)

    return many


def _from_json(cell: Any) -> Any:
    try:
        return json.loads(cell)
    except (ValueError, TypeError, RecursionError) as error:
        raise DatabaseError("text that is not JSON") from error


def _many_from_json(cells: Sequence[Any]) -> list[Any] | None:
    texts = [cell for cell in cells if cell is not None] if None in cells else cells
    try:
        # The scanner ends the map early where a text begins with no JSON, such as with a blank.
        found = list(map(_scanned, texts, repeat(0)))
        if [end for _, end in found] != list(map(len, texts)):
            return None
    except (ValueError, TypeError, RecursionError):
        return None
    if len(texts) == len(cells):
        return [value for value, _ in found]
    values = iter(found)
    return [None if cell is None else next(values)[0] for cell in cells]
