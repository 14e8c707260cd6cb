"""A number for each row that changes when anything changes that a labelling function can read of it."""

import json
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from adaptml.database import StoredRows
from adaptml.database.cell_forms import cell_form

Hashes = npt.NDArray[np.uint64]


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
        columns.append(_array(list(map(cell_form, cells)) if kind == "any" else cells))
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
