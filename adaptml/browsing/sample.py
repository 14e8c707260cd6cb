"""A bounded sample of a table's rows, drawn without reading all of a long table."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import sqlalchemy as sa

from adaptml.browsing.counts import EXACT_ROWS, count_rows
from adaptml.browsing.paging import fetched
from adaptml.database import Database
from adaptml.database.writing import CHUNK_ROWS
from adaptml.errors import DatabaseError, DatabaseUnavailableError

SAMPLE_ROWS = 5_000


@dataclass(frozen=True)
class SampledIds:
    """Some rows of a table.

    Attributes:
        ids: sorted as text.
        how: how they were chosen, in words for people.
    """

    ids: list[str]
    how: str


def sample_ids(database: Database, table: str, n: int = SAMPLE_ROWS, seed: int = 0) -> SampledIds:
    """About n rows at random; the first n by id where a long table offers no way to draw.

    Of a table of at most `EXACT_ROWS` rows every row is equally likely. In a longer one, SQLite is asked for
    random row numbers, PostgreSQL for random pages of its file (`TABLESAMPLE SYSTEM`), in which rows stand
    together that were written together.

    Args:
        database: holds the table.
        table: a data table.
        n: how many rows, at most.
        seed: the same rows and seed give the same sample.

    Raises:
        UnknownTableError: no such table.
        DatabaseError: the database refuses.
    """
    source, count = database.data_table(table), count_rows(database, table)
    key = source.c.id
    every = sa.select(key).where(key.is_not(sa.null())).order_by(key)
    if count.rows <= max(EXACT_ROWS, n):
        ids = _ids(database, source, every)
        if len(ids) <= n:
            return SampledIds(sorted(ids), f"all {len(ids):,} rows")
        chosen = np.random.default_rng(seed).choice(len(ids), n, replace=False)
        return SampledIds(sorted(ids[place] for place in chosen), f"a random sample of {n:,} rows")
    try:
        ids = _drawn(database, source, count.rows, n, seed)
    except DatabaseUnavailableError:
        raise
    except DatabaseError:  # a view
        ids = []
    if ids:
        return SampledIds(sorted(ids), f"a random sample of {len(ids):,} rows")
    return SampledIds(
        sorted(_ids(database, source, every.limit(n))), f"the first {n:,} rows by id, not a random sample"
    )


def _drawn(database: Database, source: sa.Table, rows: int, n: int, seed: int) -> list[str]:
    """Rows at random by a way of the database's own; none where it has none."""
    dialect = database.engine.dialect.name
    if dialect == "postgresql":
        percent = min(100.0, 120.0 * n / rows)
        drawn = sa.tablesample(source, sa.func.system(percent), seed=sa.literal(seed))
        return _ids(database, source, sa.select(drawn.c.id).where(drawn.c.id.is_not(sa.null())).limit(n))
    if dialect != "sqlite":
        return []
    numbers = np.unique(np.random.default_rng(seed).integers(1, rows + 1, size=n)).tolist()
    rowid = sa.literal_column("rowid", sa.Integer)
    found: list[str] = []
    for start in range(0, len(numbers), CHUNK_ROWS):
        chosen = rowid.in_(numbers[start : start + CHUNK_ROWS])
        found += _ids(database, source, sa.select(source.c.id).where(chosen, source.c.id.is_not(sa.null())))
    return found


def _ids(database: Database, source: sa.Table, query: "sa.Select[Any]") -> list[str]:
    return database.ids(source, fetched(database, query))
