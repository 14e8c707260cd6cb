"""What a CrateDB's refusal means: its client keeps the text only, which begins with an exception's name."""

import logging
import re
import time
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy.engine import Dialect

from adaptml.database.chunks import TooMuchAtOnceError
from adaptml.errors import DatabaseError, DatabaseUnavailableError, listed

FAILED_ROW = -2  # the row count of a row of a bulk request that was not taken
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.25, 2.0
# Shards that are not started yet, or not any more; a node that has no master, or goes away.
_AWAY = re.compile(
    r"\b(IllegalIndexShardState|IndexShard(NotStarted|Recovering|NotRecovering|Closed)|NoShardAvailable(Action)?"
    r"|UnavailableShards|ShardNotFound|ShardNotInPrimaryMode|PrimaryMissingAction|(NotMaster|MasterNotDiscovered)"
    r"|Node(Closed|NotConnected|Disconnected)|ConnectTransport)Exception\b"
    r"|\bClusterBlockException\b.*SERVICE_UNAVAILABLE"
)
# The breaker that keeps a node from running out of memory; a request beyond `http.max_content_length`.
_TOO_MUCH = re.compile(r"\bCircuitBreakingException\b|^413 Client Error")
_TOO_LONG = re.compile(r"DocValuesField|immense term")
LONGEST_BYTES = 32_766

_log = logging.getLogger(__name__)


def may_pass(reason: str) -> bool:
    """Whether what was refused may pass later, or with fewer rows."""
    return bool(_AWAY.search(reason) or _TOO_MUCH.search(reason))


def refusal(database: str, reason: str) -> DatabaseError:
    """The error for what a CrateDB said when it refused a statement.

    Args:
        database: its address, for the message.
        reason: what it said.
    """
    if _AWAY.search(reason):
        return DatabaseUnavailableError(
            f"the database {database} is starting or loses a node, and cannot answer yet: {reason}; try again"
        )
    if _TOO_MUCH.search(reason):
        return TooMuchAtOnceError(
            f"the database {database} has too little memory for what was asked: {reason}; give it more "
            "(CRATE_HEAP_SIZE in the stack), or try again when less is asked of it"
        )
    return DatabaseError(f"the database {database} refused: {reason}")


def patiently(dialect: Dialect, ask: Callable[[], Any], patience_s: float) -> None:
    """Ask, and where shards are not there yet, ask again for a while.

    Nothing of a statement that was refused so has happened; rows that were written are written alike again.

    Args:
        dialect: CrateDB's.
        ask: sends the statement; gives the answers for each row where it is a bulk request.
        patience_s: for how long it is asked again, in seconds.

    Raises:
        Exception: the client's own, where it is another one, or the last one.
    """
    errors = dialect.loaded_dbapi
    deadline, pause, said = time.monotonic() + patience_s, FIRST_PAUSE_S, False
    while True:
        try:
            answers = ask()
        except errors.Error as error:
            transient = error
        else:
            reasons = [reason for _, reason in refused(answers)]
            reason = next(filter(may_pass, reasons), None)
            if reason is None:
                return
            transient = errors.Error(reason)
        left = deadline - time.monotonic()
        if left <= 0 or not _AWAY.search(str(transient)):
            raise transient
        if not said:
            _log.warning("the database is starting; waiting for it, up to %.0f s", patience_s)
            said = True
        time.sleep(min(pause, left))
        pause = min(2 * pause, LONGEST_PAUSE_S)


def refused(answers: Any) -> list[tuple[int, str]]:
    """Place and reason of each row of a bulk request that was not taken; none for another answer."""
    if not isinstance(answers, list):
        return []
    return [
        (place, " ".join(str((answer.get("error") or {}).get("message") or "no reason given").split()))
        for place, answer in enumerate(answers)
        if answer.get("rowcount") == FAILED_ROW
    ]


def check_rows(found: Sequence[tuple[int, str]], table: str, ids: Sequence[str]) -> None:
    """Refuse a write that did not take every row; CrateDB answers row by row and raises nothing.

    Args:
        found: place and reason of each row that was not taken.
        table: the table's name, for the message.
        ids: of all rows, in their order.

    Raises:
        DatabaseError: rows that were not taken. There are no transactions: the others are written.
    """
    if not found:
        return
    reasons = list(dict.fromkeys(reason for _, reason in found))
    longest = any(_TOO_LONG.search(reason) for reason in reasons)
    what = (
        f"keys, items of lists and columns with an index hold {LONGEST_BYTES:,} bytes at most there: "
        "shorten these, then write all rows again"
        if longest
        else "see that values fit their columns, then write all rows again"
    )
    raise DatabaseError(
        f"CrateDB did not take {len(found)} of {len(ids)} rows for table {table!r} "
        f"({listed([ids[place] for place, _ in found])}): {listed(reasons, 1)}; "
        f"the others and those before them are written: {what}"
    )
