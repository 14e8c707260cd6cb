"""`adaptml features [TABLE]`: which versions of features there are."""

from math import isnan
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from adaptml.cli.support import output, project_here
from adaptml.errors import SettingsError
from adaptml.project import Project

if TYPE_CHECKING:
    import pandas as pd


def command(
    table: Annotated[
        str | None, typer.Argument(metavar="[TABLE]", help="Only this data table's.", show_default=False)
    ] = None,
    compare: Annotated[
        tuple[str, str] | None,
        typer.Option(metavar="VERSION VERSION", help="Say how two versions differ.", show_default=False),
    ] = None,
    drop: Annotated[
        str | None,
        typer.Option(metavar="VERSION", help="Drop the values of a version.", show_default=False),
    ] = None,
) -> None:
    """List the versions of features: rows, stale rows, size, and which champions read them.

    A version that a champion or a task reads is not dropped.

    Examples: `adaptml features example_data`, `adaptml features example_data --compare txt_vec@1 txt_vec@2`,
    `adaptml features --drop txt_vec@1`
    """
    with project_here() as project:
        if compare is not None:
            _compare(project, table, *compare)
        elif drop is not None:
            tables = project.drop_feature(drop, table)
            output().print(f"{drop} of {', '.join(tables)} dropped")
        else:
            found = project.list_features(table)
            if table is not None and found.empty:
                project.database.columns(table)  # says so where there is no such table
            whose = "" if table is None else f" of table {table}"
            none = f"no features{whose} yet; make them: `adaptml featurize TASK --data {table or 'TABLE'}`"
            output().print(none if found.empty else _shown(found))


def _compare(project: Project, table: str | None, first: str, second: str) -> None:
    if table is None:
        raise SettingsError("--compare needs the table: adaptml features TABLE --compare VERSION VERSION")
    done = project.compare_features(table, first, second)
    share = done.different / done.rows if done.rows else 0.0
    cosine = "" if isnan(done.mean_cosine) else f", mean cosine {done.mean_cosine:.4f}"
    output().print(
        f"{done.first} and {done.second} differ in {done.different} of {done.rows} rows ({share:.1%}){cosine}"
    )


def _shown(found: "pd.DataFrame") -> Table:
    table = Table("table", "feature", "encoder", "from", box=None, pad_edge=False)
    for name in ("numbers", "rows", "stale", "MB"):
        table.add_column(name, justify="right")
    table.add_column("used by")
    for row in found.to_dict("records"):
        table.add_row(
            row["table_name"],
            row["feature"] + (" *" if row["stands_for_name"] else ""),
            row["encoder"] + ("" if row["can_be_filled"] else " (another now)"),
            row["source"],
            str(row["dimensions"] or ""),
            str(row["rows"]),
            "table gone" if isnan(row["stale"]) else f"{row['stale']:.0f}",
            "" if isnan(row["bytes"]) else f"{row['bytes'] / 1e6:.1f}",
            ", ".join(row["used_by"]),
        )
    table.caption = "* what the name alone stands for"
    return table
