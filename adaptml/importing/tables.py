"""The tables of a project's database, and what is known of each."""

import pandas as pd

from adaptml.database.catalogue import OWN
from adaptml.database.facts import TableFacts, kind, table_facts
from adaptml.frames import KEYS
from adaptml.importing.record import read_records
from adaptml.project import Project

COLUMNS = ["table", "rows", "columns", "id", "indexed", "imported_from", "imported_at"]


def tables(project: Project) -> pd.DataFrame:
    """List the tables and views of the project's database, by name.

    Args:
        project: holds the database.

    Returns:
        A frame with `table`, `rows`, `columns` (each but the id, with its kind), `id` (its kind, or why it
        is none; `with table_name` in tables that steps wrote, where both together are the key), `indexed`
        (whether rows are found by their id without reading the table; None for a view), `imported_from`
        (files) and `imported_at` (UTC), both None where no import made the table.

    Raises:
        DatabaseError: the database does not answer.

    Example:
        >>> frame = pd.DataFrame({"id": ["a"], "txt": ["one"]})
        >>> _ = project.import_table(frame, "notes")
        >>> listed = project.tables().set_index("table")
        >>> listed.loc["notes", ["id", "columns", "imported_from"]].tolist()
        ['text', 'txt (text)', 'the frame']
    """
    records = read_records(project.database)
    rows = []
    for table in project.database.tables():
        if table.startswith(OWN):
            continue
        facts, record = table_facts(project.database, table, []), records.get(table)
        columns = ", ".join(f"{name} ({kind(type_)})" for name, type_ in facts.types.items() if name != "id")
        rows.append(
            [table, facts.rows, columns, _id(facts),
             facts.indexed, record and record.files, record and record.imported_at]
        )  # fmt: skip
    found = pd.DataFrame(rows, columns=COLUMNS)
    for place in (-2, -1):  # objects, so that None stays None
        found[COLUMNS[place]] = pd.Series([row[place] for row in rows], dtype=object)
    return found


def _id(facts: TableFacts) -> str:
    """The kind of a table's ids, and what is wrong with them."""
    if "id" not in facts.types:
        return "none"
    if set(KEYS) <= set(facts.types):
        return "with table_name"  # written by a step: several rows of a point, and points of several tables
    problem = (facts.id_problem or "").partition(";")[0].partition(" has ")[2]
    return kind(facts.types["id"]) + (f", {problem}" if problem else "")
