"""What a database's own catalogue says: which tables there are, and what their columns are."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql.base import PGInspector
from sqlalchemy.engine.reflection import Inspector
from sqlalchemy.exc import NoSuchTableError
from sqlalchemy.types import TypeEngine

from adaptml.database.cratedb import DIALECT as CRATEDB
from adaptml.database.fetching import Row, from_sqlite
from adaptml.database.keys import SQLITE, key_type
from adaptml.database.types import feature_type
from adaptml.errors import UnknownTableError, listed

MAX_NAMES = 20
MAX_KEPT = 1_000  # tables
OWN = "adaptml_"  # how tables begin in which steps keep what nobody reads by hand
# Both kinds by one statement; SQLite's own tables are left out, as SQLAlchemy does.
_NAMES_IN_SQLITE = (
    "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite~_%' ESCAPE '~'"
)
_OWN_SCHEMAS = {"information_schema", "pg_catalog", "pg_toast", "sys", "blob"}  # the databases' own schemas


# SQLite's tables by all that it says of them. What is compiled for one is kept with it, and takes SQLAlchemy
# longer than SQLite takes to find its rows: it need not be done again by the next `Database` of the file, or
# after another table was made there.
_kept: dict[tuple[str | None, str, tuple[Row, ...]], sa.Table] = {}


def names(inspector: Inspector, schema: str | None = None) -> list[str]:
    """Names of the tables and views of a schema, sorted; None for the one that is searched by default."""
    if inspector.dialect.name == CRATEDB:
        return _names_in_cratedb(inspector, schema)
    if inspector.dialect.name == SQLITE and schema is None:
        return sorted(name for (name,) in from_sqlite(_connection(inspector), _NAMES_IN_SQLITE))
    found = {*inspector.get_table_names(schema), *inspector.get_view_names(schema)}
    if isinstance(inspector, PGInspector):
        found |= {*inspector.get_materialized_view_names(schema), *inspector.get_foreign_table_names(schema)}
    return sorted(found)


def _names_in_cratedb(inspector: Inspector, schema: str | None) -> list[str]:
    """As `names`; its dialect gives the views of all schemas as if they were of each."""
    wanted = schema or inspector.engine.url.query.get("schema") or inspector.default_schema_name
    connection = _connection(inspector)
    return sorted(
        {
            name
            for kind in ("tables", "views")
            for (name,) in connection.exec_driver_sql(
                f"SELECT table_name FROM information_schema.{kind} WHERE table_schema = ?",  # noqa: S608
                (wanted,),
            )
        }
    )


def _connection(inspector: Inspector) -> sa.Connection:
    return cast(sa.Connection, inspector.bind)


def _schemas(inspector: Inspector) -> list[str]:
    return [name for name in inspector.get_schema_names() if name not in _OWN_SCHEMAS]


def elsewhere(inspector: Inspector) -> list[str]:
    """The tables and views of all schemas but the one that is searched by default, `schema.table`, sorted."""
    others = [name for name in _schemas(inspector) if name != inspector.default_schema_name]
    return sorted(f"{schema}.{name}" for schema in others for name in names(inspector, schema))


def find(inspector: Inspector, table: str, database: str, here: Sequence[str]) -> tuple[str | None, str]:
    """The schema (None for the default one) and the name of `table` or `schema.table`.

    A table whose own name has the dot comes first.

    Args:
        inspector: of the database.
        table: what a person calls it.
        database: name of the database, for the message.
        here: names of the tables and views of the default schema.

    Raises:
        UnknownTableError: there is none.
    """
    if table in here:
        return None, table
    schemas = _schemas(inspector)
    tried = [(table[:dot], table[dot + 1 :]) for dot, sign in enumerate(table) if sign == "."]
    for schema, name in tried:
        if schema in schemas and name in names(inspector, schema):
            return schema, name
    inside = next((schema for schema, _ in tried if schema in schemas), None)
    if inside is not None:
        has = _listed(names(inspector, inside))
        raise UnknownTableError(f"no table {table!r} in {database}; the tables of schema {inside} are {has}")
    others = [name for name in schemas if name != inspector.default_schema_name]
    more = f"; those of other schemas ({listed(others, MAX_NAMES)}) are named schema.table" if others else ""
    raise UnknownTableError(f"no table {table!r} in {database}; its tables are {_listed(here)}{more}")


def _listed(tables: Sequence[str]) -> str:
    """Tables that a person can name as data, for a message."""
    return listed([name for name in tables if not name.startswith(OWN)], MAX_NAMES) or "none"


def reflected(
    inspector: Inspector, schema: str | None, name: str, declared: Mapping[str, TypeEngine[Any]]
) -> sa.Table:
    """A table with the types that its columns are read with, and its primary key.

    Its other constraints, for which SQLAlchemy would ask a dozen statements, are not looked at.

    Args:
        inspector: of the database.
        schema: where the table is, or None.
        name: its name there.
        declared: types of columns that the catalogue does not know.

    Raises:
        UnknownTableError: it was dropped since it was found.
    """
    told = () if declared else _told_by_sqlite(inspector, schema, name)
    if told and (known := _kept.get((schema, name, told))) is not None:
        return known
    try:
        columns = inspector.get_columns(name, schema)
        key = inspector.get_pk_constraint(name, schema)["constrained_columns"]
    except NoSuchTableError as error:
        raise UnknownTableError(f"table {name!r} was dropped just now; name another table") from error

    def read_type(column: Any) -> TypeEngine[Any]:
        kind = column["type"]
        return key_type(kind, inspector.dialect.name) if column["name"] == "id" else feature_type(kind)

    table = sa.Table(
        name,
        sa.MetaData(),
        *(
            sa.Column(
                column["name"],
                declared.get(column["name"]) or read_type(column),
                primary_key=column["name"] in key,
                nullable=column["nullable"],
            )
            for column in columns
        ),
        schema=schema,
    )
    if told:
        if len(_kept) >= MAX_KEPT:
            _kept.clear()
        _kept[schema, name, told] = table
    return table


def _told_by_sqlite(inspector: Inspector, schema: str | None, name: str) -> tuple[Row, ...]:
    """All that SQLite says of a table's columns; nothing where it is another database."""
    if inspector.dialect.name != SQLITE:
        return ()
    quote = inspector.dialect.identifier_preparer.quote_identifier
    about = f"PRAGMA {quote(schema or 'main')}.table_xinfo({quote(name)})"
    return tuple(from_sqlite(_connection(inspector), about))
