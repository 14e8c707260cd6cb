"""From a file, several of the same columns, or a frame to a data table."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from adaptml.errors import FrameError, listed, one_line
from adaptml.importing.chunks import Source
from adaptml.importing.files import How, open_sources
from adaptml.importing.fit import fitted
from adaptml.importing.frame import FrameSource
from adaptml.importing.ids import ON_DUPLICATE, REFUSE
from adaptml.importing.plan import ImportedColumn, Plan, look
from adaptml.importing.record import new_record
from adaptml.importing.write import write
from adaptml.project import Project

Files = str | Path | pd.DataFrame | Sequence[str | Path]


@dataclass(frozen=True, repr=False)
class ImportedTable:
    """The result of `import_table`; it shows itself as one line.

    Attributes:
        table: the table.
        read: rows in the files.
        new: rows whose id the table did not have.
        changed: rows that were there with other values.
        unchanged: rows that were there as they are.
        left_out: rows left out because an earlier row has their id.
        gone: rows of the table that the files do not have; they are kept.
        replaced: values with characters that some database does not take, which are U+FFFD now.
        columns: every column but the id.
        text: the text column whose texts are longest, by the first rows.

    Example:
        >>> frame = pd.DataFrame({"id": [7, 8], "txt": ["one", "two"]})
        >>> project.import_table(frame, "replies")
        replies: 2 rows read: 2 new
        >>> frame.loc[2] = [9, "three"]
        >>> done = project.import_table(frame, "replies")
        >>> done.new, done.unchanged
        (1, 2)
    """

    table: str
    read: int
    new: int
    changed: int
    unchanged: int
    left_out: int
    gone: int
    replaced: int
    columns: tuple[ImportedColumn, ...]
    text: str | None

    def __repr__(self) -> str:
        counts = {"new": self.new, "changed": self.changed, "unchanged": self.unchanged}
        counts |= {"left out": self.left_out}
        said = ", ".join(f"{n:,} {what}" for what, n in counts.items() if n or what == "new")
        more = ""
        if self.gone:
            more += f"; in the table only: {self.gone:,} (kept)"
        if self.replaced:
            more += (
                f"; values with characters that databases refuse: {self.replaced:,} (these are U+FFFD now)"
            )
        return f"{self.table}: {self.read:,} {'row' if self.read == 1 else 'rows'} read: {said}{more}"


def import_table(
    project: Project,
    files: Files,
    table: str,
    *,
    id: str | None = None,  # noqa: A002 - the column's name everywhere
    number_rows: bool = False,
    on_duplicate: str = REFUSE,
    types: Mapping[str, str] | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
    sheet: str | None = None,
    show_progress: bool = False,
    on_plan: Callable[[Plan], None] | None = None,
) -> ImportedTable:
    """Make a data table from files, or bring it up to date with longer ones.

    The files are read twice in bounded memory: once to find out what every column holds, once to write.
    Where the table is there, only new and changed rows are written; rows that the files do not have are
    kept. On SQLite and PostgreSQL all is written or nothing.

    Args:
        project: holds the database.
        files: a path, several of files with the same columns, or a frame (its index is left out).
        table: name of the table.
        id: the column that holds the ids, each once; default: the one called id, and where there is none, a
            hash of each row.
        number_rows: the ids are the rows' numbers, 1, 2, …
        on_duplicate: `refuse` repeated ids, `keep-first` (leave out later rows), or `number` (`a`, `a-2`).
        types: column → `text`, `integer`, `number`, `boolean`, `list` or `vector`, in place of what is
            found out on all rows.
        encoding: of text files, in place of what is found out; so is `delimiter`, of CSV.
        delimiter: one character.
        sheet: of an Excel file; default: the first.
        show_progress: progress bars on stderr.
        on_plan: is called with what was found out, before anything is written.

    Raises:
        FrameError: files that cannot be read, ids that are missing, repeated or rounded, values that are not
            of a type that was asked for; where ids are made from the rows, earlier rows that have changed.
        DatabaseError: a table's name that some database does not take, a table that the files do not fit.

    Example:
        >>> path = project.settings.root / "words.csv"
        >>> _ = path.write_text("id,txt,likes\\na,good morning,3\\nb,good night,\\n")
        >>> project.import_table(path, "words")
        words: 2 rows read: 2 new
        >>> [(c.name, c.kind, c.missing) for c in project.import_table(path, "words").columns]
        [('txt', 'text', 0), ('likes', 'integer', 1)]
    """
    if on_duplicate not in ON_DUPLICATE:
        raise FrameError(f"on_duplicate {on_duplicate!r} is none; expected {', '.join(ON_DUPLICATE)}")
    sources = _sources(project, files, How(encoding, delimiter, sheet, project.settings.media))
    plan = look(
        sources, id_column=id, number_rows=number_rows, on_duplicate=on_duplicate, types=types,
        show_progress=show_progress,
    )  # fmt: skip
    fit = fitted(project.database, table, plan)
    if on_plan is not None:
        on_plan(plan)
    record = new_record(table, [source.name for source in sources], plan)
    counts = write(project.database, fit, plan, record, show_progress=show_progress)
    return ImportedTable(table, **vars(counts), columns=plan.columns, text=plan.longest)


def _sources(project: Project, files: Files, how: How) -> list[Source]:
    if isinstance(files, pd.DataFrame):
        return [FrameSource(files)]
    given = [files] if isinstance(files, str | Path) else files
    try:
        return open_sources([project.path(path) for path in given], how)
    except (OSError, ValueError) as error:  # a name that is too long, or that no file can have
        raise FrameError(f"{listed(given)} cannot be opened: {one_line(error)}; name a file") from error
