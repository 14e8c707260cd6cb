"""Vectors in few bytes, for the tables that steps make of their own: half precision, and zeros left out."""

import base64
import binascii
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

from adaptml.database.types import FreeText
from adaptml.errors import DatabaseError

Floats = npt.NDArray[np.float32]

HALF = 1  # bits of the first byte: numbers are float16 and not float32 …
SPARSE = 2  # … and zeros are left out, after the vector's length and a bit for each number
SINGLE, SHORT, LENGTH = np.dtype("<f4"), np.dtype("<f2"), np.dtype("<u4")
# Length of the difference that half precision may make, relative to the vector's. Within its range it makes
# 2**-11 at most. The cosine of both is at least 1 - LOSS**2, far above 0.9999.
LOSS = 1e-3


def pack(vector: npt.ArrayLike, *, exact: bool = False) -> bytes:
    """The fewest bytes for a vector: one that says the form, then the numbers, little-endian.

    Args:
        vector: d finite numbers (d,), as float32.
        exact: take half precision only where it holds every number as it is.

    Returns:
        Bytes for `unpack`: 1 + 2 d or 1 + 4 d, or where zeros are left out 5 + d/8 and 2 or 4 a number.

    Raises:
        DatabaseError: NaN or infinity, or numbers that are no vector.

    Example:
        >>> len(pack([0.6, 0.8])), len(pack([0.0] * 1000)), len(pack([1e-9, 1.0], exact=True))
        (5, 130, 9)
    """
    numbers = np.asarray(vector, dtype=SINGLE)
    if numbers.ndim != 1:
        raise DatabaseError(f"an array of shape {numbers.shape} is no vector; expected (d,)")
    if not np.isfinite(numbers).all():
        raise DatabaseError("a vector holds NaN or infinity; expected finite numbers: replace them")
    there = numbers != 0
    values = numbers[there]
    with np.errstate(over="ignore"):  # what is beyond its range becomes infinite, and is kept as it is
        short = values.astype(SHORT)
    kind = SHORT if _same(values, short, exact=exact) else SINGLE
    sparse = LENGTH.itemsize + (len(numbers) + 7) // 8 + len(values) * kind.itemsize
    form = bytes([HALF * (kind is SHORT) | SPARSE * (sparse < len(numbers) * kind.itemsize)])
    if form[0] & SPARSE:
        length = np.array(len(numbers), dtype=LENGTH).tobytes()
        kept = short if kind is SHORT else values
        parts: list[bytes] = [form, length, np.packbits(there).tobytes(), kept.tobytes()]
    else:
        parts = [form, numbers.astype(kind).tobytes()]
    return b"".join(parts)


def _same(values: Floats, short: npt.NDArray[np.float16], *, exact: bool) -> bool:
    """Whether half precision is good enough for the numbers of a vector that are not zero."""
    if exact:
        return bool((short == values).all())
    wide = values.astype(np.float64)  # squares of float32 do not fit into float32
    difference = wide - short
    return bool(difference @ difference <= LOSS**2 * (wide @ wide))


def unpack(packed: bytes) -> Floats:
    """The vector that `pack` made bytes of: float32 (d,).

    Raises:
        DatabaseError: bytes that are of no such vector.

    Example:
        >>> unpack(pack([0.0, 0.5])).tolist()
        [0.0, 0.5]
    """
    form = packed[0] if packed else -1
    if not 0 <= form <= HALF | SPARSE:
        raise _unreadable(packed)
    kind = SHORT if form & HALF else SINGLE
    try:
        if not form & SPARSE:
            return np.frombuffer(packed, kind, offset=1).astype(np.float32)
        length = int(np.frombuffer(packed, LENGTH, 1, offset=1)[0])
        begin, n_bits = 1 + LENGTH.itemsize, (length + 7) // 8
        bits = np.frombuffer(packed, np.uint8, n_bits, offset=begin)
        vector = np.zeros(length, dtype=np.float32)
        vector[np.unpackbits(bits, count=length).view(bool)] = np.frombuffer(
            packed, kind, offset=begin + n_bits
        )
    except ValueError as error:
        raise _unreadable(packed) from error
    return vector


def _unreadable(packed: bytes) -> DatabaseError:
    return DatabaseError(
        f"{len(packed)} bytes that begin with {packed[:4].hex() or 'nothing'} are no packed vector; "
        "expected what a step of this version wrote: featurise again"
    )


class PackedVector(TypeDecorator[Any]):
    """A real vector in few bytes: float32 (d,) as a numpy array in Python, see `pack`.

    Kept as bytes, and as base64 in text that is neither indexed nor kept column-wise on CrateDB, which has
    no bytes. A catalogue does not know it: `Connected.declare` says which columns are of this type.

    Args:
        exact: see `pack`.
    """

    impl = sa.LargeBinary
    cache_ok = True

    def __init__(self, exact: bool = False) -> None:
        super().__init__()
        self.exact = exact

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """The type that the database itself knows."""
        return dialect.type_descriptor(FreeText() if dialect.name == "crate" else sa.LargeBinary())

    def process_bind_param(self, value: Any, dialect: Dialect) -> bytes | str | None:
        """From numbers to what the database stores."""
        if value is None:
            return None
        packed = pack(value, exact=self.exact)
        return base64.b64encode(packed).decode() if dialect.name == "crate" else packed

    def process_result_value(self, value: Any, dialect: Dialect) -> Floats | None:  # noqa: ARG002 - SQLAlchemy's form
        """From what the database stores to float32 (d,)."""
        return None if value is None else unpack_stored(value)


def unpack_stored(cell: Any) -> Floats:
    """The vector of a cell as a database keeps it: bytes, or base64.

    Raises:
        DatabaseError: it is of no such vector.
    """
    return unpack(_bytes(cell))


def unpack_matrix(cells: Sequence[Any]) -> Floats | None:
    """The vectors of r cells as float32 (r, d); None where they are not all packed vectors of one length."""
    if None in cells or not cells:
        return None
    packed = list(map(_bytes, cells))
    forms = np.frombuffer(b"".join([one[:1] for one in packed]), np.uint8)
    if len(forms) != len(packed) or forms.max() > HALF | SPARSE:
        return None
    matrix: Floats | None = None
    for form in np.flatnonzero(np.bincount(forms)):
        rows = np.flatnonzero(forms == form)
        part = _of_form(int(form), [packed[row] for row in rows])
        if part is None or (matrix is not None and matrix.shape[1] != part.shape[1]):
            return None
        if len(rows) == len(packed):
            return part
        if matrix is None:
            matrix = np.empty((len(packed), part.shape[1]), dtype=np.float32)
        matrix[rows] = part
    return matrix


def _of_form(form: int, packed: Sequence[bytes]) -> Floats | None:
    """As `unpack_matrix`, of vectors that are all packed in one form."""
    kind = SHORT if form & HALF else SINGLE
    lengths = np.fromiter(map(len, packed), np.int64, len(packed))
    joined = np.frombuffer(b"".join(packed), np.uint8)
    if not form & SPARSE:
        if (lengths != lengths[0]).any() or (lengths[0] - 1) % kind.itemsize:
            return None
        numbers = np.ascontiguousarray(joined.reshape(len(packed), -1)[:, 1:])
        return numbers.view(kind).astype(np.float32, copy=False)
    head = 1 + LENGTH.itemsize
    if lengths.min() < head:
        return None
    begins = np.cumsum(lengths) - lengths
    sizes = joined[begins[:, None] + np.arange(1, head)].view(LENGTH).ravel()
    d = int(sizes[0])
    n_bits = (d + 7) // 8
    if (sizes != d).any() or lengths.min() < head + n_bits:
        return None
    bits = joined[begins[:, None] + np.arange(head, head + n_bits)]
    there = np.unpackbits(bits, axis=1, count=d).view(bool)
    if (there.sum(axis=1) * kind.itemsize != lengths - head - n_bits).any():
        return None
    matrix = np.zeros((len(packed), d), dtype=np.float32)
    matrix[there] = np.frombuffer(b"".join([one[head + n_bits :] for one in packed]), kind)
    return matrix


def _bytes(stored: Any) -> bytes:
    if not isinstance(stored, str):
        return bytes(stored)
    try:
        return base64.b64decode(stored, validate=True)
    except (binascii.Error, ValueError) as error:
        raise DatabaseError(
            f"a text of {len(stored)} characters is no packed vector; expected base64: featurise again"
        ) from error
