"""Where the page's own files are, and where it keeps things."""

from pathlib import Path

STATIC = Path(__file__).parent / "static"


def folder(home: Path) -> Path:
    """Where the page of a project with this home keeps what is its own; in the stack, a volume."""
    return home / "portal"


def database_path(home: Path) -> Path:
    """The SQLite file of invitations, sessions and jobs of a project with this home."""
    return folder(home) / "portal.db"
