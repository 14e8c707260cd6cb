"""What is different with CrateDB: no transactions, reads that lag behind writes, failures row by row."""

import json
import logging
from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import exc
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql.dml import OnConflictDoNothing
from sqlalchemy.engine import Connection
from sqlalchemy.ext.compiler import compiles

from adaptml.database.cratedb_errors import check_rows, may_pass, patiently, refused
from adaptml.errors import SettingsError, one_line

DIALECT = "crate"
# One request takes a whole list of rows; SQLAlchemy's own way writes them out as one long statement.
ENGINE_OPTIONS: dict[str, Any] = {"use_insertmanyvalues": False}
_VALUE: sa.ColumnClause[Any] = sa.column("value")  # of what json_each gives
ADDRESS = "crate://user:password@host:4200"
IDENTITY = "SELECT id, CURRENT_SCHEMA FROM sys.cluster"


@compiles(OnConflictDoNothing, DIALECT)
def _do_nothing(_element: Any, _compiler: Any, **_: Any) -> str:
    """What its dialect leaves out of PostgreSQL's INSERT … ON CONFLICT."""
    return "ON CONFLICT DO NOTHING"


def is_cratedb(connection: Connection | sa.Engine) -> bool:
    """Whether this is a CrateDB."""
    return connection.dialect.name == DIALECT


def set_up(engine: sa.Engine, patience_s: float) -> None:
    """Make an engine of a CrateDB do what its dialect and its client do not by themselves.

    It asks again while shards are not there yet, says in our words what is wrong with an address, and sends
    percent signs in names and conditions as they are. Servers that come and go are no warning: what cannot
    be done without them is an error of its own.

    Args:
        engine: of a CrateDB.
        patience_s: for how long it is asked again, in seconds.
    """
    dialect = engine.dialect
    # Its client, unlike others that mark parameters so, does not make one percent sign of two; there is no
    # public way to say that.
    dialect.identifier_preparer._double_percents = False
    logging.getLogger("crate.client.http").setLevel(logging.ERROR)

    @sa.event.listens_for(engine, "do_connect")
    def connect(_dialect: Any, _record: Any, words: Any, named: Any) -> Any:
        try:
            if any("," in server for server in named.get("servers") or ()):
                raise ValueError("one of its servers holds a comma")  # noqa: TRY301 - as the client's own
            return dialect.connect(*words, **named)
        except (ValueError, TypeError, OSError, exc.SQLAlchemyError) as error:
            raise SettingsError(
                f"the address of the CrateDB at {engine.url.host or 'no host'} cannot be used: "
                f"{one_line(error)}; "
                f"expected {ADDRESS}, and for a cluster {ADDRESS}/?servers=host:4200&servers=other:4200"
            ) from error

    @sa.event.listens_for(engine, "do_execute")
    def execute(cursor: Any, statement: Any, parameters: Any, context: Any) -> bool:
        patiently(dialect, lambda: dialect.do_execute(cursor, statement, parameters, context), patience_s)
        return True

    @sa.event.listens_for(engine, "do_executemany")
    def execute_many(cursor: Any, statement: Any, parameters: Any, context: Any) -> bool:
        def ask() -> Any:
            dialect.do_executemany(cursor, statement, parameters, context)
            return context.last_result

        patiently(dialect, ask, patience_s)
        return True


def refresh(connection: Connection, table: sa.Table) -> None:
    """Let reads from now on see what was written into a table; other databases need no such thing."""
    if is_cratedb(connection):
        name = connection.dialect.identifier_preparer.format_table(table)
        connection.exec_driver_sql(f"REFRESH TABLE {name}")


def among(connection: Connection, column: sa.Column[Any], values: Iterable[Any]) -> sa.ColumnElement[bool]:
    """That a column holds one of the values, bound as one array; as JSON in SQLite, which has none."""
    distinct = list(dict.fromkeys(values))
    if connection.dialect.name == "sqlite":
        text = as_json(distinct)
        return column.in_(distinct) if text is None else among_given("sqlite", column, None, text)
    return among_given(connection.dialect.name, column, None, distinct)


def among_given(
    dialect: str, column: sa.Column[Any], name: str | None, given: Any = None
) -> sa.ColumnElement[bool]:
    """The same of values that are bound by a name: as one array; in SQLite as `as_json` gives them."""
    if dialect == "sqlite":
        # Not typed as the column: the text is a list of values, and what SQLite makes of it has their types.
        text = sa.bindparam(name, given, type_=sa.Text())
        return column.in_(sa.select(_VALUE).select_from(sa.func.json_each(text)))
    array = sa.ARRAY if dialect == DIALECT else postgresql.ARRAY
    return column == sa.any_(sa.bindparam(name, given, type_=array(column.type)))


def as_json(values: list[Any]) -> str | None:
    """Texts and whole numbers as JSON; None for others, and for a NUL, at which SQLite ends a JSON text."""
    try:
        text = json.dumps(values, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError):
        return None
    return None if r"\u0000" in text else text


def execute_bulk(
    connection: Connection, statement: Any, rows: Sequence[dict[str, Any]], table: str, ids: Sequence[str]
) -> None:
    """Send a statement for many rows; where CrateDB does not take one, that is an error.

    Args:
        connection: to any database.
        statement: with the names of `rows` as its parameters.
        rows: one or more.
        table: the table's name, for the message.
        ids: of the rows, for the message.

    Raises:
        DatabaseError: rows that a CrateDB did not take. It has no transactions: the others are written.
    """
    try:
        done = connection.execute(statement, list(rows))
    except exc.ProgrammingError as error:
        if is_cratedb(connection) and len(rows) == 1 and not may_pass(str(error.orig)):  # is no bulk request
            check_rows([(0, one_line(error.orig or error))], table, ids)
        raise
    check_rows(refused(getattr(done.context, "last_result", None)), table, ids)
