"""Which database it is, asked of itself: on another machine its address may be another."""

from hashlib import sha256
from pathlib import Path
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy import exc

from adaptml.database import cratedb, postgresql
from adaptml.database.connection import Connected

_QUESTIONS = {cratedb.DIALECT: cratedb.IDENTITY, postgresql.KIND: postgresql.IDENTITY}
_REFUSED = (exc.ProgrammingError, exc.NotSupportedError, exc.InternalError)


def identity(database: Connected) -> str:
    """What tells a database from others, on every machine that reaches it.

    SQLite: the number of its file (inode), which stays the same where a folder is mounted elsewhere; a copy
    has another, and so has a file that takes its place. One in memory is nobody else's. PostgreSQL: the
    server's system identifier, the database in it, and the schema of tables that are named without one.
    CrateDB: the cluster's id, and that schema. What cannot be told apart: a PostgreSQL and one made from a
    copy of all of its files, such as a replica.

    Returns:
        A hash, 64 hexadecimal digits; empty where the server does not tell: it is none of these, or the role
        may not ask.

    Raises:
        DatabaseUnavailableError: the database is away.
    """
    kind = database.engine.dialect.name
    with database.translated(), database.engine.connect() as connection:
        if kind == "sqlite":
            known = [_file(connection)]
        elif kind in _QUESTIONS:
            try:
                known = list(connection.exec_driver_sql(_QUESTIONS[kind]).one())
            except _REFUSED:
                return ""
        else:
            return ""
    return sha256("\0".join(map(str, [kind, *known])).encode()).hexdigest()


def _file(connection: sa.Connection) -> int | str:
    paths = {name: path for _, name, path in connection.exec_driver_sql("PRAGMA database_list")}
    return Path(paths["main"]).stat().st_ino if paths["main"] else uuid4().hex
