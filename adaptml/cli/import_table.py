"""`adaptml import`: files into a data table."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from adaptml.cli import options
from adaptml.cli.host import host_stack
from adaptml.cli.support import EXIT_INTERRUPTED, output
from adaptml.errors import SettingsError
from adaptml.project import Project
from adaptml.stack.host import refuse_in_container
from adaptml.stack.import_files import import_files

if TYPE_CHECKING:
    from adaptml.importing.plan import Plan


def command(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE… TABLE", help="Files of the same columns, and the table's name."),
    ],
    id_column: Annotated[
        str | None,
        typer.Option(
            "--id",
            metavar="COLUMN",
            help="Column of the ids. Default: id, else a hash of each row.",
            show_default=False,
        ),
    ] = None,
    number_rows: Annotated[
        bool, typer.Option("--number-rows", help="The ids are the rows' numbers: 1, 2, …")
    ] = False,
    on_duplicate: Annotated[
        str, typer.Option(metavar="refuse|keep-first|number", help="What to do with rows that repeat an id.")
    ] = "refuse",
    types: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN=TYPE",
            show_default=False,
            help="Type of a column: text, integer, number, boolean, list, vector. Default: found out.",
        ),
    ] = None,
    encoding: Annotated[
        str | None, typer.Option(help="Of text files. Default: found out.", show_default=False)
    ] = None,
    delimiter: Annotated[
        str | None, typer.Option(help="Of CSV files. Default: found out.", show_default=False)
    ] = None,
    sheet: Annotated[
        str | None, typer.Option(help="Of an Excel file. Default: the first.", show_default=False)
    ] = None,
    stack: options.OnStack = None,
) -> None:
    """Make a data table from files, or bring it up to date: only new and changed rows are written.

    Takes .csv, .tsv, .json, .jsonl, .parquet, .arrow, .feather and .xlsx files, a folder of pictures, sounds
    or clips, and beside any of these .npy and .npz files with a vector for each row; text files also as .gz.
    All of it is written or nothing.

    Example: `adaptml import posts.csv posts --id tweet_id`
    """
    from adaptml.importing.next_step import next_step

    *paths, table = map(str, files)
    if not paths:
        raise SettingsError(
            f"no table's name after {table!r}; expected such as: adaptml import posts.csv posts"
        )
    named = {"--id": id_column, "--encoding": encoding, "--delimiter": delimiter, "--sheet": sheet}
    with Project() as project, _interruption_said(project):
        on_stack = host_stack(project, stack)
        if on_stack is not None:
            words = [word for option, value in named.items() if value is not None for word in (option, value)]
            words += ["--on-duplicate", on_duplicate, *["--number-rows"] * number_rows]
            words += [word for kind in types or [] for word in ("--types", kind)]
            import_files(on_stack, files[:-1], table, words)
            return
        _check_here(files[:-1], table)
        done = project.import_table(
            paths, table,
            id=id_column, number_rows=number_rows, on_duplicate=on_duplicate, types=_types(types or []),
            encoding=encoding, delimiter=delimiter, sheet=sheet, show_progress=True, on_plan=_show,
        )  # fmt: skip
        output().print(str(done))
        output().print(f"Next: `{next_step(project, done)}`")


def _check_here(files: list[Path], table: str) -> None:
    """In a container, a file that is not there may be one of the host; elsewhere the import says so."""
    absent = [str(file) for file in files if not file.exists()]
    if absent:
        refuse_in_container(f"adaptml import {absent[0]} {table}")


@contextmanager
def _interruption_said(project: Project) -> Iterator[None]:
    """On a database without transactions, an interruption leaves what was written; elsewhere nothing."""
    try:
        yield
    except KeyboardInterrupt:
        if project.database.engine.dialect.name != "crate":
            raise
        typer.echo("interrupted; the rows written so far are kept, run it again for the rest", err=True)
        raise typer.Exit(EXIT_INTERRUPTED) from None


def _show(plan: "Plan") -> None:
    console = output()
    for source in plan.sources:
        console.print(f"{source.name}: {source.said}")
    console.print(plan)


def _types(given: list[str]) -> dict[str, str]:
    """`likes=text` as column and type; a column's name may hold `=` itself."""
    types = {}
    for word in given:
        column, equals, kind = word.rpartition("=")
        if not equals:
            raise SettingsError(f"--types {word!r} names no type; expected COLUMN=TYPE, such as likes=text")
        types[column] = kind
    return types
