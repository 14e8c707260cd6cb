"""Data points by their keys, whatever is made of them: in chunks, each once, or in the order of the keys."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from adaptml.database.fetching import paused_gc
from adaptml.database.stored import StoredRows
from adaptml.database.unique_ids import duplicated
from adaptml.errors import MissingDataPointsError
from adaptml.frames import KEYS
from adaptml.progress import progress

Places = npt.NDArray[np.int64]
# A table and ids, none twice → its rows with these, in chunks, with their places among the ids.
RowsOf = Callable[[str, Sequence[str]], Iterator[StoredRows]]


class Filled(Protocol):
    """What is made of n data points, a few at a time."""

    def take(self, places: Places, rows: StoredRows) -> None:
        """Make something of r rows, for these places among the n."""

    def repeat(self, places: Places, of: Places) -> None:
        """At r places comes what was made for others."""


def asked(keys: pd.DataFrame) -> pd.DataFrame:
    """Keys with ids that are text."""
    ids = keys["id"]
    return keys.assign(id=ids.astype(str)) if ids.dtype.kind in "iu" else keys


def by_table(keys: pd.DataFrame) -> Iterator[tuple[str, Places, list[str]]]:
    """Each table with the places of its keys, int64 (r,), and their ids."""
    tables = keys["table_name"].unique()
    if len(tables) == 1 and not pd.isna(tables[0]):
        yield str(tables[0]), np.arange(len(keys)), keys["id"].tolist()
        return
    codes, several = pd.factorize(keys["table_name"])
    order, ends = np.argsort(codes, kind="stable"), np.cumsum(np.bincount(codes + 1))
    ids = keys["id"].to_numpy(dtype=object)
    for table, places in zip(several, np.split(order, ends[:-1])[1:], strict=True):
        yield str(table), places, ids[places].tolist()


def each_once(keys: pd.DataFrame, rows_of: RowsOf) -> Iterator[StoredRows]:
    """Data points in chunks; their positions are those among all keys (n rows), none of which comes twice.

    Raises:
        MissingDataPointsError: ids that are not in their table, after the last chunk.
        DatabaseError: a key that comes twice.
    """
    missing: list[tuple[str, str]] = []
    for table, places, ids in by_table(keys):
        found = np.zeros(len(ids), dtype=bool)
        for rows in rows_of(table, ids):
            found[rows.positions] = True
            yield replace(rows, positions=places[rows.positions])
        if not found.all() and len(set(ids)) < len(ids):
            raise duplicated(table, ids)
        missing += [(table, ids[place]) for place in np.flatnonzero(~found)]
    if missing:
        raise MissingDataPointsError(list(dict.fromkeys(missing)), asked=len(keys))


def fill(
    keys: pd.DataFrame, rows_of: RowsOf, filled: Filled, *, skip_missing: bool, show_progress: bool
) -> npt.NDArray[np.bool_]:
    """Make something of data points, of which any may be asked for several times.

    Args:
        keys: frame with `table_name` and `id` (n rows).
        rows_of: reads them.
        filled: takes them.
        skip_missing: leave out points that are not in their table.
        show_progress: draw a progress bar.

    Returns:
        Which are in their tables, bool (n,).

    Raises:
        MissingDataPointsError: some are not; after all others were taken.
    """
    found = np.zeros(len(keys), dtype=bool)
    with paused_gc(), progress("reading", len(keys), shown=show_progress) as advance:
        for table, places, ids in by_table(keys):
            unique, firsts = ids, places
            if len(set(ids)) < len(ids):
                place_of = dict(zip(reversed(ids), reversed(places.tolist()), strict=True))
                unique = list(dict.fromkeys(ids))
                firsts = np.array([place_of[key] for key in unique])
            for rows in rows_of(table, unique):
                here = firsts[rows.positions]
                found[here] = True
                filled.take(here, rows)
                advance(len(rows))
            if unique is not ids:
                of = np.array([place_of[key] for key in ids])
                again = (of != places) & found[of]
                filled.repeat(places[again], of[again])
                found[places[again]] = True
                advance(int(again.sum()))
    if not found.all() and not skip_missing:
        absent = keys.loc[~found, KEYS].drop_duplicates()
        raise MissingDataPointsError(list(absent.itertuples(index=False, name=None)), asked=len(keys))
    return found
