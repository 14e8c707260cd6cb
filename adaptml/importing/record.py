"""What is known of each table that was imported, such as its files; in a table of its own."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.types import TypeEngine

from adaptml.database import Database
from adaptml.database.catalogue import OWN
from adaptml.importing.plan import Plan

RECORDS = f"{OWN}imports"
COLUMNS: dict[str, TypeEngine[Any]] = {
    "table_name": sa.Text(),
    "files": sa.Text(),
    "ids": sa.Text(),
    "on_duplicate": sa.Text(),
    "file_rows": sa.BigInteger(),
    "imported_at": sa.Text(),
}


@dataclass(frozen=True)
class Record:
    """How a table was imported last.

    Attributes:
        table_name: the table.
        files: names of the files.
        ids: where its ids come from.
        on_duplicate: what became of rows with the id of an earlier row.
        file_rows: rows in the files.
        imported_at: when, in UTC.
    """

    table_name: str
    files: str
    ids: str
    on_duplicate: str
    file_rows: int
    imported_at: str


def new_record(table: str, files: Sequence[str], plan: Plan) -> Record:
    """A record of now."""
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M")
    return Record(table, ", ".join(files), plan.ids.source, plan.on_duplicate, plan.rows, now)


def read_records(database: Database) -> dict[str, Record]:
    """table → how it was imported last."""
    if RECORDS not in database.tables():
        return {}
    table = records_table()
    with database.translated(), database.engine.connect() as connection:
        found = connection.execute(sa.select(table)).all()
    return {row.table_name: Record(**row._asdict()) for row in found}


def write_record(connection: Connection, record: Record) -> None:
    """Write a record in the caller's transaction, in place of the table's earlier one."""
    table = records_table()
    table.create(connection, checkfirst=True)
    connection.execute(sa.delete(table).where(table.c.table_name == record.table_name))
    connection.execute(sa.insert(table), [asdict(record)])


def records_table() -> sa.Table:
    """The table of records."""
    columns = [sa.Column(name, kind, primary_key=name == "table_name") for name, kind in COLUMNS.items()]
    return sa.Table(RECORDS, sa.MetaData(), *columns)
