"""Waiting for another writer's lock on a SQLite file, so that Ctrl-C ends it and a person knows of it.

SQLite itself waits in C, where Python takes no signal. So it waits for a moment only, and is asked again.
"""

import logging
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

from adaptml.progress import WONDER_S

SLICE_S = 0.2
_log = logging.getLogger(__name__)
T = TypeVar("T")


def arguments(patience_s: float, name: str) -> dict[str, Any]:
    """What `sqlite3.connect` takes for connections that wait like this.

    Args:
        patience_s: how long to wait for a lock, in seconds.
        name: of the database, for the line that says what is waited for.
    """
    return {
        "timeout": min(patience_s, SLICE_S),
        "factory": _connection_class(_Patience(patience_s, name)),
    }


@lru_cache(maxsize=100)
def _connection_class(patiently: "_Patience") -> type[sqlite3.Connection]:

    class Cursor(sqlite3.Cursor):
        def execute(self, *words: Any) -> "Cursor":
            return patiently(self.connection, super().execute, *words)

        def executemany(self, *words: Any) -> "Cursor":
            return patiently(self.connection, super().executemany, *words)

    class Connection(sqlite3.Connection):
        def cursor(self, factory: Any = Cursor) -> Any:
            return super().cursor(factory)

        def execute(self, *words: Any) -> sqlite3.Cursor:
            return patiently(self, super().execute, *words)

        def commit(self) -> None:
            patiently(self, super().commit)

    return Connection


@dataclass(frozen=True)
class _Patience:
    patience_s: float
    name: str

    def __call__(self, connection: sqlite3.Connection, call: Callable[..., T], *words: Any) -> T:
        """What a call gives, asked again while somebody else has the lock."""
        began, told, changes = time.monotonic(), False, connection.total_changes
        while True:
            asked = time.monotonic()
            try:
                return call(*words)
            except sqlite3.OperationalError as error:
                now = time.monotonic()
                over = now - began > self.patience_s or connection.total_changes != changes
                if over or not _may_pass(error, now - asked):
                    raise
            if not told and now - began > WONDER_S:
                _log.warning("waiting for another process that writes into %s", self.name)
                told = True


def _may_pass(error: sqlite3.OperationalError, waited_s: float) -> bool:
    """Whether it is a lock that waiting helps: of two that wait for each other, SQLite tells one at once."""
    return error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY and waited_s > SLICE_S / 2
