"""What is different with CrateDB: no transactions, reads that lag behind writes, failures row by row."""

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql.dml import OnConflictDoNothing
from sqlalchemy.engine import Connection, CursorResult
from sqlalchemy.ext.compiler import compiles

from adaptml.errors import DatabaseError

DIALECT = "crate"
# One request takes a whole list of rows; SQLAlchemy's own way writes them out as one long statement.
ENGINE_OPTIONS: dict[str, Any] = {"use_insertmanyvalues": False}
FAILED_ROW = -2  # CrateDB's row count for a row of a bulk request that it did not take


@compiles(OnConflictDoNothing, DIALECT)
def _do_nothing(_element: Any, _compiler: Any, **_: Any) -> str:
    """What its dialect leaves out of PostgreSQL's INSERT … ON CONFLICT."""
    return "ON CONFLICT DO NOTHING"


def is_cratedb(connection: Connection | sa.Engine) -> bool:
    """Whether this is a CrateDB."""
    return connection.dialect.name == DIALECT


def refresh(connection: Connection, table: sa.Table) -> None:
    """Let reads from now on see what was written into a table; other databases need no such thing."""
    if is_cratedb(connection):
        name = connection.dialect.identifier_preparer.format_table(table)
        connection.exec_driver_sql(f"REFRESH TABLE {name}")


def among(connection: Connection, column: sa.Column[Any], values: Iterable[Any]) -> sa.ColumnElement[bool]:
    """That a column holds one of the values: one array for CrateDB, a parameter for each elsewhere."""
    distinct = list(dict.fromkeys(values))
    if is_cratedb(connection):
        return column == sa.any_(sa.bindparam(None, distinct, type_=sa.ARRAY(column.type)))
    return column.in_(distinct)


def check_bulk(result: CursorResult[Any], table: str) -> None:
    """Refuse a bulk write that did not take every row; CrateDB answers row by row and raises nothing.

    Raises:
        DatabaseError: rows that were not taken. There are no transactions: the others are written.
    """
    answers = getattr(result.context, "last_result", None)
    if isinstance(answers, list):
        failed = sum(answer.get("rowcount") == FAILED_ROW for answer in answers)
        if failed:
            raise DatabaseError(
                f"CrateDB did not take {failed} of {len(answers)} rows for table {table!r}, and has written "
                "the others; see that values fit their columns, then write all of them again"
            )


def update(connection: Connection, table: sa.Table, rows: Sequence[dict[str, Any]], key: str) -> None:
    """Set columns of rows by id, in bulk.

    Its dialect rewrites SQLAlchemy's own UPDATE for objects, and loses all rows but one on the way.

    Args:
        connection: to a CrateDB.
        table: a data table.
        rows: one or more; column → value, and the id under the name `key`.
        key: that name.
    """
    prepare = connection.dialect.identifier_preparer
    columns = [name for name in rows[0] if name != key]
    places = ", ".join(f"{prepare.quote(name)} = {{}}v{i}" for i, name in enumerate(columns))
    text = f"UPDATE {prepare.format_table(table)} SET {places} WHERE id = {{}}key"  # noqa: S608 - quoted names
    statement = sa.text(text.replace(":", r"\:").replace("{}", ":"))
    statement = statement.bindparams(
        *(sa.bindparam(f"v{i}", type_=table.c[name].type) for i, name in enumerate(columns))
    )
    values = [{"key": row[key]} | {f"v{i}": row[name] for i, name in enumerate(columns)} for row in rows]
    check_bulk(connection.execute(statement, values), table.name)
    refresh(connection, table)
