"""Runs whose process ended without a word: marked by the next step that the same user begins on this host.

A run says which process it is of. It is marked only where that process is gone for sure: of one on another
host, or in another container, nothing is known here.
"""

import logging
import os
import socket
import subprocess
from contextlib import suppress
from pathlib import Path

from mlflow.entities import Run
from mlflow.tracking import MlflowClient

from adaptml.errors import one_line
from adaptml.runs.opening import store_errors
from adaptml.runs.recording import ERROR_TAG

HOST_TAG, PID_TAG, STARTED_TAG = "adaptml.host", "adaptml.pid", "adaptml.process_started"
MOST = 1_000  # experiments and runs to look through
_PROC = Path("/proc")
_MACHINE = Path("/etc/machine-id")
_FIRST_NAMESPACE = "pid:[4026531836]"  # PROC_PID_INIT_INO in Linux's proc_ns.h: of no container
_ENDED = "ZX"  # states of a process that only waits to be counted
_log = logging.getLogger(__name__)


def process_tags() -> dict[str, str]:
    """What a run says of the process that it is of."""
    pid = os.getpid()
    return {HOST_TAG: _host(), PID_TAG: str(pid), STARTED_TAG: _started(pid) or ""}


def mark_dead(client: MlflowClient) -> None:
    """Mark runs of processes of this user on this host that are gone as KILLED."""
    try:
        experiments = [found.experiment_id for found in client.search_experiments(max_results=MOST)]
        wanted = f"attributes.status = 'RUNNING' AND tags.`{HOST_TAG}` = '{_host()}'"
        for run in client.search_runs(experiments, wanted, max_results=MOST):
            if _is_dead(run):
                _mark(client, run)
    except store_errors() as error:
        _log.warning("runs of processes that ended could not be marked: %s", one_line(error))


def _mark(client: MlflowClient, run: Run) -> None:
    run_id, tags = run.info.run_id, run.data.tags
    if client.get_run(run_id).info.status != "RUNNING":  # it ended between the two questions
        return
    said = f"ended without a word: process {tags[PID_TAG]} on {socket.gethostname()} is gone"
    client.set_tag(run_id, ERROR_TAG, said)
    client.set_terminated(run_id, "KILLED")
    _log.warning("run %s %s; it is marked KILLED", run_id, said)


def _is_dead(run: Run) -> bool:
    pid, started = run.data.tags.get(PID_TAG, ""), run.data.tags.get(STARTED_TAG, "")
    if not pid.isdecimal() or not started:
        return False
    now = _started(int(pid))
    return now is not None and now != started


def _host() -> str:
    """This user on this machine, in this container: elsewhere a number means another process."""
    machine, space = "", ""
    with suppress(OSError):
        machine = _MACHINE.read_text(encoding="ascii").strip()[:12]
    with suppress(OSError):
        space = str((_PROC / "self/ns/pid").readlink())
    inside = "" if space in ("", _FIRST_NAMESPACE) else space
    return "/".join([f"{os.getuid()}@{socket.gethostname()}", machine, inside]).rstrip("/").replace("'", "")


def _started(pid: int) -> str | None:
    """When a process began, in whatever the system counts; empty where there is none; None: not known."""
    if (_PROC / "self/stat").exists():
        try:
            stat = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return "" if _is_gone(pid) else None  # hidden from other users
        except OSError:
            return None
        state, *numbers = stat.rpartition(")")[2].split()
        return "" if state in _ENDED else numbers[18]  # field 22 of proc(5)
    done = subprocess.run(  # noqa: S603 - macOS: no words of anybody else
        ["/bin/ps", "-o", "lstart=", "-p", str(pid)],
        capture_output=True, text=True, check=False, env={"LC_ALL": "C"},
    )  # fmt: skip
    return done.stdout.strip() if done.returncode in (0, 1) else None


def _is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False
