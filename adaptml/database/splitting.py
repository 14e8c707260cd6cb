"""A table in ranges of ids, so that several processes can each read one."""

from itertools import pairwise

import sqlalchemy as sa

from adaptml.database.keys import WHOLE, Range
from adaptml.database.reading import Reader


def split(database: Reader, table: str, rows: int, within: Range = WHOLE) -> list[Range]:
    """A table in ranges of ids that fill it without a gap, in the order of the ids.

    Args:
        database: holds it.
        table: name of a data table.
        rows: rows a range; the last one has at most so many.
        within: only this part of it.

    Returns:
        At least one range. A table whose ids have no type, as SQLite allows, is one: a number and its text
        are two ids there.

    Raises:
        DatabaseError: rows without an id, or ids that are duplicated.
        UnknownTableError, DatabaseUnavailableError: as `Reader.scan_stored`.
    """
    database.check_ids(table)
    source = database.data_table(table)
    key, dialect = source.c.id, database.engine.dialect.name
    ids = sa.select(key).where(key.is_not(sa.null())).order_by(key)
    bounds: list[str] = []
    while not isinstance(key.type, sa.types.NullType):
        query = Range(bounds[-1] if bounds else within.low, within.high).of(ids, key, dialect)
        with database.translated(), database.engine.connect() as connection:
            # The last id of this range, and the first of the next: one without rows is none.
            found = connection.execute(query.offset(rows - 1).limit(2)).all()
        if len(found) < 2:
            break
        bounds.append(database.ids(source, found)[0])
    return [Range(*ends) for ends in pairwise([within.low, *bounds, within.high])]
