"""Results that are complete before they are written into the database, whatever happens there."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from adaptml.database.core import Database
from adaptml.errors import DatabaseError
from adaptml.progress import waiting


@contextmanager
def complete_already(database: Database, what: str, table: str, again: str | None) -> Iterator[None]:
    """A block that writes such a result: where it fails or is interrupted, what is complete is said.

    Args:
        database: where it is written.
        what: the result, and where it lies, such as `run 1f…`.
        table: where it is written.
        again: the command that writes it; None for the one that is at work.

    Raises:
        DatabaseError: of the block, with all of that; an interruption has it in a note.
    """
    said = f"{what} is complete, but not written to {table}"
    order = "give the same command again" if again is None else f"write it: `{again}`"
    slow = waiting(f"{table} is still being written; another process may hold its lock")
    try:
        with nullcontext() if database.engine.dialect.name == "sqlite" else slow:  # SQLite's waits say so
            yield
    except DatabaseError as error:
        raise type(error)(f"{said}: {error}; put that right, then {order}") from error
    except (KeyboardInterrupt, SystemExit) as error:
        error.add_note(f"{said}; {order}")
        raise
