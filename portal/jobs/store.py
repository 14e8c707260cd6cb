"""The jobs of a project: starting, looking and cancelling; and what workers claim and tell."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from portal.jobs.job import Job, NoJobError
from portal.jobs.logs import Log
from portal.jobs.steps import room_of, step_of, task_of
from portal.jobs.table import JOBS, job_of, opened, record
from portal.paths import database_path, folder

LOST_AFTER_S = 60.0
LOST = "its worker went away: killed, or the machine was restarted; run it again"


class JobStore:
    """The jobs of a project, in the table that its pages, its workers and the command line share.

    Attributes:
        folder: where the table and the logs lie.
    """

    def __init__(self, home: Path, wake: Callable[[], None] | None = None) -> None:
        """Name the place; it is made when it is first looked at.

        Args:
            home: the project's home folder.
            wake: called after a job was started, so that somebody does it.
        """
        self.folder, self._wake = folder(home), wake
        self._path = database_path(home)

    def start(
        self, argv: Sequence[str], by: str, task: str = "", *, parent: int | None = None, room: str = ""
    ) -> Job:
        """Put a job into the table; a worker runs it.

        Args:
            argv: the words after `adaptml`; see `steps.order`.
            by: name of the person.
            task: the task that it is about; empty: the one that the words name.
            parent: the job that this one is a step of.
            room: whose worker does it in the stack; empty: the command's own.

        Raises:
            JobError: the words are no command that may be a job.
        """
        step, about = step_of(argv), task or task_of(argv)
        values = (json.dumps([*argv]), room or room_of(argv), about, step.writes, by, parent, time.time())
        with opened(self._path) as db:
            number = db.execute(
                "INSERT INTO jobs (argv, room, task, writes, person, parent, created) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                values,
            ).lastrowid
        if self._wake is not None:
            self._wake()
        return self.get(int(number or 0))

    def get(self, job: int) -> Job:
        """One job.

        Raises:
            NoJobError: there is none of that number.
        """
        self._mark_lost()
        found = self._select("j.id = ?", job)
        if not found:
            raise NoJobError(f"no job {job}; `adaptml jobs` lists those there are")
        return found[0]

    def recent(
        self, n: int = 50, task: str | None = None, state: str | None = None, before: int | None = None
    ) -> list[Job]:
        """The latest jobs, the newest first, without those that are steps of others.

        Args:
            n: how many at most.
            task: only those of a task.
            state: only those in a state.
            before: only those with a lower number.
        """
        self._mark_lost()
        wanted = {"j.task = ?": task or None, "j.state = ?": state or None, "j.id < ?": before}
        given = {text: value for text, value in wanted.items() if value is not None}
        where = " AND ".join(["j.parent IS NULL", *given])
        return self._select(f"{where} ORDER BY j.id DESC LIMIT ?", *given.values(), n)

    def steps(self, job: int) -> list[Job]:
        """The jobs that are steps of a job, in order."""
        return self._select("j.parent = ? ORDER BY j.id", job)

    def unfinished(self, rooms: Sequence[str]) -> bool:
        """Whether any job of some rooms waits or runs."""
        where = f"j.state IN ('waiting', 'running') AND j.room IN ({_marks(rooms)}) LIMIT 1"
        return bool(self._select(where, *rooms))

    def cancel(self, job: int) -> Job:
        """End a job: one that waits is not begun, one that runs is told to end; its steps likewise."""
        with opened(self._path, writing=True) as db:
            db.execute(
                "UPDATE jobs SET state = 'cancelled', ended = ? "
                "WHERE (id = ? OR parent = ?) AND state = 'waiting'",
                (time.time(), job, job),
            )
            db.execute(
                "UPDATE jobs SET cancelling = 1 WHERE (id = ? OR parent = ?) AND state = 'running'",
                (job, job),
            )
        return self.get(job)

    def events(self, job: int, after: int = 0) -> list[dict[str, Any]]:
        """What a job told of itself, steps and MLflow runs, each with its number `n` and its time `at`."""
        with opened(self._path) as db:
            rows = db.execute(
                "SELECT n, at, facts FROM events WHERE job = ? AND n > ? ORDER BY n", (job, after)
            ).fetchall()
        return [{"n": row["n"], "at": row["at"]} | json.loads(row["facts"]) for row in rows]

    def log(self, job: int, after: int = 0) -> tuple[str, int]:
        """What a job printed after a place, and the place behind it; see `Log.read`."""
        cut = self._value(job, "cut")
        return Log(self._path_of_log(job), int(cut or 0)).read(after)

    def end_of_log(self, job: int, most: int) -> tuple[str, int, bool]:
        """What a job printed last.

        Args:
            job: the job.
            most: bytes at most, but for the rest of a line.

        Returns:
            The text, the place behind it, and whether there is more before it.
        """
        log = Log(self._path_of_log(job), int(self._value(job, "cut") or 0))
        start = max(log.size - most, 0)
        text, place = log.read(start)
        return (text.partition("\n")[2] if start else text), place, start > 0

    def answer(self, job: int) -> str:
        """What a step of a job printed for the job: its stdout."""
        return str(self._value(job, "answer") or "")

    # --- what workers call ---

    def claim(self, worker: str, rooms: Sequence[str]) -> Job | None:
        """The next job that may run now, from now on this worker's; None where there is none.

        Args:
            worker: name of the worker, unlike every other's.
            rooms: whose jobs it does.
        """
        self._mark_lost()
        where = f"j.state = 'waiting' AND j.room IN ({_marks(rooms)}) AND waits_for IS NULL"
        chosen = f"{JOBS} WHERE {where} ORDER BY j.id LIMIT 1"
        with opened(self._path) as db:  # without a lock, which every other process would wait for
            if not db.execute(chosen, (*rooms,)).fetchone():
                return None
        now = time.time()
        with opened(self._path, writing=True) as db:
            found = db.execute(chosen, (*rooms,)).fetchone()
            if found is not None:
                db.execute(
                    "UPDATE jobs SET state = 'running', worker = ?, started = ?, heartbeat = ? WHERE id = ?",
                    (worker, now, now, found["id"]),
                )
        return None if found is None else self.get(found["id"])

    def beat(
        self,
        job: int,
        worker: str,
        *,
        pid: int | None = None,
        events: Sequence[Mapping[str, Any]] = (),
        text: str = "",
        place: int = 0,
    ) -> bool:
        """A worker says that a job of its own goes on, and what is new of it.

        Args:
            job: the job.
            worker: who has claimed it.
            pid: of its process.
            events: what it told of itself, see `adaptml.events`.
            text: what it printed.
            place: where that begins, in bytes of all that it printed; what is there already is not added.

        Returns:
            Whether the job is to go on: False where somebody cancelled it, or it is not this worker's.
        """
        with opened(self._path, writing=True) as db:
            found = db.execute(
                "SELECT cut, cancelling FROM jobs "
                "WHERE id = ? AND worker = ? AND state IN ('running', 'lost')",
                (job, worker),
            ).fetchone()
            if found is None:
                return False
            # It is lost where this machine was asleep.
            db.execute(
                "UPDATE jobs SET state = 'running', ended = NULL, error = '', heartbeat = ?, "
                "pid = COALESCE(?, pid) WHERE id = ?",
                (time.time(), pid, job),
            )
            for event in events:
                record(db, job, event)
            log = Log(self._path_of_log(job), found["cut"])
            new = text.encode("utf-8", "backslashreplace")[max(log.size - place, 0) :]
            if new:
                log.add(new)
                db.execute("UPDATE jobs SET cut = ? WHERE id = ?", (log.cut, job))
        return not found["cancelling"]

    def finish(self, job: int, worker: str, state: str, error: str = "", answer: str = "") -> None:
        """A worker says how a job of its own ended; its steps that have not ended are cancelled.

        Args:
            job: the job.
            worker: who has claimed it.
            state: done, failed, cancelled or lost.
            error: why, on one line.
            answer: what it printed on stdout, where it is a step of a job.
        """
        with opened(self._path) as db:
            db.execute(
                "UPDATE jobs SET state = ?, ended = ?, error = ?, answer = ? "
                "WHERE id = ? AND worker = ? AND state IN ('running', 'lost')",
                (state, time.time(), error, answer, job, worker),
            )
        for step in self.steps(job):
            if step.unfinished:
                self.cancel(step.id)

    def running(self, rooms: Sequence[str]) -> list[tuple[Job, str]]:
        """Running jobs of some rooms, each with its worker's name."""
        where = f"{JOBS} WHERE j.state = 'running' AND j.room IN ({_marks(rooms)})"
        with opened(self._path) as db:
            rows = db.execute(where, (*rooms,)).fetchall()
        return [(job_of(row, self._path_of_log(row["id"])), row["worker"]) for row in rows]

    # --- inside ---

    def _mark_lost(self) -> None:
        with opened(self._path) as db:
            found = db.execute(
                "SELECT id, worker FROM jobs WHERE state = 'running' AND heartbeat < ?",
                (time.time() - LOST_AFTER_S,),
            ).fetchall()
        for row in found:
            self.finish(row["id"], row["worker"], "lost", LOST)

    def _select(self, where: str, *values: object) -> list[Job]:
        with opened(self._path) as db:
            rows = db.execute(f"{JOBS} WHERE {where}", values).fetchall()
        return [job_of(row, self._path_of_log(row["id"])) for row in rows]

    def _value(self, job: int, column: str) -> Any:
        with opened(self._path) as db:
            found = db.execute(f"SELECT {column} FROM jobs WHERE id = ?", (job,)).fetchone()  # noqa: S608
        return None if found is None else found[column]

    def _path_of_log(self, job: int) -> Path:
        return self.folder / "logs" / f"{job}.log"


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))
