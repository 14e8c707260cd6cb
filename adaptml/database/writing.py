"""Making tables and writing rows, each call in one transaction."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.types import TypeEngine

from adaptml.database import cratedb
from adaptml.database.connection import Connected
from adaptml.database.packed import PackedVector
from adaptml.frames import KEYS

CHUNK_ROWS = 5_000  # rows a statement


class Writer(Connected):
    """A database that is written to."""

    def create_table(
        self, table: str, columns: Mapping[str, TypeEngine[Any]], keys: Sequence[str] = ("id",)
    ) -> None:
        """Create a table unless it is there, and add the columns that it does not have yet.

        Args:
            table: name of the table.
            columns: name and type of each column, keys included.
            keys: the columns of the primary key.
        """
        self.declare(table, {name: kind for name, kind in columns.items() if isinstance(kind, PackedVector)})
        if table not in self.tables():
            parts = [sa.Column(name, kind, primary_key=name in keys) for name, kind in columns.items()]
            with self.translated():
                sa.Table(table, sa.MetaData(), *parts).create(self.engine, checkfirst=True)
        self.add_columns(table, columns)

    def add_columns(self, table: str, columns: Mapping[str, TypeEngine[Any]]) -> None:
        """Add the columns that a table does not have yet; their values are NULL."""
        present = self._reflect(table)
        quote = self.engine.dialect.identifier_preparer.quote
        for name, kind in columns.items():
            if name not in present.c:
                # DDL takes no bound parameters: the dialect quotes the names and compiles the type.
                statement = (
                    f"ALTER TABLE {quote(table)} ADD COLUMN {quote(name)} {kind.compile(self.engine.dialect)}"
                )
                with self.translated(), self.engine.begin() as connection:
                    connection.execute(sa.text(statement.replace(":", r"\:")))
        self._tables.pop(table, None)

    def upsert(self, table: str, frame: pd.DataFrame, keys: Sequence[str], *, replace: bool = True) -> int:
        """Write rows into a table in one transaction: all of them or none (CrateDB: see `check_bulk`).

        Args:
            table: name of the table.
            frame: columns named as the table's.
            keys: the columns of the table's primary key.
            replace: rows that are there already take the new values; left as they are where False.

        Returns:
            How many rows were new.
        """
        target = self.found_table(table, list(frame.columns))
        dialect = sqlite if self.engine.dialect.name == "sqlite" else postgresql
        statement: Any = dialect.insert(target)
        payload = [column for column in frame.columns if column not in keys]
        if replace and payload:
            new = {column: statement.excluded[column] for column in payload}
            statement = statement.on_conflict_do_update(index_elements=list(keys), set_=new)
        else:
            statement = statement.on_conflict_do_nothing(index_elements=list(keys))
        count = sa.select(sa.func.count()).select_from(target)
        with self.translated(), self.engine.begin() as connection:
            cratedb.refresh(connection, target)
            before = connection.execute(count).scalar_one()
            for start in range(0, len(frame), CHUNK_ROWS):
                done = connection.execute(statement, records(frame.iloc[start : start + CHUNK_ROWS]))
                cratedb.check_bulk(done, table)
            cratedb.refresh(connection, target)
            return int(connection.execute(count).scalar_one() - before)

    def update(self, table: str, frame: pd.DataFrame) -> None:
        """Set columns of rows that exist, by id, in one transaction.

        Args:
            table: name of a data table.
            frame: `id` and the columns to set; a column `table_name` is not written.
        """
        payload = [column for column in frame.columns if column not in KEYS]
        target = self.data_table(table, payload)
        statement = sa.update(target).where(target.c.id == sa.bindparam("_key"))
        statement = statement.values({column: sa.bindparam(column) for column in payload})
        rows = [{"_key": row.pop("id")} | row for row in records(frame[["id", *payload]])]
        if rows:
            with self.translated(), self.engine.begin() as connection:
                if cratedb.is_cratedb(connection):
                    cratedb.update(connection, target, rows, "_key")
                else:
                    connection.execute(statement, rows)


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as plain Python values, for a driver: numpy scalars unpacked, missing values None."""
    columns = {str(name): [_driver_value(value) for value in frame[name]] for name in frame.columns}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _driver_value(value: Any) -> Any:
    """A value as a driver takes it."""
    if isinstance(value, (str, list, tuple, np.ndarray)) or value is None:
        return value
    if pd.isna(value):
        return None
    return value.item() if isinstance(value, np.generic) else value
