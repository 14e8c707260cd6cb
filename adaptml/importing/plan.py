"""The first reading: what a table would be like, found out on all rows, before anything is written."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import rich.table

from adaptml.errors import FrameError, listed
from adaptml.importing.chunks import Chunk, Source
from adaptml.importing.ids import NUMBER, REFUSE, Ids
from adaptml.importing.kinds import KINDS, TEXT, shortened
from adaptml.importing.names import column_names
from adaptml.importing.watch import Watch
from adaptml.progress import progress


@dataclass(frozen=True)
class ImportedColumn:
    """A column of a table that is made from a file.

    Attributes:
        name: in the table.
        source: in the file.
        kind: `text`, `integer`, `number`, `boolean` (kept as 1 and 0), `list` (of text) or `vector`.
        missing: rows without a value; they get NULL.
        example: the first value, shortened.

    Example:
        >>> frame = pd.DataFrame({"id": ["a", "b"], "user.name": ["Ann", None]})
        >>> project.import_table(frame, "people").columns[0]
        ImportedColumn(name='user_name', source='user.name', kind='text', missing=1, example='Ann')
    """

    name: str
    source: str
    kind: str
    missing: int
    example: str


@dataclass(frozen=True)
class Plan:
    """What the files hold, and what a table of them would be like.

    Attributes:
        sources: the files.
        rows: how many there are.
        ids: where their ids come from.
        columns: every column but the id.
        example_id: the first row's.
        longest: the text column with the longest texts, by the first rows.
        on_duplicate: what becomes of rows with an id that an earlier row has.
        watches: source column → what its values are like.
    """

    sources: Sequence[Source]
    rows: int
    ids: Ids
    columns: tuple[ImportedColumn, ...]
    example_id: str
    longest: str | None
    on_duplicate: str
    watches: Mapping[str, Watch]

    @property
    def made(self) -> bool:
        """Whether an id says at which place, or with which values, its row stood in the files."""
        return self.ids.column is None or (self.on_duplicate == NUMBER and bool(self.ids.repeated))

    def chunks(self) -> Iterator[tuple[int, Chunk]]:
        """All rows again, each chunk with the number of its first row."""
        return numbered(self.sources)

    def __rich__(self) -> rich.table.Table:
        """What is shown before anything is written."""
        shown = rich.table.Table("column", "type", "missing", "first value", box=None, pad_edge=False)
        shown.columns[2].justify = "right"
        made = "" if self.ids.column == "id" else f"   (from {self.ids.source})"
        shown.add_row("id", TEXT, "0", f"{self.example_id}{made}")
        for column in self.columns:
            renamed = f"   (from {column.source!r})" if column.source != column.name else ""
            shown.add_row(column.name, column.kind, f"{column.missing:,}", f"{column.example}{renamed}")
        return shown


def numbered(sources: Sequence[Source]) -> Iterator[tuple[int, Chunk]]:
    """The chunks of all sources after each other, with the number of each one's first row, from 1."""
    row = 1
    for source in sources:
        for chunk in source.chunks():
            yield row, chunk
            row += chunk.rows


def look(
    sources: Sequence[Source],
    *,
    id_column: str | None = None,
    number_rows: bool = False,
    on_duplicate: str = REFUSE,
    types: Mapping[str, str] | None = None,
    show_progress: bool = False,
) -> Plan:
    """Read all rows once.

    Args:
        sources: of the same columns.
        id_column: the column that holds the ids; default: the one that is called id, in any case.
        number_rows: the ids are the rows' numbers; without it, and without a column, a hash of each row.
        on_duplicate: `refuse`, `keep-first` or `number`, see `Ids.count`.
        types: column → kind, in place of what is found out.
        show_progress: a progress bar on stderr.

    Raises:
        FrameError: files that cannot be read or have no rows or other columns, a column that is not there or
            not of the kind that is asked for, ids that are missing, rounded or repeated.
    """
    _check_columns(sources)
    watches: dict[str, Watch] = {}
    ids: Ids | None = None
    rows = 0
    with progress("reading", None, shown=show_progress) as advance:
        for source in sources:
            for chunk in source.chunks():
                ids = ids or _ids(chunk, id_column, number_rows=number_rows)
                _see(chunk, watches, rows, source)
                ids.see(chunk, rows + 1)
                rows += chunk.rows
                advance(chunk.rows)
    if ids is None:
        raise FrameError(f"{listed([s.name for s in sources])} holds no rows; expected at least one")
    ids.check()
    candidates = ids.candidates()
    if candidates:
        ids.count(numbered(sources), candidates, on_duplicate)
    columns, longest = _columns(watches, ids, types or {})
    example_id = next(_ids_of(sources, ids))
    return Plan(sources, rows, ids, columns, example_id, longest, on_duplicate, watches)


def _check_columns(sources: Sequence[Source]) -> None:
    """Refuse files of different columns; their order does not matter."""
    fixed = [(source.name, source.columns) for source in sources if source.columns is not None]
    for name, columns in fixed[1:]:
        first, expected = fixed[0]
        if set(columns) != set(expected):
            raise FrameError(
                f"{name} has the columns {listed(columns, 20)}, and {first} {listed(expected, 20)}; expected "
                "the same columns in each: import one after the other, which adds columns to the same ids"
            )


def _ids_of(sources: Sequence[Source], ids: Ids) -> Iterator[str]:
    for row, chunk in numbered(sources):
        for value in ids.of(chunk, row, Counter(), REFUSE):
            yield shortened(value)


def _ids(chunk: Chunk, column: str | None, *, number_rows: bool) -> Ids:
    """Where ids come from, as the columns of the first rows say."""
    names = list(chunk.columns)
    if column is not None:
        if number_rows:
            raise FrameError(f"ids are either those of column {column!r} or row numbers; name one of both")
        if column not in names:
            raise FrameError(f"no column {column!r} for the ids; the columns are {listed(names, 20)}")
        return Ids(column)
    named = "id" if "id" in names else next((name for name in names if name.lower() == "id"), None)
    return Ids(None if number_rows else named, numbered=number_rows)


def _see(chunk: Chunk, watches: dict[str, Watch], before: int, source: Source) -> None:
    """Let every column's watch see its values; a column that begins late was missing before."""
    for name, values in chunk.columns.items():
        watch = watches.get(name)
        if watch is None:
            watch = watches[name] = Watch(name)
            watch.skip(before)
        watch.see(values, before + 1, typed=source.typed)
    for name in watches.keys() - chunk.columns.keys():
        watches[name].skip(chunk.rows)


def _columns(
    watches: Mapping[str, Watch], ids: Ids, types: Mapping[str, str]
) -> tuple[tuple[ImportedColumn, ...], str | None]:
    payload = [name for name in watches if name != ids.column]
    names = column_names(payload)
    _check_types(types, names)
    columns = []
    for source, name in names.items():
        watch = watches[source]
        kind = types.get(source, types.get(name, watch.kind))
        misfit = watch.misfit(kind)
        if misfit:
            raise FrameError(
                f"column {source!r} cannot be {kind}: {misfit}; correct it there, or take it as {watch.kind}"
            )
        columns.append(ImportedColumn(name, source, kind, watch.missing(kind), watch.example.strip()))
    texts = [column for column in columns if column.kind == TEXT and watches[column.source].chars]
    longest = max(texts, key=lambda column: watches[column.source].chars, default=None)
    return tuple(columns), longest.name if longest else None


def _check_types(types: Mapping[str, str], names: Mapping[str, str]) -> None:
    for column, kind in types.items():
        if kind not in KINDS:
            raise FrameError(f"type {kind!r} of column {column!r} is none; expected {', '.join(KINDS)}")
        if column not in names and column not in names.values():
            raise FrameError(f"no column {column!r} to be {kind}; the columns are {listed(list(names), 20)}")
