"""Vectors for PostgreSQL in its binary form: its driver writes lists out as text, number by number."""

import struct
from typing import Any

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

DRIVER = "psycopg"
REAL, REAL_ARRAY = 700, 1021  # oids of PostgreSQL's own types
ELEMENT = np.dtype([("n_bytes", ">i4"), ("number", ">f4")])


class RealArray(bytes):
    """An array of REAL as PostgreSQL takes it."""

    __slots__ = ()


def real_array(vector: npt.NDArray[np.float32]) -> RealArray:
    """The binary form of an array of REAL, as `array_send` in PostgreSQL's arrayfuncs.c writes it.

    Args:
        vector: d numbers (d,).
    """
    if not len(vector):
        return RealArray(struct.pack(">iiI", 0, 0, REAL))
    elements = np.empty(len(vector), dtype=ELEMENT)
    elements["n_bytes"], elements["number"] = 4, vector
    one_dimension_no_null = struct.pack(">iiIii", 1, 0, REAL, len(vector), 1)
    return RealArray(one_dimension_no_null + elements.tobytes())


def set_up(engine: sa.Engine) -> None:
    """Let an engine's driver send such arrays as they are.

    Args:
        engine: of a PostgreSQL, by psycopg.
    """
    from psycopg.adapt import Dumper
    from psycopg.pq import Format

    class AsItIs(Dumper):
        format, oid = Format.BINARY, REAL_ARRAY

        def dump(self, obj: RealArray) -> bytes:
            return bytes(obj)

    @sa.event.listens_for(engine, "connect")
    def register(connection: Any, _record: Any) -> None:
        connection.adapters.register_dumper(RealArray, AsItIs)
