"""What connects to a database, and how long it waits there: each kind in its own words, the same for all."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from adaptml.database import cratedb, postgresql, sqlite_file, sqlite_waiting

PATIENCE_S = 30.0


@dataclass(frozen=True)
class Limits:
    """How long a database is waited for, and how much of it is used.

    Attributes:
        patience_s: how long to wait for a connection, for another's lock (SQLite, PostgreSQL), for a server
            that is starting (CrateDB), in seconds.
        statement_s: how long one statement may take (PostgreSQL, CrateDB), in seconds; None: as long as it
            takes.
        connections: how many connections are open at once; None: up to 15, as SQLAlchemy has it.
    """

    patience_s: float = PATIENCE_S
    statement_s: float | None = None
    connections: int | None = None


def make_engine(url: sa.URL, limits: Limits, *, make: bool) -> sa.Engine:
    """What connects to a database, on first use.

    Args:
        url: its address.
        limits: how long it is waited for.
        make: make the folder of a SQLite file that is not there yet.
    """
    kind = url.get_backend_name()
    if kind == "sqlite":
        if make and url.database and url.database != ":memory:":
            Path(url.database).parent.mkdir(parents=True, exist_ok=True)
        pool = _pool(limits) if sqlite_file.is_file(url) else {}  # one in memory has a connection a thread
        waits = sqlite_waiting.arguments(limits.patience_s, url.render_as_string(hide_password=True))
        # Lists are JSON text there, which people read and search: letters are not written as numbers.
        return sa.create_engine(url, connect_args=waits, json_serializer=_readable_json, **pool)
    if kind == cratedb.DIALECT:
        arguments = {"timeout": limits.statement_s} if limits.statement_s else {}
        engine = sa.create_engine(url, connect_args=arguments, **cratedb.ENGINE_OPTIONS, **_pool(limits))
        cratedb.set_up(engine, limits.patience_s)
        return engine
    if kind == postgresql.KIND:
        url, arguments = postgresql.arguments(url, limits.patience_s, limits.statement_s)
        engine = sa.create_engine(url, connect_args=arguments, pool_pre_ping=True, **_pool(limits))
        postgresql.set_up(engine, limits.patience_s, limits.statement_s)
        return engine
    return sa.create_engine(url, pool_pre_ping=True, **_pool(limits))


def _pool(limits: Limits) -> dict[str, Any]:
    """How SQLAlchemy keeps connections."""
    waits = {"pool_timeout": limits.patience_s}
    bound = {} if limits.connections is None else {"pool_size": limits.connections, "max_overflow": 0}
    return waits | bound


def _readable_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
