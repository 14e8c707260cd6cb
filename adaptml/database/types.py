"""Column types for features that SQL names differently in every database."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.types import TypeDecorator, TypeEngine, to_instance

from adaptml.database.postgresql import DRIVER, real_array
from adaptml.errors import DatabaseError

MAX_SHOWN = 40  # characters of a value in a message
_FLOAT32 = np.dtype("<f4")

Matrix = npt.NDArray[np.float32]


class Vector(TypeDecorator[Any]):
    """A real vector: float32, shape (d,), as a numpy array in Python.

    Kept as little-endian bytes where the database has no arrays (SQLite), 4 bytes a number, and as an
    array of REAL elsewhere. With `as_bytes` it is kept as bytes in every database.
    """

    impl = sa.LargeBinary
    cache_ok = True

    def __init__(self, as_bytes: bool = False) -> None:
        super().__init__()
        self.as_bytes = as_bytes

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """The type that the database itself knows."""
        if self._in_bytes(dialect):
            return dialect.type_descriptor(sa.LargeBinary())
        return dialect.type_descriptor(_array(dialect, sa.REAL()))

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        """From numbers to what the database stores."""
        if value is None:
            return None
        vector = np.asarray(value, dtype=_FLOAT32)
        if self._in_bytes(dialect):
            return vector.tobytes()
        return real_array(vector) if dialect.driver == DRIVER else vector.tolist()

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any]:
        """What is done to a value before it is sent: nothing on top, such as to each number of an array."""
        return lambda value: self.process_bind_param(value, dialect)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:  # noqa: ARG002 - SQLAlchemy's form
        """From what the database stores to float32 (d,)."""
        return None if value is None else as_vector(value)

    def _in_bytes(self, dialect: Dialect) -> bool:
        return self.as_bytes or dialect.name == "sqlite"


def as_vector(value: Any) -> npt.NDArray[np.float32]:
    """A vector in any form in which a table may hold one, as float32 (d,).

    Args:
        value: little-endian float32 bytes, numbers in a list or an array, or such a list as JSON text.

    Raises:
        DatabaseError: anything else; says of what kind it is, not where it is and not what it says.

    >>> as_vector("[1, 0.5]").tolist()
    [1.0, 0.5]
    """
    try:
        if isinstance(value, bytes | bytearray | memoryview):
            if len(value) % _FLOAT32.itemsize:
                raise DatabaseError(f"{len(value)} bytes, which are not 4 for each number (float32)")
            return np.frombuffer(value, dtype=_FLOAT32)
        numbers = json.loads(value) if isinstance(value, str) else value
        vector = np.asarray(numbers, dtype=_FLOAT32)
    except (ValueError, TypeError, RecursionError) as error:
        raise DatabaseError(f"{type(value).__name__} that is no list of numbers") from error
    texts = isinstance(numbers, list) and bool(numbers) and isinstance(numbers[0], str)
    if vector.ndim != 1 or texts:  # numpy takes texts such as "1" for numbers
        raise DatabaseError(f"{type(value).__name__} that is no list of numbers")
    return vector


def matrix_of_bytes(cells: Sequence[Any]) -> Matrix | None:
    """The vectors of r cells of little-endian float32 bytes, float32 (r, d), to be read only.

    None where a cell is something else, or they are not all of one length.
    """
    try:
        joined = b"".join(cells)
    except TypeError:
        return None
    lengths = set(map(len, cells))
    if len(lengths) != 1 or len(cells[0]) % _FLOAT32.itemsize:
        return None
    return np.frombuffer(joined, dtype=_FLOAT32).reshape(len(cells), len(cells[0]) // _FLOAT32.itemsize)


def shown(value: Any) -> str:
    """A value for a message, cut to a bounded length."""
    text = repr(value)
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 1] + "…"


class TextList(TypeDecorator[list[str]]):
    """A list of text: JSON where the database has no arrays (SQLite), an array of TEXT elsewhere."""

    impl = sa.JSON
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """The type that the database itself knows."""
        if dialect.name == "sqlite":
            return dialect.type_descriptor(sa.JSON(none_as_null=True))
        return dialect.type_descriptor(_array(dialect, sa.Text()))

    def process_bind_param(self, value: Sequence[str] | None, dialect: Dialect) -> Any:  # noqa: ARG002
        """From any sequence of text to a list."""
        return None if value is None else [str(item) for item in value]


class FreeText(sa.Text):
    """Text of any length; CrateDB takes 32,766 bytes at most where it has an index or is kept column-wise."""


@compiles(FreeText, "crate")
def _free_text(_element: Any, _compiler: Any, **_: Any) -> str:
    return "TEXT INDEX OFF STORAGE WITH (columnstore = false)"


def _array(dialect: Dialect, item: TypeEngine[Any]) -> TypeEngine[Any]:
    """A native array; PostgreSQL's driver wants its dialect's own."""
    return postgresql.ARRAY(item) if dialect.name == "postgresql" else sa.ARRAY(item)


def feature_type(reflected: TypeEngine[Any] | type[TypeEngine[Any]]) -> TypeEngine[Any]:
    """The type to read a reflected column with: bytes and real arrays are vectors."""
    reflected = to_instance(reflected)
    if type(reflected).__name__ == "FloatVector":  # CrateDB's; its library may not be installed
        return Vector()
    if isinstance(reflected, sa.LargeBinary):
        return Vector(as_bytes=True)
    if isinstance(reflected, sa.ARRAY):
        return TextList() if isinstance(reflected.item_type, sa.String) else Vector()
    if isinstance(reflected, sa.JSON):
        return sa.JSON(none_as_null=True)
    return reflected
