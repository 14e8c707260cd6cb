"""Names of columns and tables that every database takes."""

import re
import unicodedata
from collections.abc import Sequence

from adaptml.errors import DatabaseError

MAX_BYTES = 60  # PostgreSQL cuts names after 63
# What CrateDB, PostgreSQL or a driver does not take in a name, and what would end or begin a quotation.
_UNUSABLE = re.compile(r"[\x00-\x1f\x7f.\[\]%:\"'`?\\/*,;(){}<>|#]+")
# Columns that a database has of its own, or that are a data point's key.
_RESERVED = frozenset(
    ["id", "table_name", "rowid", "oid", "ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"]
)
_TABLE = re.compile(r"[^\W\d_][\w-]*")


def column_names(given: Sequence[str], taken: Sequence[str] = ("id",)) -> dict[str, str]:
    """A name that every database takes for each column.

    `user.name` becomes `user_name`, `a[0]` `a_0`, `_score` `score`; a name that is taken, also in another
    case, gets a number.

    Args:
        given: names as the file has them, each once.
        taken: names that are given away already.

    Returns:
        name in the file → name in the table; the same one wherever it can be.

    >>> column_names(["txt", "user.name", "_score", "TXT"])
    {'txt': 'txt', 'user.name': 'user_name', '_score': 'score', 'TXT': 'TXT_2'}
    """
    used = {name.casefold() for name in taken}
    names = {}
    for place, name in enumerate(given, start=1):
        wanted = _usable(name) or f"column_{place}"
        free, number = wanted, 2
        while free.casefold() in used:
            free, number = f"{wanted}_{number}", number + 1
        used.add(free.casefold())
        names[name] = free
    return names


def _usable(name: str) -> str:
    """A name without what some database does not take; empty where nothing is left."""
    printable = name.encode("utf-8", "replace").decode("utf-8")
    plain = _UNUSABLE.sub("_", unicodedata.normalize("NFC", printable)).strip("_ ")
    cut = plain.encode("utf-8")[:MAX_BYTES].decode("utf-8", "ignore").rstrip()
    return f"{cut}_2" if cut.casefold() in _RESERVED else cut


def check_table_name(table: str) -> None:
    """Refuse a table's name that some database does not take.

    Raises:
        DatabaseError: with a name that works.
    """
    bytes_ = table.encode("utf-8", "replace")
    if _TABLE.fullmatch(table) and len(bytes_) <= MAX_BYTES and not table.lower().startswith("sqlite_"):
        return
    usable = re.sub(r"[^\w]+", "_", table).strip("_0123456789")[:MAX_BYTES] or "posts"
    raise DatabaseError(
        f"a table named {table[:80]!r} does not work in every database; expected letters, digits, _ and -, "
        f"a letter first, at most {MAX_BYTES} bytes: name it {usable!r} for instance"
    )
