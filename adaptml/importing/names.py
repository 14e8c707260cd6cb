"""Names of columns and tables that every database takes."""

from collections.abc import Sequence

from adaptml.database.names import MAX_BYTES, safe_name
from adaptml.errors import DatabaseError

# Columns that a database has of its own, or that are a data point's key.
_RESERVED = frozenset(
    ("id", "table_name", "rowid", "oid", "ctid", "xmin", "xmax", "cmin", "cmax", "tableoid")
)


def column_names(given: Sequence[str]) -> dict[str, str]:
    """A name that every database takes for each column but the id.

    A name that is taken, also in another case, gets a number.

    Args:
        given: names as the file has them, each once.

    Returns:
        name in the file → name in the table; the same one wherever it can be.

    >>> column_names(["txt", "user.name", "_score", "TXT"])
    {'txt': 'txt', 'user.name': 'user_name', '_score': 'score', 'TXT': 'TXT_2'}
    """
    used = set(_RESERVED)
    names = {}
    for name in given:
        wanted = safe_name(name.encode("utf-8", "replace").decode("utf-8"))
        free, number = wanted, 2
        while free.casefold() in used:
            ending = f"_{number}"
            free = wanted.encode()[: MAX_BYTES - len(ending)].decode(errors="ignore") + ending
            number += 1
        used.add(free.casefold())
        names[name] = free
    return names


def check_table_name(table: str) -> None:
    """Refuse a table's name that some database does not take.

    Raises:
        DatabaseError: with a name that works.
    """
    usable = safe_name(table.encode("utf-8", "replace").decode("utf-8"))
    if table != usable or table.lower().startswith("sqlite_"):
        other = usable.removeprefix("sqlite_")
        raise DatabaseError(
            f"a table named {table[:MAX_BYTES]!r} does not work in every database; expected letters, digits "
            f"and _, no _ at its ends, at most {MAX_BYTES} bytes: name it {other!r}, say"
        )
