"""How many threads linear algebra takes, which belongs to the whole process."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import Lock
from typing import Any

from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

_ONE = Lock()


@contextmanager
def one_thread() -> Iterator[None]:
    """Linear algebra takes one thread meanwhile, in the whole process.

    Threads that share a small product wait for each other longer than they work, and they wait in a loop,
    without giving their processor away: beside other work a training takes several times as long. Whoever is
    within first sets the limit and gives back the number that it found; others change nothing.
    """
    if not _ONE.acquire(blocking=False):
        yield
        return
    try:
        with _libraries().limit(limits=1, user_api="blas"):
            yield
    finally:
        _ONE.release()


@cache
def _libraries() -> Any:
    import scipy.linalg  # noqa: F401 - brings a library of its own, which counts too

    # Looked for once, which takes as long as a small training. What is loaded later is of others (OpenCV's).
    return ThreadpoolController()
