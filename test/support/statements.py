"""What a database is asked, by SQLAlchemy and, in SQLite, by its driver alone."""

from typing import Any

import pytest
import sqlalchemy as sa

from adaptml.database import fetching


def sent(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any]]:
    """From now on, each statement and its parameters, in a list that grows."""
    found: list[tuple[str, Any]] = []
    asked = fetching.from_sqlite

    def spied(connection: sa.Connection, statement: str, given: fetching.Row = ()) -> Any:
        if connection.engine is engine:
            found.append((statement, given))
        return asked(connection, statement, given)

    monkeypatch.setattr(fetching, "from_sqlite", spied)
    sa.event.listen(engine, "before_cursor_execute", lambda *about: found.append((about[2], about[3])))
    return found
