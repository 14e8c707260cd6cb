"""A home folder that was moved or copied: the addresses in its own MLflow store follow it.

MLflow notes of each experiment, run and model where its files lie, as a whole path.
"""

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from mlflow.entities import Run

from adaptml.errors import one_line
from adaptml.runs.models import on_this_machine

ARTIFACTS = "mlruns"  # in the home folder
_PATIENCE_S = 10.0
_log = logging.getLogger(__name__)
_OF_FILES = (  # table and column that say where files lie that are there
    ("runs", "artifact_uri"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
    ("logged_models", "artifact_location"),
)


def follow_home(file: Path, home: Path, opened_run: str = "") -> None:
    """Let the addresses in a store begin in the home folder, in one transaction.

    Files that lie here and were made in another home are found here. New files are written here too, where
    the place for them is not there, or is another home's. Nothing of another home is touched. A store that is
    no home folder's own, so that it would not be moved with one, is left as it is.

    Args:
        file: MLflow's SQLite file, with the tables of the installed version.
        home: the home folder.
        opened_run: a run that somebody opened for a step, as `mlflow run` does: it has no files yet.
    """
    if not (file.is_relative_to(home) or home.is_relative_to(file.parent)):
        return
    try:
        before = _follow(file, home, opened_run)
    except sqlite3.Error as error:
        fix = "see that this user may write there"
        _log.warning("%s does not follow the home folder %s: %s; %s", file, home, one_line(error), fix)
        return
    if before is not None:
        _log.warning("the home folder %s was %s: its runs are now found here", home, before)


def warn_of_another_place(run: Run, home: Path) -> None:
    """Say that the files of a run are written outside the home folder, where its experiment has them."""
    place = on_this_machine(str(run.info.artifact_uri))
    if place is not None and not place.is_relative_to(home):
        fix = f"use another experiment to have them in {home}"
        _log.warning("files of run %s lie outside the home folder, in %s: %s", run.info.run_id, place, fix)


def _follow(file: Path, home: Path, opened_run: str) -> Path | None:
    """As `follow_home`; returns the home folder of before, if this one was moved or copied."""
    with closing(sqlite3.connect(file, timeout=_PATIENCE_S, isolation_level=None)) as db:
        elsewhere = [*_OF_FILES, ("experiments", "artifact_location")]
        if not any(True for table, column in elsewhere for _ in _elsewhere(db, table, column, home)):
            return None
        db.execute("BEGIN IMMEDIATE")  # what is read from here on is so until it is written
        before = None
        for table, column in _OF_FILES:
            for row, old, new in _elsewhere(db, table, column, home):
                if _is_another(old, new):
                    _write(db, table, column, row, new)
                    before = _home_of(old)
        _take_opened(db, home, opened_run)
        for row, old, new in _elsewhere(db, "experiments", "artifact_location", home):
            if not _is_there(old) or _has_runs_in(db, row, home):
                _write(db, "experiments", "artifact_location", row, new)
        if before is not None:
            _follow_parameters(db, before, home)
        db.execute("COMMIT")
    return before


def _elsewhere(
    db: sqlite3.Connection, table: str, column: str, home: Path
) -> Iterator[tuple[int, Path, Path]]:
    """Places below another folder `mlruns` of this machine: row, place, and the same place in this home."""
    ours = (home / ARTIFACTS).as_uri()
    found = db.execute(
        f"SELECT rowid, {column} FROM {table} WHERE substr({column}, 1, ?) <> ?",  # noqa: S608 - our own names
        (len(ours), ours),
    ).fetchall()
    for row, address in found:
        place = on_this_machine(address)
        if place is not None and ARTIFACTS in place.parts and not place.is_relative_to(home / ARTIFACTS):
            yield row, place, home / ARTIFACTS / place.relative_to(_home_of(place) / ARTIFACTS)


def _home_of(place: Path) -> Path:
    """The folder that holds the last folder `mlruns` of a path."""
    return next(folder.parent for folder in (place, *place.parents) if folder.name == ARTIFACTS)


def _is_another(old: Path, new: Path) -> bool:
    """Whether there are files in the new place, and not because both places are one."""
    return new.exists() and not (_is_there(old) and old.samefile(new))


def _is_there(place: Path) -> bool:
    """Whether there is such a place for us: not in a folder that only another user may enter."""
    try:
        return place.exists()
    except PermissionError:
        return False


def _take_opened(db: sqlite3.Connection, home: Path, run_id: str) -> None:
    for row, old, new in _elsewhere(db, "runs", "artifact_uri", home):
        (found,) = db.execute("SELECT run_uuid FROM runs WHERE rowid = ?", (row,)).fetchone()
        if found == run_id and not _is_there(old):
            _write(db, "runs", "artifact_uri", row, new)


def _has_runs_in(db: sqlite3.Connection, experiment: int, home: Path) -> bool:
    ours = (home / ARTIFACTS).as_uri()
    query = "SELECT 1 FROM runs WHERE experiment_id = ? AND substr(artifact_uri, 1, ?) = ? LIMIT 1"
    return db.execute(query, (experiment, len(ours), ours)).fetchone() is not None


def _write(db: sqlite3.Connection, table: str, column: str, row: int, place: Path) -> None:
    db.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (place.as_uri(), row))  # noqa: S608


def _follow_parameters(db: sqlite3.Connection, before: Path, home: Path) -> None:
    """Files that a run was given, such as its training data, are found here too."""
    old = f"{before}/"
    rows = db.execute(
        "SELECT rowid, value FROM params WHERE substr(value, 1, ?) = ?", (len(old), old)
    ).fetchall()
    for row, value in rows:
        new = home / value.removeprefix(old)
        if new.exists():
            db.execute("UPDATE params SET value = ? WHERE rowid = ?", (str(new), row))
