"""A few data points, as a service is asked for them: sequences in the order of the request, no frame."""

from collections.abc import Mapping, Sequence
from typing import Any

from adaptml.errors import MissingDataPointsError
from adaptml.features.points import Asked, Points
from adaptml.frames import KEYS


def look_up(
    points: Points, tables: Sequence[str], ids: Sequence[str], columns: Sequence[Asked]
) -> dict[str, Sequence[Any]]:
    """Columns and features of n data points, with one statement a table and one a feature of it.

    Args:
        points: reads them.
        tables: table of each point.
        ids: id of each; no point comes twice.
        columns: what is read.

    Returns:
        `table_name`, `id` and the columns by their names, n values each, as `Points.read` gives them.

    Raises:
        MissingDataPointsError: says all of the points that are missing.
        AdaptmlError: as `Points.read`.
    """
    names = [name for name in map(str, columns) if name not in KEYS]
    cells: dict[str, list[Any]] = {name: [None] * len(ids) for name in names}
    found, rows_of = [False] * len(ids), points.rows_of(columns)
    for table, at in by_table(tables).items():
        for rows in rows_of(table, [ids[place] for place in at]):
            places, read = [at[position] for position in rows.positions.tolist()], rows.columns()
            for place in places:
                found[place] = True
            for name in names:
                for place, value in zip(places, read[name], strict=True):
                    cells[name][place] = value
    if not all(found):
        missing = [key for *key, there in zip(tables, ids, found, strict=True) if not there]
        raise MissingDataPointsError([(table, key) for table, key in missing], asked=len(ids))
    return {"table_name": tables, "id": ids, **cells}


def by_table(tables: Sequence[str]) -> Mapping[str, Sequence[int]]:
    """Table → places of its points."""
    if len(set(tables)) == 1:
        return {tables[0]: range(len(tables))}
    places: dict[str, list[int]] = {}
    for place, table in enumerate(tables):
        places.setdefault(table, []).append(place)
    return places
