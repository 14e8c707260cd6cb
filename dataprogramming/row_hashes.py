"""A number for each row that changes when anything changes that a labelling function can read of it."""

import json
from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import Decimal
from hashlib import blake2b
from itertools import chain
from typing import Any
from uuid import UUID

import numpy as np
import numpy.typing as npt
import pandas as pd

from adaptml.database import StoredRows

Hashes = npt.NDArray[np.uint64]
# What these say of themselves is all that they are; a list's text names each item's type by its form.
_TOLD_BY_REPR = {bool, int, float, complex, str, bytes, Decimal, UUID, date, datetime, time}


class UnknownCellError(TypeError):
    """A cell of a type whose value cannot be told for certain."""


def row_hashes(rows: StoredRows) -> Hashes:
    """A hash of table, id and all cells of each row: uint64 (r,).

    64 bits of SipHash a column, mixed: the chance that a changed row has the hash of one of the n rows that
    are kept is n / 2^64. Equal rows have equal hashes in every process, as far as their chunks hold cells of
    the same types; a hash that differs without need costs the time to compute a vote.

    Raises:
        UnknownCellError: a cell of another type than databases give: its rows cannot be told apart.
    """
    about: dict[str, Any] = {"table": rows.table, "columns": list(rows.cells)}
    columns: list[npt.NDArray[Any]] = []
    for name, cells in {"id": rows.ids, **rows.cells}.items():
        kinds = set(map(type, cells))
        others = kinds - {type(None)}
        kind = "str" if others <= {str} else "bytes" if others <= {bytes} else "any"
        about[f"type of {name}"] = kind
        columns.append(_array(list(map(_text, cells)) if kind == "any" else cells))
        nulls = np.zeros(len(cells), np.uint8)
        if len(kinds) > len(others):  # None has the hash of the text `None`
            nulls[:] = [cell is None for cell in cells]
        columns.append(nulls)
    seed = int.from_bytes(blake2b(json.dumps(about).encode(), digest_size=8).digest())
    mixed = np.full(len(rows), seed, np.uint64)
    for values in columns:
        mixed = _mixed(mixed, pd.util.hash_array(values, categorize=False))
    return mixed


def _mixed(left: Hashes, right: Hashes) -> Hashes:
    """One hash of two, in which their order counts: the finaliser of SplitMix64 between them."""
    mixed = left * np.uint64(0x9E3779B97F4A7C15) + right
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def _array(values: Sequence[Any]) -> npt.NDArray[np.object_]:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def _text(cell: Any) -> str:
    """A text that no other value has."""
    kind = type(cell)
    if kind in _TOLD_BY_REPR:
        return f"{kind.__name__}:{cell!r}"
    if kind is np.ndarray and cell.dtype != object:
        return f"array:{cell.dtype.str}:{cell.shape}:{blake2b(cell.tobytes()).hexdigest()}"
    if kind is list:
        return f"list:{len(cell)}:" + "".join(_measured(_text(item)) for item in cell)
    if kind is dict:
        return f"dict:{len(cell)}:" + "".join(map(_measured, map(_text, chain.from_iterable(cell.items()))))
    if cell is None:
        return "None:"
    raise UnknownCellError(f"a cell is {kind.__module__}.{kind.__qualname__}")


def _measured(text: str) -> str:
    """A text that says its length, so that two in a row are not another two."""
    return f"{len(text)}:{text}"
