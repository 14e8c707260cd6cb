"""The SQLite file of the jobs: for several processes at once, each use one short transaction."""

import json
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from portal.jobs.job import Job, Progress

BUSY_S, RETRY_S = 30.0, 0.05
_TABLES = """
PRAGMA journal_mode = WAL;
CREATE TABLE IF NOT EXISTS jobs (
    id INTEGER PRIMARY KEY AUTOINCREMENT, argv TEXT NOT NULL, room TEXT NOT NULL, task TEXT NOT NULL,
    writes INTEGER NOT NULL, person TEXT NOT NULL, parent INTEGER, state TEXT NOT NULL DEFAULT 'waiting',
    cancelling INTEGER NOT NULL DEFAULT 0, created REAL NOT NULL, started REAL, ended REAL, worker TEXT,
    pid INTEGER, heartbeat REAL, progress TEXT, run_id TEXT NOT NULL DEFAULT '',
    experiment_id TEXT NOT NULL DEFAULT '', error TEXT NOT NULL DEFAULT '', answer TEXT NOT NULL DEFAULT '',
    cut INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS jobs_by_state ON jobs (state, room);
CREATE TABLE IF NOT EXISTS events (
    job INTEGER NOT NULL, n INTEGER NOT NULL, at REAL NOT NULL, facts TEXT NOT NULL, PRIMARY KEY (job, n)
);
"""
# Jobs of one task that write wait for each other, in the order in which they were started; a step of a job is
# the job's own affair.
JOBS = """
SELECT j.*, (SELECT MAX(b.id) FROM jobs b WHERE b.id < j.id AND b.state IN ('waiting', 'running')
             AND b.task = j.task AND b.writes AND j.writes AND j.task <> '' AND b.parent IS NULL
             AND j.parent IS NULL AND j.state = 'waiting') AS waits_for
FROM jobs j
"""


@contextmanager
def opened(path: Path, *, writing: bool = False) -> Iterator[sqlite3.Connection]:
    """The file in one transaction; it is made, for its owner alone, where it is not there.

    Args:
        path: the file.
        writing: take the lock at once, so that what is read stays true until the end.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(mode=0o600)
    db = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None)
    db.row_factory = sqlite3.Row
    try:
        _make(db)
        db.execute("BEGIN IMMEDIATE" if writing else "BEGIN")
        yield db
        db.execute("COMMIT")
    finally:
        db.close()


def _make(db: sqlite3.Connection) -> None:
    """Make the tables where they are not there; changing the kind of journal, SQLite waits for nobody."""
    until = time.monotonic() + BUSY_S
    while not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'events'").fetchone():
        try:
            db.executescript(_TABLES)
        except sqlite3.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(RETRY_S)


def job_of(row: sqlite3.Row, log: Path) -> Job:
    """A row of `JOBS`."""
    values = dict(row)
    progress = json.loads(values["progress"]) if values["progress"] else None
    times: dict[str, Any] = {name: _when(values[name]) for name in ("started", "ended", "heartbeat")}
    same = ("id", "room", "task", "parent", "state", "pid", "run_id", "experiment_id", "error", "waits_for")
    return Job(
        **{name: values[name] for name in same},
        **times,
        argv=tuple(json.loads(values["argv"])),
        by=values["person"],
        created=datetime.fromtimestamp(values["created"], UTC),
        progress=Progress(**progress) if progress else None,
        cancelling=bool(values["cancelling"]),
        log=log,
    )


def _when(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def record(db: sqlite3.Connection, job: int, event: Mapping[str, Any]) -> None:
    """Keep one event of a job: of progress only the last, the rest in order."""
    kind = event.get("kind")
    if kind == "progress":
        _set_progress(db, job, event)
        return
    db.execute(
        "INSERT INTO events SELECT ?, COALESCE(MAX(n), 0) + 1, ?, ? FROM events WHERE job = ?",
        (job, time.time(), json.dumps(dict(event)), job),
    )
    if event.get("run_id"):
        db.execute(
            "UPDATE jobs SET run_id = ?, experiment_id = COALESCE(?, experiment_id) WHERE id = ?",
            (str(event["run_id"]), event.get("experiment_id"), job),
        )
    if kind == "step" and event.get("state") == "started":
        _set_progress(db, job, {"text": event.get("step", "")})


def _set_progress(db: sqlite3.Connection, job: int, event: Mapping[str, Any]) -> None:
    facts = {name: event[name] for name in ("text", "done", "total", "unit") if event.get(name) is not None}
    db.execute("UPDATE jobs SET progress = ? WHERE id = ?", (json.dumps(facts), job))
