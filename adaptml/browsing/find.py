"""The step `find`: all rows of a table that meet conditions, kept, so that a page can list them at once."""

import hashlib
import json
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from adaptml.browsing.conditions import Condition, parse
from adaptml.browsing.counts import count_found
from adaptml.browsing.facts import Batch
from adaptml.browsing.known import facts_asked
from adaptml.browsing.paging import checked
from adaptml.browsing.search import Query, every_page
from adaptml.files import replacing, write_text
from adaptml.frames import KEYS
from adaptml.progress import progress
from adaptml.project import Project

FOLDER = "workbench/_found"
CHUNK_ROWS = 20_000


@dataclass(frozen=True)
class FoundRows:
    """The rows of a table that met conditions when it was searched.

    Attributes:
        table: the data table.
        conditions: those that were asked for; none counts the rows.
        rows: how many there are.
        at: when the search began (UTC).
        path: a frame of their keys, `table_name` and `id`, which every step takes as its data; None where the
            rows were only counted.

    Example:
        >>> project.find("comments").rows
        24
    """

    table: str
    conditions: tuple[Condition, ...]
    rows: int
    at: datetime
    path: Path | None


def find(
    project: Project,
    table: str,
    conditions: Sequence[str | Condition] = (),
    *,
    task: str | None = None,
    show_progress: bool = False,
) -> FoundRows:
    """Read a whole table for the rows that meet all conditions.

    Their keys lie in `unlabeled_data/found/` of the home folder, for the page, and for other steps, which
    take the file as their data. Without conditions the rows are counted.

    Args:
        project: holds the table.
        table: a data table.
        conditions: such as `text contains free`, `likes >= 3`, `@label is spam`; what begins with @ is asked
            of what a task knows: `@label`, `@prob:CLASS`, `@prediction`, `@predicted:CLASS`, `@gold`.
        task: whose labels, predictions and gold.
        show_progress: draw a progress bar.

    Raises:
        UnknownTableError, UnknownColumnError: no such table or column.
        FrameError: a condition that cannot be asked.
        DatabaseError: the database refuses.
        FileError: the keys cannot be written.

    Example:
        >>> found = project.find("comments", ["text contains subscribe"])
        >>> found.rows, pd.read_parquet(found.path)["id"].tolist()
        (4, ['s0', 's3', 's6', 's9'])
    """
    columns = [column.name for column in project.database.data_table(table, fresh=True).columns]
    asked = tuple(c if isinstance(c, Condition) else parse(c, columns) for c in conditions)
    own, facts = checked(project.database, table, asked), facts_asked(project, task, table, asked)
    at, path = datetime.now(UTC), found_path(project, table, asked, task)
    if asked:
        with progress("searching", None, shown=show_progress, unit="rows found") as advance:
            rows = _write(Query(project.database, table, own, facts, columns=[]), table, path, advance)
    else:
        rows = count_found(project.database, table, [])
    said = {"table": table, "conditions": [str(c) for c in asked], "rows": rows, "at": at.isoformat()}
    write_text(json.dumps(said, ensure_ascii=False), path.with_suffix(".json"))
    return FoundRows(table, asked, rows, at, path if asked else None)


def found_path(project: Project, table: str, conditions: Sequence[Condition], task: str | None) -> Path:
    """Where the keys of a search lie, if it was made."""
    asked = sorted([c.column, c.op, c.value] for c in conditions)
    of_task = task if any(c.is_fact for c in conditions) else None
    digest = hashlib.blake2b(json.dumps([table, asked, of_task]).encode(), digest_size=10).hexdigest()
    return project.settings.unlabeled_data / FOLDER / f"{digest}.parquet"


def found_before(
    project: Project, table: str, conditions: Sequence[Condition], task: str | None = None
) -> FoundRows | None:
    """What an earlier search for the same found; None where there was none."""
    path = found_path(project, table, conditions, task)
    try:
        said = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if conditions and not path.is_file():
        return None
    at = datetime.fromisoformat(said["at"])
    return FoundRows(table, tuple(conditions), said["rows"], at, path if conditions else None)


@dataclass(frozen=True)
class KeptIds:
    """The rows of an earlier search as `Facts`, read from its file some thousand at a time.

    Attributes:
        path: the frame of their keys.
    """

    path: Path
    lists: bool = True

    def batch(self, after: str | None, n: int) -> Batch:
        """See `Facts`; in the order in which they were found."""
        ids: list[str] = []
        waiting = after
        for group in self._groups(waiting):
            place = -1 if waiting is None else pc.index(group, waiting).as_py()
            if waiting is not None and place < 0:
                continue
            ids += group[place + 1 :].to_pylist()
            waiting = None
            if len(ids) > n:
                return Batch(ids[:n], ids[n - 1])
        if waiting is not None:  # searched anew meanwhile, and not found any more: from the first
            return self.batch(None, n)
        return Batch(ids, None)

    def holds(self, ids: Sequence[str]) -> Collection[str]:
        """See `Facts`."""
        asked = pa.array(list(ids), pa.large_string())
        return {key for group in self._groups() for key in asked.filter(pc.is_in(asked, group)).to_pylist()}

    def _groups(self, begin: str | None = None) -> Iterator[pa.LargeStringArray]:
        """The ids, a part of the file at a time, from the first part on that may hold one."""
        with pq.ParquetFile(self.path) as file:
            for number in range(file.num_row_groups):
                known = file.metadata.row_group(number).column(1).statistics
                if begin is None or known is None or known.min <= begin <= known.max:
                    begin = None
                    table = file.read_row_group(number, columns=["id"])
                    yield table.column("id").combine_chunks().cast(pa.large_string())


def _write(query: Query, table: str, path: Path, advance: Callable[[int], None]) -> int:
    """Write the keys chunk by chunk; returns how many there are."""
    rows = 0
    schema = pa.schema([(name, pa.large_string()) for name in KEYS])
    with replacing(path) as temporary, pq.ParquetWriter(temporary, schema) as file:
        for page in every_page(query, CHUNK_ROWS):
            arrays = [
                pa.array([table] * len(page.ids), pa.large_string()),
                pa.array(page.ids, pa.large_string()),
            ]
            file.write_table(pa.Table.from_arrays(arrays, schema=schema))
            rows += len(page.ids)
            advance(len(page.ids))
    return rows
