"""Limits of a process that runs a person's code, and ending it with all that it started."""

import ctypes
import os
import resource
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PATIENCE_S = 3.0  # for another's lock on a table: a person is better told to try again than left waiting
_PR_SET_CHILD_SUBREAPER = 36  # Linux, <sys/prctl.h>
_PROC = Path("/proc")


@dataclass(frozen=True)
class Limits:
    """What the code of a person may take for one question.

    Attributes:
        seconds: of time.
        memory_mb: MiB of memory more than the process has before the code runs.
        output_kb: KiB of text that it may print; the rest is left out.
        processes: processes and threads that it may start; not enforced where the superuser runs it.
    """

    seconds: float = 10.0
    memory_mb: int = 2048
    output_kb: int = 64
    processes: int = 256


def apply(limits: Limits) -> None:
    """Put this process under limits; what the system does not know is left out."""
    cores = os.cpu_count() or 1
    _limit(resource.RLIMIT_AS, _address_space() + (limits.memory_mb << 20))
    _limit(resource.RLIMIT_CPU, int(limits.seconds * cores) + 2)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_NPROC, _threads_of(os.getuid()) + limits.processes)


def _limit(which: int, value: int) -> None:
    _, hard = resource.getrlimit(which)
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    with suppress(ValueError, OSError):
        resource.setrlimit(which, (value, value))


def _address_space() -> int:
    """Bytes of address space that this process has."""
    try:
        pages = int((_PROC / "self/statm").read_text(encoding="ascii").split()[0])
    except (OSError, ValueError):  # not Linux
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return pages * resource.getpagesize()


def _threads_of(uid: int) -> int:
    """Threads that a user has; RLIMIT_NPROC counts them all."""
    count = 0
    for folder in _PROC.glob("[0-9]*"):
        with suppress(OSError):
            if folder.stat().st_uid == uid:
                count += sum(1 for _ in (folder / "task").iterdir())
    return count


def adopt_orphans() -> None:
    """Let processes whose parent ends become children of this one, so that none gets away (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def end_group(pid: int) -> None:
    """Kill a process group and, of a process that adopts orphans, every child, until there is none."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    while True:
        for child in _children():
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def _children() -> Iterator[int]:
    """Ids of this process's children (Linux)."""
    mine = str(os.getpid())
    for path in _PROC.glob("[0-9]*/stat"):
        with suppress(OSError, IndexError):
            if path.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[1] == mine:
                yield int(path.parent.name)
