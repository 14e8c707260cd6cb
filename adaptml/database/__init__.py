"""Data tables: look up columns by key, sample, scan, write."""

from adaptml.database.core import Database, open_database
from adaptml.database.types import TextList, Vector
from adaptml.database.writeback import WritebackKind, write_back

__all__ = ["Database", "TextList", "Vector", "WritebackKind", "open_database", "write_back"]
