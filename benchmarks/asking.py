"""Clients that go on asking a server whatever happens to it, and what they were told."""

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil

PATIENCE_S = 120.0  # longer than any answer should take: how late it is, is the question
SAMPLED_S = 0.1
NO_ANSWER = "none"


@dataclass(frozen=True)
class Told:
    """One answer: its status or NO_ANSWER, how long it took, and whether it has the promised shape."""

    status: str
    took_s: float
    as_promised: bool


@dataclass
class Asked:
    """What one kind of request was told; filled by several threads."""

    answers: list[Told] = field(default_factory=list)

    @property
    def by_status(self) -> str:
        """As `200: 912, 503: 40`."""
        counts = Counter(told.status for told in self.answers)
        return ", ".join(f"{status}: {n:,}" for status, n in sorted(counts.items()))

    @property
    def slowest_s(self) -> float:
        """0 where nothing was answered."""
        return max((told.took_s for told in self.answers), default=0.0)

    def later_than(self, limit_s: float) -> int:
        """How many answers took longer."""
        return sum(told.took_s > limit_s for told in self.answers)

    @property
    def broken(self) -> int:
        """How many answers have another shape than the promised one, those that never came included."""
        return sum(not told.as_promised for told in self.answers)


Request = Callable[[httpx.Client], httpx.Response]


@contextmanager
def asking(
    address: str,
    request: Request,
    is_promised: Callable[[httpx.Response], bool],
    clients: int = 1,
    pause_s: float = 0.0,
    **options: Any,
) -> Iterator[Asked]:
    """Ask by so many clients, each again when it was answered, until the block ends.

    Args:
        address: the server's.
        request: makes one request.
        is_promised: whether an answer has the shape that it should have.
        clients: each is a thread with one connection, which it opens anew after each failure.
        pause_s: seconds between an answer and the next request, and after a failure at least 0.2.
        **options: of `httpx.Client`.
    """
    asked, stop = Asked(), threading.Event()

    def ask() -> None:
        while not stop.is_set():
            with httpx.Client(base_url=address, timeout=PATIENCE_S, **options) as client:
                while not stop.is_set():
                    told = _told(client, request, is_promised)
                    asked.answers.append(told)
                    if told.status == NO_ANSWER:
                        stop.wait(max(pause_s, 0.2))
                        break
                    stop.wait(pause_s)

    threads = [threading.Thread(target=ask) for _ in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield asked
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def _told(client: httpx.Client, request: Request, is_promised: Callable[[httpx.Response], bool]) -> Told:
    started = time.monotonic()
    try:
        answer = request(client)
    except httpx.HTTPError:
        return Told(NO_ANSWER, time.monotonic() - started, False)
    return Told(str(answer.status_code), time.monotonic() - started, is_promised(answer))


def is_json_of(answer: httpx.Response, *keys: str) -> bool:
    """Whether a good answer is an object with these keys, and any other one an error in its one shape."""
    try:
        content = json.loads(answer.content)
        if answer.status_code == httpx.codes.OK:
            return all(key in content for key in keys)
        return bool({"code", "message"} <= content["error"].keys())
    except (ValueError, TypeError, KeyError, AttributeError):
        return False


@dataclass
class Watched:
    """What a process came to in a block.

    Attributes:
        peak_mb: the most memory that it and its children held, in MB.
        log_kb: by how much its log grew, in KB.
    """

    peak_mb: float = 0.0
    log_kb: float = 0.0


@contextmanager
def watching(pid: int, log: Path) -> Iterator[Watched]:
    """Watch a process and its log for the length of a block."""
    watched, stop, before = Watched(), threading.Event(), log.stat().st_size

    def sample() -> None:
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(pid)
            while not stop.wait(SAMPLED_S):
                held = sum(_resident(one) for one in (process, *process.children(recursive=True)))
                watched.peak_mb = max(watched.peak_mb, held / 1e6)

    thread = threading.Thread(target=sample)
    thread.start()
    try:
        yield watched
    finally:
        stop.set()
        thread.join()
        watched.log_kb = (log.stat().st_size - before) / 1e3


def _resident(process: psutil.Process) -> int:
    with suppress(psutil.NoSuchProcess):
        return int(process.memory_info().rss)
    return 0
