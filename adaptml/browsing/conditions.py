"""Conditions on rows that a person puts together from a column, an operator and a value; no SQL of hers."""

import json
import math
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.types import TypeEngine

from adaptml.database.cratedb import DIALECT as CRATEDB
from adaptml.database.facts import kind
from adaptml.database.keys import to_column
from adaptml.errors import FrameError, UnknownColumnError, listed

EMPTY, FILLED = "is-empty", "is-filled"
_COMPARED = ("=", "!=", "<", "<=", ">", ">=")
TEXT = ("contains", "lacks", "is", "is-not", "begins", EMPTY, FILLED)
NUMBER = (*_COMPARED, EMPTY, FILLED)
LIST = ("has", EMPTY, FILLED)
YES_NO = ("is", EMPTY, FILLED)
OTHER = (EMPTY, FILLED)
ID = ("is", "begins")
LABEL = ("is", "is-not", EMPTY, FILLED)
PROBABILITY = ("<", "<=", ">", ">=")
VALUELESS = (EMPTY, FILLED)
OPERATORS = tuple(dict.fromkeys([*TEXT, *NUMBER, *LIST]))
ANY = "*"  # stands for every column of text, and the id
FACT = "@"  # how the name of something begins that is known of a row and is no column of its table
_LONGEST_FIRST = sorted(OPERATORS, key=len, reverse=True)
_SIGN = re.compile(r"\s+(" + "|".join(map(re.escape, _LONGEST_FIRST)) + r")(?=\s|$)")


@dataclass(frozen=True)
class Condition:
    """One condition on rows.

    Attributes:
        column: a column of the table, `*` for every column of text, or what is known of a row: `@label`,
            `@gold`, `@prediction`, `@prob:CLASS` (of the label model), `@predicted:CLASS` (of the end model),
            `@vote:RULE`, `@votes`.
        op: one of `OPERATORS`.
        value: as it was typed; empty for `is-empty` and `is-filled`.
    """

    column: str
    op: str
    value: str = ""

    def __str__(self) -> str:
        return f"{self.column} {self.op}" + ("" if self.op in VALUELESS else f" {self.value}")

    @property
    def is_fact(self) -> bool:
        """Whether it asks for something that the table itself does not hold."""
        return self.column.startswith(FACT)


def parse(text: str, columns: Collection[str] = ()) -> Condition:
    """A condition as it is typed on the command line, `COLUMN OPERATOR VALUE`.

    Args:
        text: such as `likes >= 3`, `text contains free money` or `label is-empty`.
        columns: names that may hold an operator themselves; they win.

    Raises:
        FrameError: no operator in it.

    >>> parse("text contains free money")
    Condition(column='text', op='contains', value='free money')
    """
    found = list(_SIGN.finditer(text))
    chosen = next((sign for sign in reversed(found) if text[: sign.start()] in columns), None)
    chosen = chosen or next(iter(found), None)
    if chosen is None or not text[: chosen.start()]:
        raise FrameError(
            f"condition {text!r} has no operator; expected COLUMN OPERATOR VALUE with one of "
            f"{listed(OPERATORS, 20)}: such as 'text contains free'"
        )
    value = text[chosen.end() :]
    return Condition(text[: chosen.start()], chosen[1], value[1:] if value[:1].isspace() else value)


def operators(column: str, type_: TypeEngine[Any] | None) -> tuple[str, ...]:
    """Which operators a column of this type can be asked with; of a fact, its type is None."""
    if type_ is None:
        return PROBABILITY if column.startswith(("@prob:", "@predicted:")) else LABEL
    if column == "id":
        return ID
    if isinstance(type_, sa.Boolean):
        return YES_NO
    if isinstance(type_, sa.DateTime | sa.Date):
        return NUMBER
    by_kind = {"text": TEXT, "untyped": TEXT, "list of text": LIST, "number": NUMBER}
    return by_kind.get(kind(type_), OTHER)


def check(condition: Condition, types: Mapping[str, TypeEngine[Any]], table: str) -> None:
    """Refuse a condition that a table cannot be asked.

    Raises:
        UnknownColumnError: the table has no such column.
        FrameError: an operator that does not fit the column's type.
    """
    if condition.column == ANY and condition.op == "contains":
        return
    if condition.column not in types:
        raise UnknownColumnError(
            f"table {table!r} has no column {condition.column!r}; its columns are {listed(list(types), 20)}"
        )
    allowed = operators(condition.column, types[condition.column])
    if condition.op not in allowed:
        raise FrameError(
            f"column {condition.column!r} of table {table!r} is {types[condition.column]!s}, and "
            f"{condition.op!r} does not go with it; expected one of {listed(allowed, 20)}"
        )


def clause(condition: Condition, table: sa.Table, dialect: str) -> sa.ColumnElement[bool]:
    """A condition on a table's own column in SQL: names from the catalogue, the value bound.

    Letters count alike whatever their case where texts are searched (in SQLite only those of ASCII).

    Args:
        condition: one that `check` lets pass.
        table: as the catalogue describes it.
        dialect: SQLAlchemy's name of the kind of database.

    Raises:
        FrameError: a value that is no number, no date or no yes or no where the column wants one.
    """
    if condition.column == ANY:
        return _anywhere(condition, table, dialect)
    column: sa.ColumnElement[Any] = table.c[condition.column]
    if condition.op in VALUELESS:
        missing = _missing(column, dialect)
        return missing if condition.op == EMPTY else sa.not_(missing)
    if condition.column == "id":
        return _of_id(condition, column, dialect)
    if isinstance(column.type, sa.Boolean):
        return column.is_(_yes_no(condition))
    if isinstance(column.type, sa.DateTime | sa.Date):
        return _compared(condition, column, _time(condition, column.type))
    what = kind(column.type)
    if what == "number":
        return _compared(condition, column, number(condition))
    if what == "list of text":
        return _has(condition.value, column, dialect)
    return _of_text(condition, sa.cast(column, sa.Text) if what == "untyped" else column, dialect)


def number(condition: Condition) -> float | int:
    """The value of a condition as a number.

    Raises:
        FrameError: it is none.
    """
    text = condition.value.strip()
    try:
        return int(text)
    except ValueError:
        pass
    try:
        if math.isfinite(found := float(text)):
            return found
    except ValueError:
        pass
    raise FrameError(f"{condition.value!r} is no number; {condition.column!r} {condition.op} wants one")


def compare(op: str) -> Callable[[Any, Any], Any]:
    """What `=`, `<` and the like do, to numbers and to columns.

    >>> compare("<=")(1, 1)
    True
    """
    done: dict[str, Callable[[Any, Any], Any]] = {
        "=": lambda a, b: a == b, "!=": lambda a, b: a != b, "<": lambda a, b: a < b,
        "<=": lambda a, b: a <= b, ">": lambda a, b: a > b, ">=": lambda a, b: a >= b,
    }  # fmt: skip
    return done[op]


def _compared(condition: Condition, column: sa.ColumnElement[Any], value: Any) -> sa.ColumnElement[bool]:
    found: sa.ColumnElement[bool] = compare(condition.op)(column, sa.literal(value))
    return found


def _missing(column: sa.ColumnElement[Any], dialect: str) -> sa.ColumnElement[bool]:
    """NULL, and of text also what is empty."""
    if kind(column.type) != "text":
        return column.is_(sa.null())
    # A function around it: a CrateDB has no index on long text and refuses to look for it in one.
    text = sa.func.substr(column, 1, 1) if dialect == CRATEDB else column
    return sa.or_(column.is_(sa.null()), text == "")


def _anywhere(condition: Condition, table: sa.Table, dialect: str) -> sa.ColumnElement[bool]:
    """That a column of text contains the value, or that it is the id."""
    texts = [column for column in table.columns if column.name != "id" and kind(column.type) == "text"]
    is_id = _of_id(Condition("id", "is", condition.value), table.c.id, dialect)
    return sa.or_(is_id, *(_of_text(condition, column, dialect) for column in texts))


def _of_id(condition: Condition, column: sa.ColumnElement[Any], dialect: str) -> sa.ColumnElement[bool]:
    """In the type of the column, so that its index is used."""
    if condition.op == "begins":
        low = condition.value
        if isinstance(column.type, sa.String):
            return _of_text(condition, column, dialect, exactly=True)
        return sa.cast(column, sa.Text).startswith(low, autoescape=True)
    values = to_column([condition.value], column.type, dialect)
    return column.in_(values) if values else sa.false()


def _of_text(
    condition: Condition, column: sa.ColumnElement[Any], dialect: str, *, exactly: bool = False
) -> sa.ColumnElement[bool]:
    if condition.op in ("is", "is-not"):
        same: sa.ColumnElement[bool] = (
            sa.func.concat(column, "") if dialect == CRATEDB else column
        ) == condition.value
        return same if condition.op == "is" else sa.or_(sa.not_(same), column.is_(sa.null()))
    pattern = re.sub(r"([\\%_])", r"\\\1", condition.value if exactly else condition.value.lower()) + "%"
    if condition.op != "begins":
        pattern = "%" + pattern
    text = column if exactly else sa.func.lower(column)
    # CrateDB takes \ for the sign that escapes, and is not told so.
    found = text.like(pattern) if dialect == CRATEDB else text.like(pattern, escape="\\")
    return sa.or_(sa.not_(found), column.is_(sa.null())) if condition.op == "lacks" else found


def _has(word: str, column: sa.ColumnElement[Any], dialect: str) -> sa.ColumnElement[bool]:
    """That a list of text holds a word; where the database has no lists, they are JSON text."""
    if dialect != "sqlite" and not isinstance(column.type, sa.JSON):
        return sa.literal(word) == sa.any_(column)
    pattern = re.sub(r"([\\%_])", r"\\\1", json.dumps(word, ensure_ascii=False))
    text = sa.type_coerce(column, sa.Text) if dialect == "sqlite" else sa.cast(column, sa.Text)
    return text.like(f"%{pattern}%", escape="\\")


def _yes_no(condition: Condition) -> bool:
    found = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
    if condition.value.strip().lower() not in found:
        raise FrameError(f"{condition.value!r} is neither yes nor no; {condition.column!r} holds these")
    return found[condition.value.strip().lower()]


def _time(condition: Condition, type_: TypeEngine[Any]) -> Any:
    try:
        found = datetime.fromisoformat(condition.value.strip())
    except ValueError as error:
        raise FrameError(
            f"{condition.value!r} is no date; {condition.column!r} wants one such as 2026-01-31 or "
            "2026-01-31T12:00"
        ) from error
    if isinstance(type_, sa.Date) and not isinstance(type_, sa.DateTime):
        return found.date()
    zoned = bool(getattr(type_, "timezone", False))
    return found.replace(tzinfo=UTC) if zoned and found.tzinfo is None else found
