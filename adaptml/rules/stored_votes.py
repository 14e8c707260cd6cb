"""`<task>_votes`: what labelling functions said of data points, for a service that cannot apply them.

A row is of a data point and of the labelling functions as they were: where one was changed since, its votes
are others, and a model that learned from those of before does not see them. It says by a hash what the
labelling functions read of the point, so that votes on a point that has changed are known to be old.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import blake2b
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import sqlalchemy as sa
from sqlalchemy.types import TypeEngine

from adaptml.database import Database, PackedVector, cratedb
from adaptml.database.cell_forms import UnknownCellError, cell_form
from adaptml.errors import MissingDataPointsError
from adaptml.features.points import Points
from adaptml.frames import KEYS
from adaptml.rules.of_model import ModelRules
from adaptml.tasks import ABSTAIN

Votes = npt.NDArray[np.int8]
LOOK_UP_IDS = 5_000
WRITE_ROWS, WRITE_VOTES = 50_000, 10_000_000  # in memory at a time, at most
_KEYS = [*KEYS, "lfs"]
_TYPES: dict[str, TypeEngine[Any]] = {
    "table_name": sa.Text(),
    "id": sa.Text(),
    "lfs": sa.Text(),
    # One value for all votes: a task may have more labelling functions than a table takes columns.
    "votes": PackedVector(exact=True),
    "inputs": sa.Text(),
    "run_id": sa.Text(),
    "written_at": sa.DateTime(timezone=True),
}


def votes_table(task: str) -> str:
    """Name of the table of a task's votes."""
    return f"{task}_votes"


def write_votes(points: Points, rules: ModelRules, keys: pd.DataFrame, votes: Votes, run_id: str) -> int:
    """Store votes; those of the same points and labelling functions are replaced.

    A point whose inputs cannot be told apart, and one that is gone, is left out.

    Args:
        points: reads what the labelling functions read.
        rules: the m labelling functions.
        keys: frame with table_name and id (n rows), no point twice.
        votes: int8 (n, m), -1 abstains.
        run_id: the MLflow run that they are of.

    Returns:
        How many rows were new.

    Raises:
        DatabaseError: the database refuses.
    """
    results, table = points.results, votes_table(rules.task)
    results.create_table(table, _TYPES, _KEYS)
    new, at_once = 0, max(1, min(WRITE_ROWS, WRITE_VOTES // len(rules.rules)))
    for start in range(0, len(keys), at_once):
        some = keys[start : start + at_once].reset_index(drop=True)
        told = input_hashes(points, some, rules.inputs, skip_missing=True)
        rows = [row for row, said in enumerate(told) if said is not None]
        frame = (
            some[KEYS]
            .iloc[rows]
            .assign(
                lfs=rules.lfs,
                votes=[np.float32(votes[start + row]) - ABSTAIN for row in rows],
                inputs=[said for said in told if said is not None],
                run_id=run_id,
            )
        )
        frame["written_at"] = pd.Series([datetime.now(UTC)] * len(rows), index=frame.index, dtype=object)
        new += results.upsert(table, frame, _KEYS) if rows else 0
    return new


def read_votes(
    points: Points, rules: ModelRules, table: str, ids: Sequence[str]
) -> tuple[Votes, npt.NDArray[np.bool_]]:
    """What is stored of data points, where it is of these labelling functions and of the points as they are.

    Args:
        points: reads what the labelling functions read.
        rules: the m labelling functions.
        table: name of a data table.
        ids: n of its ids, none of them twice.

    Returns:
        votes: int8 (n, m), -1 abstains.
        there: bool (n,), False where none is stored, or an old one.

    Raises:
        AdaptmlError: as reading data points raises it.
    """
    n, m = len(ids), len(rules.rules)
    votes, there = np.full((n, m), ABSTAIN, np.int8), np.zeros(n, np.bool_)
    stored = _stored(points.results, rules, table, ids)
    asked = [place for place, key in enumerate(ids) if key in stored]
    if not asked:
        return votes, there
    for rows in points.rows_of(rules.inputs)(table, [ids[place] for place in asked]):
        for position, key, now in zip(rows.positions, rows.ids, _hashed(rows.cells), strict=True):
            inputs, packed = stored[key]
            if now == inputs and packed.shape == (m,) and _are_votes(packed, rules):
                place = asked[position]
                votes[place], there[place] = packed.astype(np.int8) + ABSTAIN, True
    return votes, there


def _are_votes(packed: npt.NDArray[np.float32], rules: ModelRules) -> bool:
    """Whoever writes to the database can have put anything there."""
    most = len(rules.classes) + len(rules.sets)
    return bool(((packed >= 0) & (packed <= most) & (packed == np.floor(packed))).all())


def _stored(
    results: Database, rules: ModelRules, table: str, ids: Sequence[str]
) -> dict[str, tuple[str, npt.NDArray[np.float32]]]:
    """Id of a table's point → hash of its inputs, and its votes, of those that have votes of these rules."""
    name = votes_table(rules.task)
    if not rules.lfs or not results.has_table(name):
        return {}
    target = _table(name)
    query = sa.select(target.c.id, target.c.inputs, target.c.votes).where(
        target.c.lfs == rules.lfs, target.c.table_name == table
    )
    found: dict[str, tuple[str, npt.NDArray[np.float32]]] = {}
    with results.translated(), results.engine.connect() as connection:
        for start in range(0, len(ids), LOOK_UP_IDS):
            chosen = cratedb.among(connection, target.c.id, ids[start : start + LOOK_UP_IDS])
            found |= {key: (inputs, votes) for key, inputs, votes in connection.execute(query.where(chosen))}
    return found


@lru_cache(maxsize=1_000)
def _table(name: str) -> sa.Table:
    """One object for each, so that SQLAlchemy compiles its statements once."""
    return sa.Table(name, sa.MetaData(), *(sa.Column(column, kind) for column, kind in _TYPES.items()))


def input_hashes(
    points: Points, keys: pd.DataFrame, inputs: Sequence[str], *, skip_missing: bool = False
) -> list[str | None]:
    """A hash of what labelling functions read of each of n data points.

    Args:
        points: reads them.
        keys: frame with table_name and id (n rows), no point twice.
        inputs: columns and versions of features.
        skip_missing: a point that is not in its table has none.

    Returns:
        32 hexadecimal digits each; None where a cell's value cannot be told for certain.

    Raises:
        AdaptmlError: as reading data points raises it.
    """
    hashes: list[str | None] = [None] * len(keys)
    try:
        for rows in points.read_stored(keys, inputs):
            for place, hashed in zip(rows.positions, _hashed(rows.cells), strict=True):
                hashes[int(place)] = hashed
    except MissingDataPointsError:  # said after all that are there
        if not skip_missing:
            raise
    return hashes


def _hashed(cells: Mapping[str, Sequence[Any]]) -> Iterator[str | None]:
    names = list(cells)
    for row in zip(*cells.values(), strict=True):
        try:
            forms = map(cell_form, chain(names, row))
            text = "".join(f"{len(form)}:{form}" for form in forms)
            yield blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
        except UnknownCellError:
            yield None
