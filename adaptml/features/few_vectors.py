"""The vectors of a few data points, as a service is asked for them, without a look at each cell."""

from collections.abc import Sequence

import numpy as np

from adaptml.database.chunks import FIRST_ROWS
from adaptml.database.keys import SQLITE
from adaptml.features.points import Asked, Points
from adaptml.features.reading import Matrix


def few_vectors(
    points: Points, tables: Sequence[str], ids: Sequence[str], columns: Sequence[Asked]
) -> Matrix | None:
    """Columns and features of n data points of one table side by side, all of them vectors that are sound.

    None where anything is otherwise, where points are many, and from a database whose vectors are not read as
    bytes: `look_up` is to be asked then, and what checks the columns that it gives says what is wrong.

    Args:
        points: reads them.
        tables: table of each point.
        ids: id of each; no point comes twice.
        columns: what is read.

    Returns:
        float32 (n, d), finite.

    Raises:
        AdaptmlError: as `Points.read`.
    """
    database = points.database
    if database.engine.dialect.name != SQLITE or len(ids) > FIRST_ROWS or len(set(tables)) != 1:
        return None
    table = tables[0]
    places = points.places(table, columns)
    rows = next(database.by_key(table, places.plain, ids), None)
    if rows is None or len(rows) < len(ids):
        return None
    parts: list[Matrix] = []
    for name in map(str, columns):
        part = places.cells[name].matrix(ids) if name in places.cells else rows.matrix(name)
        if part is None:
            return None
        parts.append(part)
    matrix = np.hstack(parts)
    return matrix if np.isfinite(matrix).all() else None
