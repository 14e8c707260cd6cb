"""The kinds of columns, and values as a database takes them."""

import ast
import json
import re
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy.types import TypeEngine

from adaptml.database import TextList, Vector

TEXT, INTEGER, NUMBER, BOOLEAN, LIST, VECTOR = "text", "integer", "number", "boolean", "list", "vector"
# The kind of a column is the first of these that all of its values are.
KINDS = (BOOLEAN, INTEGER, NUMBER, VECTOR, LIST, TEXT)
_SQL: dict[str, Callable[[], TypeEngine[Any]]] = {
    TEXT: sa.Text,
    INTEGER: sa.BigInteger,
    NUMBER: sa.Double,
    BOOLEAN: sa.SmallInteger,  # 1 and 0: numbers, which features and conditions of every database take
    LIST: TextList,
    VECTOR: Vector,
}
# In a column without text, these mean that a value is missing; in a column of text, they are words.
MISSING = frozenset(("", "NA", "N/A", "n/a", "NaN", "nan", "NULL", "null", "None"))
_BOOLEANS = {"true": 1, "false": 0, "True": 1, "False": 0, "TRUE": 1, "FALSE": 0}
# 007, +49 and numbers of more digits than fit are texts: turned into numbers, they would not come back.
_INTEGER = re.compile(r"-?(?:0|[1-9]\d{0,17})", re.ASCII)
_NUMBER = re.compile(
    r"-?(?:(?:0|[1-9]\d{0,14})(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,2})?", re.ASCII
)  # of such size that a double and JSON hold them
_INT64 = range(-(2**63), 2**63)
_EXACT = 2**53  # integers beyond are not exact as a double
_SHOWN_CHARS = 50


def sql_type(kind: str) -> TypeEngine[Any]:
    """The type of a column of that kind."""
    return _SQL[kind]()


def is_missing(value: Any) -> bool:
    """Whether a value is missing, in a column that is not text."""
    return value is None or (type(value) is str and value in MISSING)


def is_integer(value: Any) -> bool:
    """Whether a value with a type of its own is an integer of 64 bits."""
    return type(value) is int and value in _INT64


def is_number(value: Any) -> bool:
    """Whether a value with a type of its own is a number."""
    return is_integer(value) or isinstance(value, float | np.integer | np.floating)


def is_array(value: Any) -> bool:
    """Whether a value is an array of numbers, shape (d,)."""
    return isinstance(value, np.ndarray) and value.dtype.kind in "fiu" and value.ndim == 1


def is_boolean(value: Any) -> bool:
    """Whether a value with a type of its own is true or false."""
    return type(value) is bool


# Whether a text is written like one of a kind.
READS_AS: dict[str, Callable[[str], object]] = {
    INTEGER: _INTEGER.fullmatch,
    NUMBER: _NUMBER.fullmatch,
    BOOLEAN: _BOOLEANS.__contains__,
}
IS: dict[str, Callable[[Any], object]] = {INTEGER: is_integer, NUMBER: is_number, BOOLEAN: is_boolean}


def as_list(value: Any) -> list[Any] | None:
    """A list, also one that is written as text, in JSON or as Python prints it; None for anything else."""
    if isinstance(value, np.ndarray | list | tuple):
        return list(value)
    if not (isinstance(value, str) and value.startswith("[") and value.rstrip().endswith("]")):
        return None
    for read in (json.loads, _literal):
        try:
            found = read(value)
        except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
            continue
        return found if isinstance(found, list) else None
    return None


def _literal(text: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about escapes that Python does not have
        return ast.literal_eval(text)


def as_text(value: Any) -> str:
    """Any value as text: numbers without `.0`, lists as JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < _EXACT else repr(value)
    items = as_list(value)
    if items is not None:
        plain = [item.item() if isinstance(item, np.generic) else item for item in items]
        return json.dumps(plain, ensure_ascii=False, default=str)
    return str(value)


def converted(values: Sequence[Any], kind: str) -> list[Any]:
    """Values as a database takes them: None where one is missing.

    Args:
        values: as a `Chunk` has them.
        kind: one that every value is.
    """
    if kind == TEXT:
        return [None if value is None else as_text(value) or None for value in values]
    convert = _CONVERT[kind]
    return [None if is_missing(value) else convert(value) for value in values]


_CONVERT: dict[str, Callable[[Any], Any]] = {
    INTEGER: int,
    NUMBER: float,
    BOOLEAN: lambda value: _BOOLEANS[str(value)],
    LIST: lambda value: [as_text(item) for item in as_list(value) or []],
    VECTOR: lambda value: np.asarray(value if is_array(value) else as_list(value), dtype=np.float32),
}


def readable(values: Sequence[Any]) -> tuple[Sequence[Any], int]:
    """Texts that every database takes, and how many had to be changed for it.

    A NUL and half of a surrogate pair become U+FFFD.

    Args:
        values: texts or None.
    """
    try:
        joined = "".join(value for value in values if value is not None)
        joined.encode()
        if "\0" not in joined:
            return values, 0
    except UnicodeEncodeError:
        pass
    changed = [value if value is None else _replaced(value) for value in values]
    return changed, sum(new != old for new, old in zip(changed, values, strict=True))


def _replaced(text: str) -> str:
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\0", "\ufffd")


def shortened(value: Any) -> str:
    """A value on one short line that can be printed."""
    text = " ".join(as_text(value)[: 4 * _SHOWN_CHARS].split())
    shown = "".join(character if character.isprintable() else "?" for character in text)
    return shown if len(shown) <= _SHOWN_CHARS else f"{shown[: _SHOWN_CHARS - 1]}…"
