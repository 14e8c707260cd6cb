"""What work takes: CPU seconds, which compare on a machine with other work too, and the most memory."""

import multiprocessing
import os
import re
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024  # bytes
MB = 1_000_000
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
# A small process between: the most memory of a process is at least that of the one that started it.
WAIT = """
import os, resource, subprocess, sys
code = subprocess.call(sys.argv[2:])
used = resource.getrusage(resource.RUSAGE_CHILDREN)
os.write(int(sys.argv[1]), f"{used.ru_utime + used.ru_stime} {used.ru_maxrss}".encode())
sys.exit(code)
"""
T = TypeVar("T")


@dataclass(frozen=True)
class Cost:
    """What work took.

    Attributes:
        seconds: of CPU, user and system, of the process and of those that it waited for.
        peak_mb: the most memory resident while it worked, in 10^6 bytes: of the process, or of the largest
            that it waited for; None where it was not measured.
    """

    seconds: float
    peak_mb: float | None = None


def measure(
    work: Callable[..., T], *given: object, prepare: Callable[..., object] | None = None, repeats: int = 1
) -> tuple[T, Cost]:
    """Call a function of a module in a fresh process, with one thread for linear algebra.

    Args:
        work: what is measured; gets what `prepare` gives, else what is given.
        given: can be pickled, as can what work gives.
        prepare: called first with what is given; neither its seconds nor the memory that it gives back count.
        repeats: how often work is called; seconds are the median.
    """
    os.environ.update({name: os.environ.get(name, value) for name, value in ONE_THREAD.items()})
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        found: tuple[T, Cost] = pool.submit(_measured, work, given, prepare, repeats).result()
        return found


def _measured(work: Any, given: Any, prepare: Any, repeats: int) -> Any:
    given = given if prepare is None else (prepare(*given),)
    _forget_peak()
    value, seconds = None, []
    for _ in range(repeats):
        value = None
        started = cpu_seconds()
        value = work(*given)
        seconds.append(cpu_seconds() - started)
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * MAXRSS_UNIT / MB
    return value, Cost(statistics.median(seconds), max(peak_mb(), children))


def cpu_seconds() -> float:
    """Of this process so far, and of those that it waited for."""
    waited_for = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + waited_for.ru_utime + waited_for.ru_stime


def peak_mb() -> float:
    """The most memory that this process has had; on Linux without what its parent had when it started it."""
    status = Path("/proc/self/status")
    found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text()) if status.is_file() else None
    if found:
        return int(found[1]) * 1024 / MB
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * MAXRSS_UNIT / MB


def _forget_peak() -> None:
    """Begin anew with what is resident now, where the kernel can: proc(5), clear_refs."""
    path = Path("/proc/self/clear_refs")
    if path.is_file():
        path.write_text("5")


def command(words: Sequence[str], environment: Mapping[str, str] | None = None) -> tuple[str, Cost]:
    """Run Python with these words; what it printed, and what it cost.

    Raises:
        SystemExit: it failed.
    """
    ours, theirs = os.pipe()
    waiting = [sys.executable, "-IS", "-c", WAIT, str(theirs), sys.executable, *words]
    with os.fdopen(ours) as said:
        done = subprocess.run(
            waiting, env=environment, stdout=subprocess.PIPE, text=True, pass_fds=[theirs], check=False
        )
        os.close(theirs)
        if done.returncode:
            raise SystemExit(f"{' '.join(words)} failed with exit code {done.returncode}")
        seconds, maxrss = said.read().split()
    return done.stdout, Cost(float(seconds), int(maxrss) * MAXRSS_UNIT / MB)


def ended(process: "subprocess.Popen[str]") -> Cost:
    """Wait for a process; what it and those that it waited for cost.

    Memory is not known of a process that takes less than the one that started it, for it begins with that.

    Raises:
        SystemExit: it failed.
    """
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{process.args!r} failed with exit code {process.returncode}")
    found = used.ru_maxrss * MAXRSS_UNIT / MB
    return Cost(used.ru_utime + used.ru_stime, found if found > peak_mb() else None)
