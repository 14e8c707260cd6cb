"""What a database's errors mean to those who asked, without the statement and its values."""

import re
import sqlite3
from typing import Any

import sqlalchemy as sa
from sqlalchemy import exc

from adaptml.database import cratedb, postgresql
from adaptml.database.cratedb_errors import refusal
from adaptml.database.not_text import NOT_UTF8
from adaptml.errors import DatabaseError, DatabaseUnavailableError, one_line

# PostgreSQL's insufficient_privilege, read_only_sql_transaction and disk_full.
_NOT_PERMITTED, _READ_ONLY, _DISK_FULL = "42501", "25006", "53100"
_RIGHTS = {
    "CREATE": "the right CREATE on the schema",
    "ALTER": "the table: only its owner changes it",
    "DROP": "the table: only its owner changes it",
    "INSERT": "the rights INSERT, UPDATE and DELETE on it",
    "UPDATE": "the rights INSERT, UPDATE and DELETE on it",
    "DELETE": "the rights INSERT, UPDATE and DELETE on it",
}
_ELSEWHERE = "ADAPTML_RESULTS_DATABASE_URL names another one for what the steps write"
_SQL_SHOWN = re.compile(r"\nLINE \d+: .*(\n *\^)?")
_NO_MORE = ("too many connections", "too many clients", "remaining connection slots", "connection limit")


def ours(error: exc.SQLAlchemyError, name: str, engine: sa.Engine, *, names_holders: bool) -> DatabaseError:
    """The error to raise for one of a driver.

    Args:
        error: what the driver raised, in SQLAlchemy's words.
        name: the database's address, for the message.
        engine: of the database.
        names_holders: where a lock was waited for in vain, say who holds it.
    """
    cause = getattr(error, "orig", None) or error
    reason = _reason(cause)
    help_with_rights = _only_read(error, cause)
    if help_with_rights:
        return DatabaseError(
            f"the database {name} may only be read ({reason}); {_ELSEWHERE}{help_with_rights}"
        )
    if not isinstance(error, exc.OperationalError | exc.InterfaceError | exc.TimeoutError):
        return refusal(name, reason) if cratedb.is_cratedb(engine) else _refused(name, reason)
    if NOT_UTF8 in str(cause):  # said by SQLite's driver, of any text that it reads
        return DatabaseError(f"the database {name} holds text that is not UTF-8: {reason}; correct it")
    if getattr(cause, "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR:  # wrong SQL, not a lock
        return _refused(name, reason)
    if _has_no_room(cause):
        return DatabaseUnavailableError(
            f"the disk of the database {name} takes no more, or fails: {reason}; free space there, then try "
            "again"
        )
    if isinstance(error, exc.TimeoutError):
        reason = "all of its connections are in use"
    elif any(words in reason for words in _NO_MORE):
        reason += "; ADAPTML_SERVICE_CONNECTIONS says how many the prediction service opens"
    elif names_holders and getattr(cause, "sqlstate", None) == postgresql.LOCKED:
        reason = "; ".join(filter(None, [reason, postgresql.lock_holders(engine)]))
    return DatabaseUnavailableError(
        f"the database {name} does not answer: {reason}; see that it runs and is not locked, then try again"
    )


def _reason(cause: BaseException) -> str:
    """What a driver says, without the line of SQL and the mark below it, which psycopg adds."""
    return one_line(DatabaseError(_SQL_SHOWN.sub("", str(cause)) or type(cause).__name__))


def _refused(name: str, reason: str) -> DatabaseError:
    return DatabaseError(f"the database {name} refused: {reason}")


def _has_no_room(cause: Any) -> bool:
    kind = getattr(cause, "sqlite_errorcode", 0) & 0xFF  # SQLite calls a file that may not grow an error
    return (
        kind in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR) or getattr(cause, "sqlstate", None) == _DISK_FULL
    )


def _only_read(error: exc.SQLAlchemyError, cause: Any) -> str:
    """What else helps where a role, a replica or a file may only be read; empty where it is none of these."""
    word = (getattr(error, "statement", None) or "").split(maxsplit=1)[:1]
    right = _RIGHTS.get(word[0].upper(), "") if word else ""
    code = getattr(cause, "sqlstate", None)
    if code == _NOT_PERMITTED and right:
        return f", or give the role {right}"
    if code == _READ_ONLY:
        return ", or name the server that may be written to"
    kind = getattr(cause, "sqlite_errorcode", 0) & 0xFF  # the rest of it says why
    return ", or let its file be written" if kind == sqlite3.SQLITE_READONLY else ""
