"""A table that rows are imported into: in one transaction, or on CrateDB a chunk at a time."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

import pandas as pd
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from adaptml.database import Database, cratedb
from adaptml.database.writing import AddColumn
from adaptml.importing.fit import Fit
from adaptml.importing.record import COLUMNS, RECORDS, Record, write_record

Row = tuple[Any, ...]  # the id, then a value for each column


class Target:
    """A table that rows are compared with and written into, in the transaction of one connection."""

    def __init__(self, connection: Connection, table: sa.Table, fit: Fit) -> None:
        """Take a connection that is in a transaction; whoever opened it ends that.

        Args:
            connection: to the database.
            table: the table as it will be.
            fit: what it lacks.
        """
        self._connection, self._table, self._fit = connection, table, fit
        self._columns = [table.c.id, *(table.c[name] for name in fit.kinds)]

    def prepare(self, record: Record) -> None:
        """Make the table, or the columns that it lacks, and note the import."""
        if not self._fit.exists:
            self._table.create(self._connection)
        else:
            for name, kind in self._fit.added.items():
                column = sa.Table(
                    self._table.name, sa.MetaData(), sa.Column(name, kind), schema=self._table.schema
                )
                self._connection.execute(AddColumn(column))
        write_record(self._connection, record)

    def there(self, ids: Sequence[str]) -> dict[str, Row]:
        """id → the row that the table has, for those it has; None in columns that are yet to be added."""
        if not self._fit.exists:
            return {}
        asked = [sa.null() if column.name in self._fit.added else column for column in self._columns]
        rows = sa.select(*asked).where(cratedb.among(self._connection, self._table.c.id, ids))
        return {row[0]: tuple(row) for row in self._connection.execute(rows)}

    def insert(self, rows: Sequence[Row]) -> None:
        """Write rows that are new."""
        names = [column.name for column in self._columns]
        if rows:
            self._connection.execute(
                sa.insert(self._table), [dict(zip(names, row, strict=True)) for row in rows]
            )

    def update(self, rows: Sequence[Row]) -> None:
        """Write rows that are there."""
        if rows:
            names = [f"v{place}" for place in range(len(self._columns))]
            values = {
                column: sa.bindparam(name, type_=column.type)
                for name, column in zip(names[1:], self._columns[1:], strict=True)
            }
            statement = sa.update(self._table).where(self._table.c.id == sa.bindparam("v0")).values(values)
            self._connection.execute(statement, [dict(zip(names, row, strict=True)) for row in rows])


class ChunkTarget(Target):
    """A table of a CrateDB: every call writes for itself, and is done again where it was cut off."""

    def __init__(self, database: Database, connection: Connection, table: sa.Table, fit: Fit) -> None:
        """Take a database, and a connection to read with."""
        super().__init__(connection, table, fit)
        self._database = database

    def prepare(self, record: Record) -> None:
        """Make the table, or the columns that it lacks, and note the import."""
        self._database.create_table(self._table.name, {column.name: column.type for column in self._columns})
        self._database.create_table(RECORDS, COLUMNS, ["table_name"])
        self._database.upsert(RECORDS, pd.DataFrame([asdict(record)]), ["table_name"])

    def insert(self, rows: Sequence[Row]) -> None:
        """Write rows."""
        if rows:
            names = [column.name for column in self._columns]
            frame = pd.DataFrame(dict(zip(names, zip(*rows, strict=True), strict=True)), dtype=object)
            self._database.upsert(self._table.name, frame, ["id"])

    update = insert


def has_transactions(connection: Connection) -> bool:
    """Whether what is written can be taken back."""
    return not cratedb.is_cratedb(connection)


@contextmanager
def opened_target(database: Database, fit: Fit) -> Iterator[Target]:
    """The table to write into; what was written stays if the block ends, and on CrateDB also if it fails."""
    table = _table(database, fit)
    with database.translated(), database.engine.connect() as connection:
        if not has_transactions(connection):
            yield ChunkTarget(database, connection, table, fit)
            return
        if connection.dialect.name == "sqlite":  # Python's driver begins none before it makes a table
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        yield Target(connection, table, fit)
        connection.commit()


def _table(database: Database, fit: Fit) -> sa.Table:
    """The table as it will be."""
    if fit.exists:
        # A copy: others read by the table as it was found.
        table = database.found_table(fit.table, ["id"]).to_metadata(sa.MetaData())
        for name, kind in fit.added.items():
            table.append_column(sa.Column(name, kind))
        return table
    columns = [sa.Column(name, kind, primary_key=name == "id") for name, kind in fit.added.items()]
    return sa.Table(fit.table, sa.MetaData(), *columns)
