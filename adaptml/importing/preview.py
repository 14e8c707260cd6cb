"""What an import would make of a file, by its first rows; nothing is written."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from adaptml.errors import DatabaseError, DatabaseUnavailableError, FrameError, one_line
from adaptml.importing.chunks import Chunk, Source
from adaptml.importing.files import How, open_sources
from adaptml.importing.fit import fitted
from adaptml.importing.ids import REFUSE
from adaptml.importing.kinds import shortened
from adaptml.importing.plan import ImportedColumn, Plan, look
from adaptml.project import Project

MOST_ROWS = 20_000  # read in a second or so
SHOWN_ROWS = 5


@dataclass(frozen=True)
class ImportPreview:
    """What an import would make of a file.

    Attributes:
        said: what was found out about the file, such as `CSV, UTF-8, comma`.
        rows: how many were read.
        whole: whether that is all of them; types and ids are found out on all of them when it is imported.
        columns: the file's columns, by their names in the file.
        ids: where ids come from, such as `column id` or `a hash of the row`.
        example_id: the first row's.
        planned: every column but the id, as the table would have it.
        first_rows: the first rows, each value shortened, in the order of `planned`.
        longest: the text column with the longest texts; None where there is no text.
        exists: whether the table is there already, so that new and changed rows would be written to it.
        added: columns that it would get.
        problem: why an import so would be refused, in one line; empty where it would not. Where it is about
            ids or types, the rows are shown with their numbers as ids.

    Example:
        >>> path = project.settings.root / "notes.csv"
        >>> _ = path.write_text("id,note\\na,good morning\\nb,good night\\n")
        >>> found = preview_import(project, path, "notes")
        >>> found.rows, found.whole, found.first_rows
        (2, True, (('good morning',), ('good night',)))
    """

    said: str
    rows: int
    whole: bool
    columns: tuple[str, ...]
    ids: str
    example_id: str
    planned: tuple[ImportedColumn, ...]
    first_rows: tuple[tuple[str, ...], ...]
    longest: str | None
    exists: bool
    added: tuple[str, ...]
    problem: str = ""


def preview_import(
    project: Project,
    file: str | Path,
    table: str = "",
    *,
    id: str | None = None,  # noqa: A002 - as `import_table`
    number_rows: bool = False,
    on_duplicate: str = REFUSE,
    types: Mapping[str, str] | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
    sheet: str | None = None,
    most_rows: int = MOST_ROWS,
) -> ImportPreview:
    """Look at the first rows of a file as `import_table` would at all of them.

    Args:
        project: holds the database.
        file: path of a file.
        table: name of the table; empty where there is none yet, and then it is not looked at.
        id, number_rows, on_duplicate, types, encoding, delimiter, sheet: as `import_table` has them.
        most_rows: rows that are read, at most.

    Raises:
        FrameError: a file that cannot be read at all. What else is wrong is the preview's `problem`.
        DatabaseError: the database does not answer.
    """
    try:
        (source,) = open_sources([Path(file)], How(encoding, delimiter, sheet, project.settings.media))
    except (OSError, ValueError) as error:
        raise FrameError(f"{file} cannot be opened: {one_line(error)}; name a file") from error
    head = Head(source, most_rows)
    problem, fit = "", None
    try:
        plan = look([head], id_column=id, number_rows=number_rows, on_duplicate=on_duplicate, types=types)
    except FrameError as error:
        problem, plan = str(error), look([head], number_rows=True)
    try:
        fit = fitted(project.database, table, plan) if table and not problem else None
    except DatabaseUnavailableError:
        raise
    except DatabaseError as error:
        problem = str(error)
    return ImportPreview(
        said=source.said,
        rows=plan.rows,
        whole=not head.cut,
        columns=tuple(head.seen),
        ids=plan.ids.source,
        example_id=plan.example_id,
        planned=plan.columns,
        first_rows=_first_rows(plan),
        longest=plan.longest,
        exists=fit is not None and fit.exists,
        added=tuple(fit.added) if fit is not None and fit.exists else (),
        problem=problem,
    )


class Head:
    """The first rows of a source.

    Attributes:
        cut: whether there are more; known once they were read.
        seen: names of the columns that they have.
    """

    def __init__(self, source: Source, most_rows: int) -> None:
        """Read nothing yet.

        Args:
            source: what rows are read from.
            most_rows: how many are read, at most.
        """
        self._source, self._most_rows = source, most_rows
        self.name, self.said, self.typed = source.name, source.said, source.typed
        self.columns = source.columns
        self.cut = False
        self.seen: dict[str, None] = {}

    def chunks(self) -> Iterator[Chunk]:
        """The first rows."""
        left = self._most_rows
        for chunk in self._source.chunks():
            self.seen |= dict.fromkeys(chunk.columns)
            if chunk.rows > left:
                self.cut = True
                if left:
                    yield Chunk(left, {name: values[:left] for name, values in chunk.columns.items()})
                return
            left -= chunk.rows
            yield chunk


def _first_rows(plan: Plan) -> tuple[tuple[str, ...], ...]:
    rows: list[tuple[str, ...]] = []
    for _, chunk in plan.chunks():
        cells: list[Sequence[object]] = [
            chunk.columns.get(column.source, [None] * chunk.rows) for column in plan.columns
        ]
        some = islice(range(chunk.rows), SHOWN_ROWS - len(rows))
        rows += [tuple("" if cell[i] is None else shortened(cell[i]) for cell in cells) for i in some]
        if len(rows) == SHOWN_ROWS:
            break
    return tuple(rows)
