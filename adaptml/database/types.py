"""Column types for features that SQL names differently in every database."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.types import TypeDecorator, TypeEngine, to_instance

from adaptml.errors import DatabaseError

_FLOAT32 = np.dtype("<f4")


class Vector(TypeDecorator[Any]):
    """A real vector: float32, shape (d,), as a numpy array in Python.

    Kept as little-endian bytes where the database has no arrays (SQLite), 4 bytes a number, and as an
    array of REAL elsewhere.
    """

    impl = sa.LargeBinary
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """The type that the database itself knows."""
        if dialect.name == "sqlite":
            return dialect.type_descriptor(sa.LargeBinary())
        return dialect.type_descriptor(_array(dialect, sa.REAL()))

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        """From numbers to what the database stores."""
        if value is None:
            return None
        vector = np.asarray(value, dtype=_FLOAT32)
        return vector.tobytes() if dialect.name == "sqlite" else vector.tolist()

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:  # noqa: ARG002 - SQLAlchemy's form
        """From what the database stores to float32 (d,)."""
        if value is None:
            return None
        if isinstance(value, bytes):
            if len(value) % _FLOAT32.itemsize:
                raise DatabaseError(
                    f"a vector has {len(value)} bytes; expected 4 bytes a number (float32): featurise again"
                )
            return np.frombuffer(value, dtype=_FLOAT32)
        return np.asarray(value, dtype=_FLOAT32)


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
        return Vector()
    if isinstance(reflected, sa.ARRAY):
        return TextList() if isinstance(reflected.item_type, sa.String) else Vector()
    if isinstance(reflected, sa.JSON):
        return sa.JSON(none_as_null=True)
    return reflected
