"""Ids are text everywhere; a database is asked in the type of its own column, so that its index is used."""

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeEngine, to_instance

from adaptml.errors import DatabaseError

SQLITE = "sqlite"
# One text for each number: 01, +1 and 1.0 are not the id of the row 1.
_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,99}")
_SURROGATE = re.compile("[\ud800-\udfff]")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Range(NamedTuple):
    """The ids after one, up to and with another, as the database sorts them; None for no bound."""

    low: str | None
    high: str | None

    def of(self, query: "sa.Select[Any]", key: "sa.Column[Any]", dialect: str) -> "sa.Select[Any]":
        """A query of those rows alone whose id, in the column `key`, is in the range."""
        low, high = (None if end is None else to_column([end], key.type, dialect)[0] for end in self)
        if low is not None:
            query = query.where(key > low)
        return query if high is None else query.where(key <= high)


WHOLE = Range(None, None)


def key_type(reflected: TypeEngine[Any] | type[TypeEngine[Any]], dialect: str) -> TypeEngine[Any]:
    """The type to read a reflected column `id` with.

    In SQLite the types of columns are advice: whatever is neither text, integer nor real there, such as a
    column declared UUID or one of a view that casts, holds the values that were put in.
    """
    reflected = to_instance(reflected)
    if isinstance(reflected, postgresql.DOMAIN):
        return key_type(reflected.data_type, dialect)
    if dialect == SQLITE and type(reflected) is sa.NUMERIC:
        return sa.types.NullType()
    return reflected


def is_key(kind: TypeEngine[Any], dialect: str) -> bool:
    """Whether the values of a column of this type can be ids: text, whole numbers or UUIDs."""
    if isinstance(kind, sa.String | sa.Integer | sa.Uuid):
        return True
    if isinstance(kind, sa.Numeric):
        return not isinstance(kind, sa.Float) and kind.scale == 0
    return dialect == SQLITE and isinstance(kind, sa.types.NullType)


def to_column(ids: Sequence[str], kind: TypeEngine[Any], dialect: str) -> list[Any]:
    """What a column `id` of this type may hold for ids, to be compared with it.

    Args:
        ids: n ids.
        kind: type of the column, for which `is_key` holds.
        dialect: name of the database's dialect.

    Returns:
        Values in the order of the ids. An id that no such column can hold has none, so that it is missing; in
        an untyped column of SQLite a whole number can be there as a number and as text, and has two.

    >>> to_column(["7", "07", "x"], sa.BigInteger(), "postgresql")
    [7]
    """
    if isinstance(kind, sa.String):
        return _texts(ids, dialect)
    if isinstance(kind, sa.Uuid):
        return [UUID(key) if kind.as_uuid else key for key in ids if _UUID.fullmatch(key)]
    low, high = _bounds(kind, dialect)
    if dialect == SQLITE:
        untyped = isinstance(kind, sa.types.NullType)
        # Not a number: text, which SQLite keeps in a column of numbers too.
        whole = [_whole(key, low, high) for key in ids]
        values: list[Any] = [key if n is None else n for key, n in zip(ids, whole, strict=True)]
        return values + [key for key, n in zip(ids, whole, strict=True) if untyped and n is not None]
    found = [n for key in ids if (n := _whole(key, low, high)) is not None]
    return list(map(Decimal, found)) if isinstance(kind, sa.Numeric) else found


def to_text(values: Sequence[Any], kind: TypeEngine[Any], dialect: str, table: str) -> list[str]:
    """The ids of values that a column `id` of this type holds, none of them NULL.

    Args:
        values: n values, as the driver gives them.
        kind: type of the column, for which `is_key` holds.
        dialect: name of the database's dialect.
        table: name of the table, for the message.

    Returns:
        n ids, such that `to_column` gives the values again.

    Raises:
        DatabaseError: a value that is neither text nor a whole number; SQLite takes any in any column.
    """
    if dialect != SQLITE:
        if isinstance(kind, sa.CHAR):  # filled up with blanks, which do not count when it is compared
            return [value.rstrip(" ") for value in values]
        return list(values) if isinstance(kind, sa.String) else list(map(str, values))
    kinds = set(map(type, values))
    if kinds <= {str}:
        return list(values)
    wrong = next((value for value in values if not isinstance(value, str | int)), None)
    if wrong is not None:
        what = "a number with a fraction" if isinstance(wrong, float) else type(wrong).__name__
        raise DatabaseError(
            f"column id of table {table!r} holds {wrong!r}, which is {what}; expected text, whole numbers or "
            "UUIDs: correct these rows"
        )
    return list(map(str, values))


def _texts(ids: Sequence[str], dialect: str) -> list[str]:
    """Those that a column of text can hold: all that can be encoded, and only SQLite takes a NUL."""
    try:
        together = "".join(ids)
        together.encode()
        if dialect == SQLITE or "\0" not in together:
            return list(ids)
    except (UnicodeEncodeError, TypeError):  # one that is no text is not there either
        pass
    whole = (key for key in ids if isinstance(key, str) and not _SURROGATE.search(key))
    return [key for key in whole if dialect == SQLITE or "\0" not in key]


def _whole(key: str, low: int, high: int) -> int | None:
    """The whole number that an id is the text of, if a column can hold it."""
    if not _INTEGER.fullmatch(key):
        return None
    number = int(key)
    return number if low <= number <= high else None


def _bounds(kind: TypeEngine[Any], dialect: str) -> tuple[int, int]:
    """The smallest and the largest whole number of a column; a database refuses to be asked for others."""
    if isinstance(kind, sa.Numeric):
        return -(10 ** (kind.precision or 1000)) + 1, 10 ** (kind.precision or 1000) - 1
    bits = 64
    if dialect != SQLITE and not isinstance(kind, sa.BigInteger):
        bits = 16 if isinstance(kind, sa.SmallInteger) else 32
    return -(1 << bits - 1), (1 << bits - 1) - 1
