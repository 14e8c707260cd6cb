"""The value of a database's cell as a text, by which rows are told apart."""

from datetime import date, datetime, time
from decimal import Decimal
from hashlib import blake2b
from itertools import chain
from typing import Any
from uuid import UUID

import numpy as np

# What these say of themselves is all that they are; a list's text names each item's type by its form.
_TOLD_BY_REPR = {bool, int, float, complex, str, bytes, Decimal, UUID, date, datetime, time}


class UnknownCellError(TypeError):
    """A cell of a type whose value cannot be told for certain."""


def cell_form(cell: Any) -> str:
    """A text that no other value has.

    Raises:
        UnknownCellError: a cell of another type than databases give.

    >>> cell_form("1"), cell_form(1), cell_form([1, None])
    ("str:'1'", 'int:1', 'list:2:5:int:15:None:')
    """
    kind = type(cell)
    if kind in _TOLD_BY_REPR:
        return f"{kind.__name__}:{cell!r}"
    if kind is np.ndarray and cell.dtype != object:
        return f"array:{cell.dtype.str}:{cell.shape}:{blake2b(cell.tobytes()).hexdigest()}"
    if kind is list:
        return f"list:{len(cell)}:" + "".join(_measured(cell_form(item)) for item in cell)
    if kind is dict:
        items = map(cell_form, chain.from_iterable(cell.items()))
        return f"dict:{len(cell)}:" + "".join(map(_measured, items))
    if cell is None:
        return "None:"
    raise UnknownCellError(f"a cell is {kind.__module__}.{kind.__qualname__}")


def _measured(text: str) -> str:
    """A text that says its length, so that two in a row are not another two."""
    return f"{len(text)}:{text}"
