"""`adaptml tables`: the tables and what is known of them."""

from rich.table import Table

from adaptml.cli.support import output, project_here
from adaptml.errors import listed


def command() -> None:
    """List the tables of the database: rows, ids, columns, and the files that they were imported from.

    Example: `adaptml tables`
    """
    with project_here(needs_tasks=False) as project:
        found, elsewhere = project.tables(), project.database.tables_elsewhere()
    shown = Table("table", "rows", "id", "index", "columns", "imported from", box=None, pad_edge=False)
    shown.columns[1].justify = "right"
    for row in found.to_dict("records"):
        index = "unknown" if row["indexed"] is None else "yes" if row["indexed"] else "no"
        imported = f"{row['imported_from']}, {row['imported_at']}" if row["imported_from"] else ""
        shown.add_row(row["table"], f"{row['rows']:,}", row["id"], index, row["columns"], imported)
    if elsewhere:
        output().print(f"in other schemas, used as they are named here: {listed(elsewhere, 20)}")
    if len(found):
        output().print(shown)
    elif not elsewhere:
        output().print("no tables yet; make one: `adaptml import FILE TABLE`")
