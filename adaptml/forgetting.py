"""Removing data points from everything that steps keep of them on this machine and in the databases."""

import json
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa

from adaptml.database import Database, cratedb
from adaptml.database.keys import to_column
from adaptml.database.rows import CHUNK_ROWS
from adaptml.database.staging import STAGED, drop_stage
from adaptml.errors import FileError
from adaptml.features.versions import forget_features
from adaptml.files import replacing
from adaptml.frames import KEYS
from adaptml.importing.record import read_records
from adaptml.project import Project

# tables `<task>_<one of these>`
RESULTS = ("annotations", "gold", "gold_decisions", "gold_of_before", "labels", "predictions", "votes")


def forget_in_databases(project: Project, table: str, ids: Sequence[str]) -> dict[str, int]:
    """Remove points from the tables that steps made; returns table → rows removed, where there were any.

    The data table itself is among them where `import` made it.

    Raises:
        DatabaseError: a database refuses; the same call again does the rest.
    """
    removed = {"features": forget_features(project, table, list(ids))}
    here = set(project.results.tables())
    for name in (f"{task}_{kind}" for task in project.task_names() for kind in RESULTS):
        if name in here:
            removed[name] = _delete(project.results, name, ids, table)
    for name in (name for name in here if name.startswith(STAGED)):
        removed[name] = project.results.count(name)
        drop_stage(project.results, name)  # a prediction that is under way begins anew
    if table in read_records(project.database) and project.database.has_table(table):
        removed[table] = _delete(project.database, table, ids)
    return {name: n for name, n in removed.items() if n}


def _delete(database: Database, name: str, ids: Sequence[str], of_table: str | None = None) -> int:
    """Delete rows by id, in one transaction; in a table of results those of one data table."""
    target, n = database.found_table(name, ["id"] if of_table is None else KEYS), 0
    keys = to_column(ids, target.c.id.type, database.engine.dialect.name)
    with database.translated(), database.engine.begin() as connection:
        for start in range(0, len(keys), CHUNK_ROWS):
            chosen = cratedb.among(connection, target.c.id, keys[start : start + CHUNK_ROWS])
            if of_table is not None:
                chosen = sa.and_(chosen, target.c.table_name == of_table)
            n += connection.execute(sa.delete(target).where(chosen)).rowcount
        cratedb.refresh(connection, target)
    return n


def forget_in_files(project: Project, table: str, ids: Sequence[str]) -> dict[str, int]:
    """Remove points from the files in the home folder; returns kind of file → how many were changed.

    Frames (Parquet) and files of Label Studio tasks lose the rows. Pages with an id of them are removed, and
    so are votes and the page's samples, which are made again.

    Raises:
        FileError: a file that cannot be read or written; the same call again does the rest.
    """
    home, asked = project.settings.home, frozenset(ids)
    done = {
        "frames": _changed(home.rglob("*.parquet"), lambda path: _forget_in_frame(path, table, asked)),
        "task files": _changed(
            (home / "annotations").rglob("*.json"), lambda path: _forget_in_tasks(path, table, asked)
        ),
        "pages": _changed(home.rglob("*.html"), lambda path: _remove_page(path, table, asked)),
    }
    kept = [folder for folder in home.glob(f"votes/*/{quote(table, safe='')}") if folder.is_dir()]
    for folder in kept:
        shutil.rmtree(folder)
    done["votes"] = len(kept)
    done["unfinished predictions"] = _removed(
        path.parent for path in home.glob("predictions/.*.unfinished/staged.json")
    )
    done["samples"] = _removed(home.glob(f"workbench/*/sample-{quote(table, safe='')}.json"))
    return {kind: n for kind, n in done.items() if n}


def forget_uploads(project: Project) -> dict[str, int]:
    """Remove the files that were uploaded to the page: copies of rows, which a table holds by now."""
    n = _removed(project.settings.uploads.glob("*"))
    return {"uploads": n} if n else {}


def _removed(paths: Iterable[Path]) -> int:
    found = list(paths)
    for path in found:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    return len(found)


def _changed(paths: Iterable[Path], change: Callable[[Path], bool]) -> int:
    return sum(change(path) for path in sorted(paths) if path.is_file())


def _forget_in_frame(path: Path, table: str, ids: frozenset[str]) -> bool:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        if not {*KEYS} <= set(pq.read_schema(path).names):
            return False
        frame = pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise FileError(f"{path} cannot be read ({error}); remove it, then run this again") from error
    keys = zip(*(frame.column(key).to_pylist() for key in KEYS), strict=True)
    kept = [not (of == table and str(key) in ids) for of, key in keys]
    if all(kept):
        return False
    with replacing(path) as temporary:
        pq.write_table(frame.filter(pa.array(kept, pa.bool_())), temporary)
    return True


def _forget_in_tasks(path: Path, table: str, ids: frozenset[str]) -> bool:
    try:
        tasks = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:  # no file of ours
        return False
    if not isinstance(tasks, list):
        return False
    kept = [task for task in tasks if not _is_of(task, table, ids)]
    if len(kept) == len(tasks):
        return False
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(kept, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return True


def _is_of(task: Any, table: str, ids: frozenset[str]) -> bool:
    data = task.get("data") if isinstance(task, dict) else None
    if not isinstance(data, dict) or not isinstance(data.get("meta_info"), dict):
        return False
    return data["meta_info"].get("table_name") == table and str(data.get("ref_id")) in ids


def _remove_page(path: Path, table: str, ids: frozenset[str]) -> bool:
    text = path.read_text(encoding="utf-8", errors="replace")
    if not any(_words(text, {table})) or not any(_words(text, ids)):
        return False
    path.unlink()
    return True


def _words(text: str, names: AbstractSet[str]) -> Iterator[str]:
    """What in a page can be one of the names: as a word of its own."""
    alternatives = "|".join(sorted(map(re.escape, names), key=len, reverse=True))
    return (found.group() for found in re.finditer(rf"(?<!\w)(?:{alternatives})(?!\w)", text))
