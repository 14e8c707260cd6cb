"""What a step tells a program while it is at work: one JSON object a line, in a file that a process names.

Whoever starts a step names the file in `ADAPTML_JOB_EVENTS`, which the command line reads; without it nothing
is written. Each line has a `kind`:

    progress   text, done, total (null: not known), unit: how far a long part of the step is
    step       step, state, text, run_id: a step of `adaptml run` began or ended
    run        run_id, experiment_id, name, state (started, done, failed): an MLflow run
"""

import json
import os
from pathlib import Path
from typing import Any

VARIABLE = "ADAPTML_JOB_EVENTS"
JOB_VARIABLE = "ADAPTML_JOB"  # the number of the job that a process is


class Events:
    """The process's file of events; none until `write_to` names it."""

    def __init__(self) -> None:
        self._path: Path | None = None

    def write_to(self, path: Path | None) -> None:
        """Name the file, which is made for its owner alone; None: write nothing."""
        self._path = path

    @property
    def wanted(self) -> bool:
        """Whether anybody reads them."""
        return self._path is not None

    def tell(self, kind: str, **facts: Any) -> None:
        """Write one event; a full disk does not end the step that tells of itself.

        Args:
            kind: see above.
            **facts: what JSON can say.
        """
        if self._path is None:
            return
        line = json.dumps({"kind": kind} | facts, ensure_ascii=False) + "\n"
        try:  # one write a line, so that lines of several processes do not mix
            file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        except OSError:
            self._path = None
            return
        try:
            os.write(file, line.encode("utf-8", "backslashreplace"))
        except OSError:
            self._path = None
        finally:
            os.close(file)


EVENTS = Events()
