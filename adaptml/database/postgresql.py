"""What is different with PostgreSQL: limits of waiting, who holds a lock, vectors in its binary form.

Between it and its callers PgBouncer may stand, which gives each transaction another connection of the server:
no statement is prepared, and limits are said anew in each transaction.
"""

import math
import struct
from typing import Any

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

KIND, DRIVER = "postgresql", "psycopg"
LOCKED = "55P03"  # lock_not_available
LEAST_CONNECT_S = 2  # what libpq takes for less
IDENTITY = """
    SELECT system_identifier, oid, current_schema()
    FROM pg_control_system(), pg_database WHERE datname = current_database()"""
_AT_ONCE = {"yield_per": None, "stream_results": False}  # however the statement that follows is read
REAL, REAL_ARRAY = 700, 1021  # oids of PostgreSQL's own types
ELEMENT = np.dtype([("n_bytes", ">i4"), ("number", ">f4")])


class RealArray(bytes):
    """An array of REAL as PostgreSQL takes it."""

    __slots__ = ()


def real_array(vector: npt.NDArray[np.float32]) -> RealArray:
    """The binary form of an array of REAL, as `array_send` in PostgreSQL's arrayfuncs.c writes it.

    Args:
        vector: d numbers (d,).
    """
    if not len(vector):
        return RealArray(struct.pack(">iiI", 0, 0, REAL))
    elements = np.empty(len(vector), dtype=ELEMENT)
    elements["n_bytes"], elements["number"] = 4, vector
    one_dimension_no_null = struct.pack(">iiIii", 1, 0, REAL, len(vector), 1)
    return RealArray(one_dimension_no_null + elements.tobytes())


def arguments(url: sa.URL, patience_s: float, statement_s: float | None) -> tuple[sa.URL, dict[str, Any]]:
    """How its driver connects: in bounded time, and without prepared statements.

    Args:
        url: its address; what it says itself stays, but for `prepare_threshold`, as none is prepared anyway.
        patience_s: how long to wait for the server, in seconds.
        statement_s: how long one statement may take, in seconds.

    Returns:
        The address to use, and arguments for `connect`.
    """
    if url.get_driver_name() != DRIVER:
        return url, {}
    silent_s = statement_s or patience_s  # a machine that is switched off says nothing
    limits = {
        "connect_timeout": max(LEAST_CONNECT_S, math.ceil(patience_s)),
        "tcp_user_timeout": math.ceil(1000 * max(LEAST_CONNECT_S, silent_s)),
    }
    given = {name: value for name, value in limits.items() if name not in url.query}
    return url.difference_update_query(["prepare_threshold"]), {"prepare_threshold": None, **given}


def set_up(engine: sa.Engine, patience_s: float, statement_s: float | None) -> None:
    """Bound how long an engine's statements wait, and let its driver send vectors as they are.

    Args:
        engine: of a PostgreSQL.
        patience_s: how long a statement waits for a lock, in seconds.
        statement_s: how long it may take, in seconds; None: as long as the server allows.
    """
    limits = [("lock_timeout", patience_s), *([("statement_timeout", statement_s)] if statement_s else [])]
    settings = ", ".join(f"set_config('{name}', '{math.ceil(1000 * limit)}', true)" for name, limit in limits)

    @sa.event.listens_for(engine, "begin")
    def limit(connection: sa.Connection) -> None:
        connection.exec_driver_sql(f"SELECT {settings}", execution_options=_AT_ONCE).close()

    if engine.driver == DRIVER:
        _send_vectors_as_they_are(engine)


def lock_holders(engine: sa.Engine) -> str:
    """Which tables others hold locked, and who, for a message after a lock was waited for; empty for none."""
    query = """
        SELECT DISTINCT c.relname, l.pid, a.usename, a.application_name
        FROM pg_locks l JOIN pg_class c ON c.oid = l.relation JOIN pg_stat_activity a ON a.pid = l.pid
        WHERE l.granted AND l.pid <> pg_backend_pid() AND a.datname = current_database()
          AND c.relkind IN ('r', 'p', 'v')
          AND l.mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
          AND c.relnamespace <> 'pg_catalog'::regnamespace
        ORDER BY 1, 2 LIMIT 5"""
    try:
        with engine.connect() as connection:
            found = connection.exec_driver_sql(query).all()
    except SQLAlchemyError:  # what it would have told is no more than a help
        return ""
    return "; ".join(
        f"table {table} is locked by process {pid} of {user}{f' ({program})' if program else ''}"
        for table, pid, user, program in found
    )


def _send_vectors_as_they_are(engine: sa.Engine) -> None:
    from psycopg.adapt import Dumper
    from psycopg.pq import Format

    class AsItIs(Dumper):
        format, oid = Format.BINARY, REAL_ARRAY

        def dump(self, obj: RealArray) -> bytes:
            return bytes(obj)

    @sa.event.listens_for(engine, "connect")
    def register(connection: Any, _record: Any) -> None:
        connection.adapters.register_dumper(RealArray, AsItIs)
