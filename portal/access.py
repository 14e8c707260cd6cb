"""Who may use the page: a link per person, whose token is exchanged once for a cookie."""

import hashlib
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from adaptml.errors import SettingsError

INVITED_FOR = timedelta(days=7)
LOGGED_IN_FOR = timedelta(days=30)
MAX_NAME_CHARS = 60
_TABLES = """
CREATE TABLE IF NOT EXISTS invites (token TEXT PRIMARY KEY, name TEXT NOT NULL, until TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS sessions (cookie TEXT PRIMARY KEY, name TEXT NOT NULL, until TEXT NOT NULL);
"""


@dataclass(frozen=True)
class Access:
    """Invitations and sessions in the file of a project's page; of tokens and cookies it holds only hashes.

    Attributes:
        path: the SQLite file, made where it is not there, for its owner's eyes only.
    """

    path: Path

    @property
    def cookie_name(self) -> str:
        """The cookie's name, one a project: browsers keep one jar for all ports of a host."""
        return f"adaptml-{_hash(str(self.path.resolve()))[:8]}"

    def invite(self, name: str) -> str:
        """A token that lets a person in once, within 7 days.

        Args:
            name: under which what the person does is recorded; 1 to 60 characters.

        Raises:
            SettingsError: a name that cannot be one.
        """
        shown = " ".join(name.split())
        if not 0 < len(shown) <= MAX_NAME_CHARS or not shown.isprintable():
            raise SettingsError(
                f"the name {name[:80]!r} cannot be used; expected 1 to {MAX_NAME_CHARS} printable characters"
            )
        return self._added("invites", shown, INVITED_FOR)

    def enter(self, token: str) -> str | None:
        """The cookie of a new session in exchange for an invitation's token; None if that is not valid."""
        with self._open() as db:
            found = db.execute(
                "DELETE FROM invites WHERE token = ? RETURNING name, until", (_hash(token),)
            ).fetchone()
        if found is None or found[1] < _now():
            return None
        return self._added("sessions", found[0], LOGGED_IN_FOR)

    def who(self, cookie: str) -> str | None:
        """The name of the person whose session a cookie is; None for any other."""
        if not cookie:
            return None
        with self._open() as db:
            found = db.execute(
                "SELECT name, until FROM sessions WHERE cookie = ?", (_hash(cookie),)
            ).fetchone()
        return None if found is None or found[1] < _now() else str(found[0])

    def leave(self, cookie: str) -> None:
        """End a session."""
        with self._open() as db:
            db.execute("DELETE FROM sessions WHERE cookie = ?", (_hash(cookie),))

    def _added(self, table: str, name: str, lasting: timedelta) -> str:
        token = secrets.token_urlsafe(32)
        with self._open() as db:
            db.execute(f"DELETE FROM {table} WHERE until < ?", (_now(),))  # noqa: S608 - one of our two names
            db.execute(f"INSERT INTO {table} VALUES (?, ?, ?)", (_hash(token), name, _now(lasting)))  # noqa: S608
        return token

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        if not self.path.exists():
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.path.touch(mode=0o600)
        db = sqlite3.connect(self.path, timeout=10)
        try:
            db.executescript(_TABLES)
            with db:
                yield db
        finally:
            db.close()


def _hash(text: str) -> str:
    # Of 256 random bits: nothing that a slow hash would protect better.
    return hashlib.sha256(text.encode()).hexdigest()


def _now(later: timedelta = timedelta()) -> str:
    return (datetime.now(UTC) + later).isoformat(timespec="seconds")
