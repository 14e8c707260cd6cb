"""A SQLite file that is replaced or removed while it is in use: noticed, and none is made in its place."""

import os
import sqlite3
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import InvalidatePoolError

_FILE, _SCHEMA = "adaptml_file", "adaptml_schema"


def is_file(url: sa.URL) -> bool:
    """Whether an address is that of a SQLite file on this machine, named by its path."""
    path = url.database or ""
    return (
        url.get_backend_name() == "sqlite" and path not in ("", ":memory:") and not path.startswith("file:")
    )


def watch(engine: sa.Engine, path: str, changed: Callable[[], None], *, make: bool) -> None:
    """Look at the file whenever a connection is taken, which costs a hundredth of a millisecond.

    A connection to a file that has another file in its place is given up, and so is all that was known of it.
    Where there is no file, the database is away, until there is one.

    Args:
        engine: of the file.
        path: the file.
        changed: called where the tables may be others than before.
        make: make the file where there was none yet; one that was there is never made again.
    """
    seen = False
    version: int | None = None

    @sa.event.listens_for(engine, "do_connect")
    def check(*_: Any) -> None:
        if not os.path.exists(path) and (seen or not make):  # noqa: PTH110 - at every request
            raise sqlite3.OperationalError(f"there is no file {path}")

    @sa.event.listens_for(engine, "checkout")
    def look(connection: sqlite3.Connection, record: Any, _: Any) -> None:
        nonlocal seen, version
        try:
            found = os.stat(path)  # noqa: PTH116 - at every request
        except FileNotFoundError:
            # A new file is there from the first statement on.
            if record.info.get(_FILE) is not None:
                changed()
                raise InvalidatePoolError from None
            return
        seen, file = True, (found.st_dev, found.st_ino)
        if record.info.setdefault(_FILE, file) != file:
            changed()
            raise InvalidatePoolError
        now = connection.execute("PRAGMA schema_version").fetchone()[0]
        if now != version:
            version = now
            changed()
