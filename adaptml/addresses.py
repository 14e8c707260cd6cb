"""Addresses of databases that are files: SQLAlchemy's form."""

import re
from pathlib import Path
from urllib.parse import unquote

_SPECIAL = re.compile(r"\?|%(?=[0-9A-Fa-f]{2})")
_DATABASES = ("sqlite", "postgresql", "mysql", "mssql")  # what MLflow keeps its runs in without a server


def kind_of(address: str) -> str:
    """The kind of database or server: `postgresql` of `postgresql+psycopg://…`; empty where none is named."""
    scheme, found, _ = address.partition(":")
    return scheme.split("+")[0] if found else ""


def is_database(address: str) -> bool:
    """Whether an address of MLflow's is that of a database, so that no server decides where artifacts lie."""
    return kind_of(address) in _DATABASES


def sqlite_address(path: Path) -> str:
    """The address of a SQLite file; characters that mean something in an address are encoded.

    >>> sqlite_address(Path("/data/data.db"))
    'sqlite:////data/data.db'
    >>> sqlite_address(Path("/data/done?/data.db"))
    'sqlite+pysqlite:////data/done%3F/data.db'
    """
    encoded = _SPECIAL.sub(lambda found: f"%{ord(found[0]):02X}", str(path))
    # MLflow makes the folder of what begins with `sqlite:///`, and does not decode it.
    return f"sqlite:///{encoded}" if encoded == str(path) else f"sqlite+pysqlite:///{encoded}"


def sqlite_file(address: str) -> Path | None:
    """The file of a SQLite address; None for one of something else, or of no file.

    >>> sqlite_file("sqlite:////data/50%25/data.db?timeout=5")
    PosixPath('/data/50%/data.db')
    """
    _, found, rest = address.partition(":///")
    path = unquote(rest.partition("?")[0])
    named = found and kind_of(address) == "sqlite" and not path.startswith(("file:", ":memory:"))
    return Path(path) if named and path else None


def from_folder(address: str, folder: Path) -> str:
    """An address with a relative path of a SQLite file made to start at a folder; others as they are.

    >>> from_folder("sqlite:///workspace/data.db?timeout=5", Path("/project"))
    'sqlite:////project/workspace/data.db?timeout=5'
    """
    path = sqlite_file(address)
    if path is None or path.is_absolute():
        return address
    _, options, rest = address.partition("?")
    return f"{sqlite_address(folder / path)}{options}{rest}"
