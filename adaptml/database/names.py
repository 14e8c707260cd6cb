"""Names of tables and columns that databases take, and a name that all of them take."""

import re
import unicodedata
from collections.abc import Sequence

from adaptml.errors import DatabaseError

MAX_BYTES = 63  # PostgreSQL cuts off the rest, and says so to nobody
UNNAMED = "unnamed"
POSTGRESQL_COLUMNS = frozenset(["tableoid", "ctid", "xmin", "xmax", "cmin", "cmax"])  # of every table there
# CrateDB, as `io.crate.metadata.ColumnIdent` and `RelationName` say it.
_COLUMN_SIGNS = re.compile(r"[.\[\t\n\r]")
_SYSTEM_COLUMN = re.compile(r"_([a-z]+(_[a-z]+)*)?")
_TABLE_SIGNS = re.compile(r"[\s.,\"*\\/|><?]")
_MARK = re.compile(r"%\([^)]+\)s")  # its client takes this for a parameter, wherever it stands


def check_names(dialect: str, table: str | None, columns: Sequence[str]) -> None:
    """Refuse names for a new table or for new columns before the database is asked.

    Args:
        dialect: SQLAlchemy's name of the kind of database.
        table: the new table's name, or None for a table that is there.
        columns: names of the new columns.

    Raises:
        DatabaseError: a name that such a database does not take, or would take for another one.

    Example:
        >>> check_names("crate", "posts", ["id", "user.name"])
        Traceback (most recent call last):
            ...
        adaptml.errors.DatabaseError: no column can be named 'user.name' on CrateDB, ...
    """
    for what, name in [*([("table", table)] if table is not None else []), *(("column", c) for c in columns)]:
        wrong = _wrong(dialect, what, name)
        if wrong:
            raise DatabaseError(f"no {what} can be named {name!r} {wrong}; name it {safe_name(name)!r}, say")


def _wrong(dialect: str, what: str, name: str) -> str | None:
    """Why a name cannot be used, or None."""
    if not name or "\0" in name:
        return "on any database, for it is empty or holds a NUL sign"
    if dialect == "postgresql" and len(name.encode("utf-8", "replace")) > MAX_BYTES:
        return f"on PostgreSQL, which takes {MAX_BYTES} bytes"
    if dialect == "postgresql" and what == "column" and name in POSTGRESQL_COLUMNS:
        return "on PostgreSQL, which has a column of its own so in every table"
    if dialect != "crate":
        return None
    if _MARK.search(name):
        return "on CrateDB, whose client takes %(…)s for a parameter"
    if what == "table":
        signs = _TABLE_SIGNS.search(name)
        wrong = repr(signs[0]) if signs else "_ at the beginning" if name.startswith("_") else None
        return f"on CrateDB, which takes no {wrong} in a table's name" if wrong else None
    signs = _COLUMN_SIGNS.search(name)
    if signs:
        return f"on CrateDB, which takes no {signs[0]!r} in a column's name"
    if _SYSTEM_COLUMN.fullmatch(name):
        return "on CrateDB, which names columns of its own so: _ and small letters"
    return None


def safe_name(name: str) -> str:
    """A name for a table or a column that every database takes, as like the given one as can be.

    Letters of every script, marks on them, digits and _ stay; anything else becomes _. Two names may become
    the same.

    Args:
        name: any text.

    Returns:
        1 to 63 bytes of UTF-8, in Unicode's form NFC, with no _ at either end.

    Example:
        >>> safe_name("user.name"), safe_name("_score"), safe_name("a[0]"), safe_name("%")
        ('user_name', 'score', 'a_0', 'unnamed')
    """
    signs = (
        c if c == "_" or unicodedata.category(c)[0] in "LMN" else "_"
        for c in unicodedata.normalize("NFC", name)
    )
    made = re.sub("__+", "_", "".join(signs)).strip("_")
    made = made.encode()[:MAX_BYTES].decode(errors="ignore").rstrip("_") or UNNAMED
    return f"{made}_2" if made in POSTGRESQL_COLUMNS else made
