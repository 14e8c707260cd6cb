"""Values as bytes that differ where the values do: tagged with their type, and hashed with their lengths.

So `["ab"]` and `["a", "b"]` differ, and so do 1, 1.0, True and "1".
"""

import struct
from collections.abc import Iterable
from hashlib import blake2b
from typing import NamedTuple

DIGEST_BYTES = 16


def digest(pieces: Iterable[bytes]) -> bytes:
    """16 bytes that stand for a sequence of pieces; 128 bits: two sequences never share them by chance."""
    hashed = blake2b(digest_size=DIGEST_BYTES)
    for piece in pieces:
        hashed.update(len(piece).to_bytes(8, "little"))
        hashed.update(piece)
    return hashed.digest()


def atom(value: object) -> bytes | None:
    """A text, number, truth value or None as bytes; None for whatever has parts."""
    kind = type(value)
    if kind is str:
        return b"str " + str(value).encode("utf-8", "surrogatepass")
    if kind is int:
        return f"int {value:x}".encode()
    if kind is bool or value is None or value is ... or value is NotImplemented:
        return f"{kind.__name__} {value!r}".encode()
    if kind is float:
        return b"float " + struct.pack("<d", value)  # 0.0 and -0.0 differ
    if kind is complex:
        return b"complex " + struct.pack("<dd", value.real, value.imag)  # type: ignore[attr-defined]
    if kind is bytes:
        return b"bytes " + value  # type: ignore[operator]  # kind is its exact type
    return None


def constant(value: object) -> bytes:
    """A constant of a code object: an atom, or a tuple, frozen set or slice of such.

    Raises:
        TypeError: something else.
    """
    simple = atom(value)
    if simple is not None:
        return simple
    if isinstance(value, tuple):
        return digest([b"tuple", *map(constant, value)])
    if isinstance(value, frozenset):
        return digest([b"set", *sorted(map(constant, value))])
    if isinstance(value, slice):
        return digest([b"slice", *map(constant, (value.start, value.stop, value.step))])
    raise TypeError(f"{value!r} is no constant of a code object")


class Mark(NamedTuple):
    """Stands for an object that is part of a cycle, until it has a number.

    Attributes:
        what: `first` before its own pieces, `again` where it is met once more.
        key: its id.
    """

    what: str
    key: int


Pieces = list[bytes | Mark]
