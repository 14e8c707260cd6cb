"""How a file's columns fit a table that is there already."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.types import TypeEngine

from adaptml.database import Database, TextList, Vector
from adaptml.database.catalogue import OWN
from adaptml.errors import DatabaseError, listed
from adaptml.importing.kinds import BOOLEAN, INTEGER, LIST, NUMBER, TEXT, VECTOR, sql_type
from adaptml.importing.names import check_table_name
from adaptml.importing.plan import ImportedColumn, Plan
from adaptml.importing.record import Record, read_records


@dataclass(frozen=True)
class Fit:
    """What is to be done with a table.

    Attributes:
        table: its name.
        exists: whether it is there.
        kinds: column → the kind that its values get.
        added: columns that it does not have yet, with their types.
    """

    table: str
    exists: bool
    kinds: Mapping[str, str]
    added: Mapping[str, TypeEngine[Any]]


def fitted(database: Database, table: str, plan: Plan) -> Fit:
    """See that a table can take what a plan holds.

    Raises:
        DatabaseError: a name that some database does not take; a view; a table whose ids or columns are
            others than those of the files.
    """
    kinds = {column.name: column.kind for column in plan.columns}
    types = {name: sql_type(kind) for name, kind in kinds.items()}
    if table.lower().startswith(OWN):
        raise DatabaseError(
            f"tables whose names begin with {OWN} are the steps' own, and {table} would; rename it"
        )
    if table not in database.tables():
        check_table_name(table)
        return Fit(table, False, kinds, {"id": sa.Text(), **types})
    record = read_records(database).get(table)
    present = _present(database, table)
    if record is None:
        _check_foreign(table, plan, kinds, present)
    else:
        _check_ids(record, plan)
    for column in plan.columns:
        if column.name in present:
            kinds[column.name] = _kind_there(table, column, present[column.name], plan)
    return Fit(table, True, kinds, {name: kind for name, kind in types.items() if name not in present})


def _present(database: Database, table: str) -> dict[str, TypeEngine[Any]]:
    """The table's columns, if rows can be added to it."""
    with database.translated():
        if table in sa.inspect(database.engine).get_view_names():
            raise DatabaseError(f"{table!r} is a view; expected a table, or a name that is free")
    present = database.columns(table)
    if not isinstance(present.get("id"), sa.String):
        found = f"has the id {present['id']}" if "id" in present else "has no column id"
        raise DatabaseError(
            f"table {table!r} {found}; expected ids of text: import into a table with another name"
        )
    return present


def _check_foreign(
    table: str, plan: Plan, kinds: Mapping[str, str], present: Mapping[str, TypeEngine[Any]]
) -> None:
    """A table that no import made has the file's columns and ids of its own."""
    if plan.made:
        raise DatabaseError(
            f"table {table!r} was not made by an import, and the ids here are made from {plan.ids.source}; "
            "expected ids that both have: name their column with --id, or give the table another name"
        )
    absent = [name for name in kinds if name not in present]
    if absent:
        raise DatabaseError(
            f"table {table!r} was not made by an import and has no column {listed(absent)}; its columns are "
            f"{listed(list(present), 20)}: leave the others out of the file, or give the table another name"
        )


def _check_ids(record: Record, plan: Plan) -> None:
    """A table's ids go on coming from where they came from."""
    table = record.table_name
    if record.ids.casefold() != plan.ids.source.casefold():
        raise DatabaseError(
            f"the ids of table {table!r} come from {record.ids}, and here from {plan.ids.source}: every row "
            "would be new; import it as before, or give the table another name"
        )
    if record.on_duplicate != plan.on_duplicate and plan.ids.repeated:
        raise DatabaseError(
            f"table {table!r} was imported with --on-duplicate {record.on_duplicate}, and here it is "
            f"{plan.on_duplicate}; import it as before, or give the table another name"
        )


def _kind_there(table: str, column: ImportedColumn, present: TypeEngine[Any], plan: Plan) -> str:
    """The kind of a column that is there, which all values in the file must be."""
    kind = _kind_of(present, column.kind)
    if kind is None:
        raise DatabaseError(
            f"column {column.name!r} of table {table!r} is {present}, which an import does not write; leave "
            "the column out of the file, or give the table another name"
        )
    misfit = plan.watches[column.source].misfit(kind)
    if misfit:
        raise DatabaseError(
            f"column {column.name!r} of table {table!r} is {kind}, and {misfit}; correct it there, or give "
            "the table another name"
        )
    return kind


def _kind_of(present: TypeEngine[Any], wanted: str) -> str | None:
    """What a column's type holds; None for what an import does not write."""
    if isinstance(present, sa.SmallInteger) and wanted == BOOLEAN:
        return BOOLEAN
    kinds: tuple[tuple[type | tuple[type, ...], str], ...] = (
        (Vector, VECTOR),
        ((TextList, sa.JSON), LIST),
        (sa.String, TEXT),
        (sa.Integer, INTEGER),
        ((sa.Numeric, sa.Float), NUMBER),
    )
    return next((kind for types, kind in kinds if isinstance(present, types)), None)
