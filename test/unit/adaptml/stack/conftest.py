from pathlib import Path

import pytest


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project's folder, with a Compose file of no services."""
    (tmp_path / "docker-compose.yml").write_text("services: {}\n")
    return tmp_path
