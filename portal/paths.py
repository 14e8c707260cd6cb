"""Where the page's own files are, and where it keeps things."""

from pathlib import Path

STATIC = Path(__file__).parent / "static"


def database_path(home: Path) -> Path:
    """The SQLite file of invitations, sessions and jobs of a project with this home."""
    return home / "portal.db"
