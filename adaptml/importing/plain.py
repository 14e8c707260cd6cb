"""Values that have types of their own, as the few types that an import knows."""

import json
import math
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from adaptml.errors import FrameError

_AS_THEY_ARE = frozenset((str, bool, int, float, type(None)))


def plain(name: str, values: Sequence[Any]) -> Sequence[Any]:
    """Values as None, str, bool, int, float, list or an array of numbers.

    A number that is no number is missing; dates and times become ISO 8601, bytes the text that they are as
    UTF-8.

    Args:
        name: of the column, for messages.
        values: of any type.

    Raises:
        FrameError: bytes that are no text.
    """
    types = set(map(type, values))
    if types <= _AS_THEY_ARE and float not in types:
        return values
    if types <= _AS_THEY_ARE:
        return [None if value != value else value for value in values]
    return [_plain(name, value) for value in values]


def _plain(name: str, value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value if value.dtype.kind in "fiu" else value.tolist()
    if isinstance(value, list | tuple | set):
        return list(value)
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False, default=str) if value else None
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, Decimal):
        value = int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, float):
        return None if math.isnan(value) else float(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return _decoded(name, bytes(value))
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return value if type(value) in _AS_THEY_ARE else str(value)


def _decoded(name: str, value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError as error:
        raise FrameError(
            f"column {name!r} holds bytes that are no text; expected text, numbers or lists: leave the "
            "column out, or give vectors as lists of numbers"
        ) from error


def flattened(row: dict[str, Any], above: str = "") -> dict[str, Any]:
    """A row whose values are no rows themselves: `{"user": {"name": …}}` becomes `{"user.name": …}`.

    >>> flattened({"id": 1, "user": {"name": "Ann", "at": {"x": 2}}})
    {'id': 1, 'user.name': 'Ann', 'user.at.x': 2}
    """
    flat: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, dict) and value:
            flat |= flattened(value, f"{above}{name}.")
        else:
            flat[f"{above}{name}"] = value
    return flat


def in_columns(rows: Sequence[dict[str, Any]]) -> dict[str, Sequence[Any]]:
    """Rows, which may lack values, as columns in the order in which they occur."""
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: plain(name, [row.get(name) for row in rows]) for name in names}
