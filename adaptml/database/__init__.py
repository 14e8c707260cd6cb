"""Data tables: look up columns by key, sample, scan, write."""

from adaptml.database.core import Database
from adaptml.database.keys import Range
from adaptml.database.packed import PackedVector
from adaptml.database.stored import StoredRows
from adaptml.database.types import TextList, Vector
from adaptml.database.writeback import WritebackKind, read_back, write_back

__all__ = [
    "Database",
    "PackedVector",
    "Range",
    "StoredRows",
    "TextList",
    "Vector",
    "WritebackKind",
    "read_back",
    "write_back",
]
