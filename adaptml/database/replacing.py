"""Rows that take the place of all earlier ones of their kind, and tables that make room."""

import pandas as pd
import sqlalchemy as sa

from adaptml.database import cratedb
from adaptml.database.core import Database
from adaptml.database.writing import CHUNK_ROWS, records


def replace_kind(database: Database, table: str, frame: pd.DataFrame, keys: list[str], column: str) -> None:
    """Make a table hold exactly these rows of their kinds; rows of other kinds stay.

    One transaction; on CrateDB, which has none, new rows come before old ones go, so that a step that is
    killed leaves too many and the next one puts it right.

    Args:
        database: holds the table.
        table: its name.
        frame: columns named as the table's. What stands in `column` are the kinds that are replaced.
        keys: the columns of the table's primary key, `column` among them.
        column: what tells the kinds apart.
    """
    target = database.found_table(table, list(frame.columns))
    of_kinds = target.c[column].in_(frame[column].unique().tolist())
    if database.engine.dialect.name == cratedb.DIALECT:
        database.upsert(table, frame, keys)
        _delete_others(database, target, frame, keys, of_kinds)
        return
    with database.translated(), database.engine.begin() as connection:
        connection.execute(sa.delete(target).where(of_kinds))
        for start in range(0, len(frame), CHUNK_ROWS):
            connection.execute(sa.insert(target), records(frame.iloc[start : start + CHUNK_ROWS]))


def _delete_others(
    database: Database,
    target: sa.Table,
    frame: pd.DataFrame,
    keys: list[str],
    of_kinds: sa.ColumnElement[bool],
) -> None:
    """Delete the rows of these kinds that are not in the frame."""
    kept = set(frame[keys].itertuples(index=False, name=None))
    with database.translated(), database.engine.begin() as connection:
        found = connection.execute(sa.select(*(target.c[key] for key in keys)).where(of_kinds)).all()
        for row in found:
            if tuple(row) not in kept:
                same = sa.and_(*(target.c[key] == value for key, value in zip(keys, row, strict=True)))
                connection.execute(sa.delete(target).where(same))
        cratedb.refresh(connection, target)


def rename_table(database: Database, table: str, name: str) -> None:
    """Give a table another name; its rows stay."""
    quote = database.engine.dialect.identifier_preparer.quote
    with database.translated(), database.engine.begin() as connection:
        connection.exec_driver_sql(f"ALTER TABLE {quote(table)} RENAME TO {quote(name)}")
