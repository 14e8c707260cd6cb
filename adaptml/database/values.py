"""Values that no database keeps as they are are refused before they are written, by column and id."""

from typing import Any

import numpy as np
import pandas as pd
import sqlalchemy as sa
from sqlalchemy.engine import Dialect

from adaptml.database.cratedb_errors import LONGEST_BYTES
from adaptml.database.packed import PackedVector
from adaptml.database.types import TextList, Vector
from adaptml.errors import DatabaseError, listed


def check_values(table: sa.Table, frame: pd.DataFrame, dialect: Dialect) -> None:
    """Refuse NaN and infinity in vectors; and what CrateDB would change or refuse in words of its own.

    Args:
        table: has the frame's columns.
        frame: rows to write; an `id`, if there is one, names them.
        dialect: of the database.

    Raises:
        DatabaseError: a vector that is not finite; on CrateDB, infinity, or a list with an item that is too
            long.
    """
    for name in frame.columns:
        if name not in table.c:
            continue
        kind, values = table.c[name].type, frame[name]
        if isinstance(kind, Vector | PackedVector):
            wrong, what = _not_finite(values), "NaN or infinity; expected finite numbers: replace them"
        elif dialect.name == "crate" and isinstance(kind, sa.Float):
            wrong = [value in {np.inf, -np.inf} for value in values]
            what = "infinity, which CrateDB does not keep; expected finite numbers: replace them"
        elif dialect.name == "crate" and isinstance(kind, TextList):
            wrong = [not _missing(value) and any(map(_too_long, value)) for value in values]
            what = f"an item of more than {LONGEST_BYTES:,} bytes; CrateDB takes none in a list: shorten it"
        else:
            continue
        if any(wrong):
            ids = frame["id"] if "id" in frame else pd.Series(range(len(frame)))
            bad = [key for key, is_wrong in zip(ids, wrong, strict=True) if is_wrong]
            raise DatabaseError(
                f"column {name!r} of table {table.name!r}: {len(bad)} of {len(frame)} values "
                f"({listed(bad)}) hold {what}"
            )


def _not_finite(values: "pd.Series[Any]") -> list[bool]:
    return [
        not _missing(value) and not bool(np.isfinite(np.asarray(value, dtype=np.float32)).all())
        for value in values
    ]


def _missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and np.isnan(value))


def _too_long(item: Any) -> bool:
    return len(str(item).encode("utf-8", "replace")) > LONGEST_BYTES
