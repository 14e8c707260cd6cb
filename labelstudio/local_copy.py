"""A local copy of a project's tasks as they were last read, in a file beside the annotations.

It is written page by page, every page in one transaction, so that a step that is killed continues where it
stopped.
"""

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from labelstudio.export import ADJUDICATION, ExportedTask, parse_rows, without_columns

_NOTES = "CREATE TABLE IF NOT EXISTS note (name TEXT PRIMARY KEY, value TEXT)"
_EMPTY = """
DELETE FROM note;
DROP TABLE IF EXISTS task;
CREATE TABLE task (
    id INTEGER PRIMARY KEY, table_name TEXT, ref_id TEXT, purpose TEXT, annotations INTEGER, touched INTEGER,
    content TEXT);
CREATE INDEX task_key ON task (ref_id, table_name);
"""
_READ = [
    *("id", "completed_by", "updated_by", "import_id", "result", "was_cancelled", "ground_truth"),
    *("created_at", "updated_at"),
]
_VERSION = 3  # one more whenever `_READ` or the table changes: a copy of before is read anew
_CHUNK = 500

Json = dict[str, Any]
Key = tuple[str, str]


class LocalCopy:
    """The tasks of one project with their annotations, as they were when they were last read."""

    def __init__(self, path: Path, url: str, project: int) -> None:
        """Open the copy; one of another server or project is emptied.

        Args:
            path: the SQLite file.
            url: the server's address.
            project: the project's id.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, timeout=60)
        self._db.execute(_NOTES)
        of = f"{url} {project} {_VERSION}"
        if self.note("of") != of:
            self._db.executescript(_EMPTY)
            self.keep(of=of)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._db.close()

    def note(self, name: str) -> str | None:
        """A note kept with the tasks, or None."""
        row = self._db.execute("SELECT value FROM note WHERE name = ?", [name]).fetchone()
        return None if row is None else str(row[0])

    def keep(self, **notes: str | int | None) -> None:
        """Write notes; None takes one away."""
        with self._db:
            for name, value in notes.items():
                self._write_note(name, value)

    def _write_note(self, name: str, value: str | int | None) -> None:
        self._db.execute("DELETE FROM note WHERE name = ?", [name])
        if value is not None:
            self._db.execute("INSERT INTO note VALUES (?, ?)", [name, str(value)])

    def put(self, tasks: Iterable[Json], **notes: str | int | None) -> None:
        """Take in tasks as Label Studio exports them, in one transaction with notes."""
        with self._db:
            self._insert(tasks)
            for name, value in notes.items():
                self._write_note(name, value)

    def put_range(self, first: int, last: int, tasks: Iterable[Json], **notes: str | int | None) -> None:
        """Take in all tasks whose ids lie between two bounds; those that no longer exist are forgotten."""
        with self._db:
            self._db.execute("DELETE FROM task WHERE id BETWEEN ? AND ?", [first, last])
            self._insert(tasks)
            for name, value in notes.items():
                self._write_note(name, value)

    def _insert(self, tasks: Iterable[Json]) -> None:
        self._db.executemany("INSERT OR REPLACE INTO task VALUES (?, ?, ?, ?, ?, ?, ?)", map(_row, tasks))

    def forget(self, ids: Sequence[int], *, beyond: int | None = None) -> None:
        """Drop tasks, and those with an id above `beyond`."""
        with self._db:
            self._db.executemany("DELETE FROM task WHERE id = ?", [(task,) for task in ids])
            if beyond is not None:
                self._db.execute("DELETE FROM task WHERE id > ?", [beyond])

    def counts(self) -> tuple[int, int]:
        """How many tasks and annotations, skipped ones included."""
        row = self._db.execute("SELECT count(*), coalesce(sum(annotations), 0) FROM task").fetchone()
        return int(row[0]), int(row[1])

    def find(self, table: str, ids: Sequence[str], purpose: str = "") -> dict[str, int]:
        """Task ids of data points of a table, where they have one for the purpose; the oldest of several."""
        found: dict[str, int] = {}
        for start in range(0, len(ids), _CHUNK):
            part = list(ids[start : start + _CHUNK])
            marks = ",".join("?" * len(part))
            which = f"table_name = ? AND purpose = ? AND ref_id IN ({marks})"
            query = f"SELECT ref_id, min(id) FROM task WHERE {which} GROUP BY ref_id"  # noqa: S608 - only marks
            found.update(self._db.execute(query, [table, purpose, *part]).fetchall())
        return found

    def wordings(self, table: str, ids: Sequence[str]) -> dict[str, list[dict[str, str]]]:
        """Column → hash of what each task of some data points shows; tasks of adjudication apart."""
        found: dict[str, list[dict[str, str]]] = {}
        for start in range(0, len(ids), _CHUNK):
            part = list(ids[start : start + _CHUNK])
            marks = ",".join("?" * len(part))
            which = f"table_name = ? AND purpose <> ? AND ref_id IN ({marks})"
            query = f"SELECT ref_id, content FROM task WHERE {which} ORDER BY id"  # noqa: S608 - only marks
            for key, content in self._db.execute(query, [table, ADJUDICATION, *part]):
                found.setdefault(key, []).append(json.loads(content)["data"]["meta_info"].get("seen", {}))
        return found

    def tasks_of(self, table: str, ids: Sequence[str]) -> list[int]:
        """Ids of all tasks of data points of a table."""
        query = "SELECT id FROM task WHERE table_name = ? AND ref_id = ?"
        return [int(row[0]) for key in ids for row in self._db.execute(query, [table, key])]

    def untouched_duplicates(self) -> list[int]:
        """Untouched tasks of points with another for the purpose: kept is a touched one, or the oldest."""
        query = (
            "SELECT id FROM (SELECT id, touched, row_number() OVER "
            "(PARTITION BY table_name, ref_id, purpose ORDER BY touched > 0 DESC, id) AS place FROM task "
            "WHERE ref_id IS NOT NULL) WHERE place > 1 AND touched = 0"
        )
        return [int(row[0]) for row in self._db.execute(query)]

    def digest(self) -> str:
        """A hash of everything in the copy."""
        digest = hashlib.sha256()
        for (content,) in self._db.execute("SELECT content FROM task ORDER BY id"):
            digest.update(content.encode())
        return digest.hexdigest()

    def tasks(self, source: str) -> Iterator[ExportedTask]:
        """The tasks by id, as an export has them.

        Raises:
            AnnotationError: tasks that `push` did not make.
        """
        rows = self._db.execute("SELECT content FROM task ORDER BY id")
        while chunk := rows.fetchmany(_CHUNK):
            yield from parse_rows([content for (content,) in chunk], source)


def asked_in(path: Path, table: str, ids: Sequence[str]) -> set[str]:
    """Those of some data points that have a task of annotation in a copy, whatever project it is of."""
    found: set[str] = set()
    with closing(sqlite3.connect(path, timeout=60)) as db:
        if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'task'").fetchone():
            return found
        for start in range(0, len(ids), _CHUNK):
            part = list(ids[start : start + _CHUNK])
            marks = ",".join("?" * len(part))
            query = f"SELECT DISTINCT ref_id FROM task WHERE table_name = ? AND ref_id IN ({marks})"  # noqa: S608 - only marks
            found.update(key for (key,) in db.execute(query, [table, *part]))
    return found


def _row(task: Json) -> tuple[int, str | None, str | None, str, int, int, str]:
    data = task.get("data") or {}
    meta, ref_id = data.get("meta_info"), data.get("ref_id")
    meta = meta if isinstance(meta, dict) else {}
    table_name = meta.get("table_name")
    annotations = task.get("annotations", [])
    drafts = [{"id": draft.get("id")} for draft in task.get("drafts", []) if isinstance(draft, dict)]
    content = {
        "id": task["id"],
        "data": without_columns(data),
        "annotations": [{name: a[name] for name in _READ if name in a} for a in annotations],
        "drafts": drafts,
    }
    return (
        int(task["id"]),
        None if table_name is None else _whole(str(table_name)),
        None if ref_id is None else _whole(str(ref_id)),
        _whole(str(meta.get("purpose") or "")),
        len(annotations),
        len(annotations) + len(drafts),
        _whole(json.dumps(content, ensure_ascii=False, sort_keys=True)),
    )


def _whole(text: str) -> str:
    """The text with `?` for half a surrogate pair, which JSON can hold and no database takes."""
    return text.encode("utf-8", "replace").decode()
