"""What is known of a job."""

import shlex
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from portal.jobs.steps import JobError, NoJobError, command_of

__all__ = ["Job", "JobError", "NoJobError", "Progress", "State", "Work"]

State = Literal["waiting", "running", "done", "failed", "cancelled", "lost"]
UNFINISHED = ("waiting", "running")


@dataclass(frozen=True)
class Progress:
    """How far a job is.

    Attributes:
        text: what it is at.
        done: how many units of that are done.
        total: of how many; None where nobody knows.
        unit: what is counted, such as rows.
    """

    text: str
    done: int = 0
    total: int | None = None
    unit: str = ""


@dataclass(frozen=True)
class Work:
    """What a worker has to know of a job.

    Attributes:
        id: counts up from 1.
        argv: the words after `adaptml`.
    """

    id: int
    argv: tuple[str, ...]


@dataclass(frozen=True)
class Job(Work):
    """A step that was started from the page or with `adaptml jobs`.

    Attributes:
        id: counts up from 1.
        argv: the words after `adaptml`.
        room: of the worker that does it in the stack.
        task: name of the task; empty where it is about none.
        by: name of the person who started it.
        parent: the job that this one is a step of; None where it is none.
        state: waiting, running, done, failed, cancelled, or lost: its worker went away.
        created, started, ended: when; None for what has not happened.
        pid: of its process, on the worker's machine.
        heartbeat: when its worker was last heard of.
        progress: how far it is; None where it said nothing.
        run_id, experiment_id: of its last MLflow run; empty where it has none.
        error: why it failed, on one line; empty where it did not.
        cancelling: somebody wants it to end.
        waits_for: the earlier job of the same task that has to end first; None where there is none.
        log: the file of what it prints; there as soon as it prints something.
    """

    room: str
    task: str
    by: str
    parent: int | None
    state: State
    created: datetime
    started: datetime | None
    ended: datetime | None
    pid: int | None
    heartbeat: datetime | None
    progress: Progress | None
    run_id: str
    experiment_id: str
    error: str
    cancelling: bool
    waits_for: int | None
    log: Path

    @property
    def step(self) -> str:
        """The command, such as `label` or `task check`."""
        return command_of(self.argv)

    @property
    def typed(self) -> str:
        """The words after `adaptml` as they are typed into a shell."""
        return shlex.join(self.argv)

    @property
    def seconds(self) -> int | None:
        """How long it has run; None where it was not begun."""
        if self.started is None:
            return None
        return round(((self.ended or datetime.now(UTC)) - self.started).total_seconds())

    @property
    def unfinished(self) -> bool:
        """Whether it waits or runs."""
        return self.state in UNFINISHED
