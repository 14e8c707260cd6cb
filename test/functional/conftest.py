"""A real Label Studio for the tests, installed from PyPI once and kept in a folder that git ignores."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from labelstudio.local_server import LocalServer, prepare, running

REPOSITORY = Path(__file__).resolve().parents[2]
INSTALLED = REPOSITORY / ".labelstudio"


@pytest.fixture(scope="session")
def label_studio_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    """The server that `make labelstudio` starts, with data of its own and a free port."""
    prepare(INSTALLED, REPOSITORY / "requirements" / "labelstudio-server.txt")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with running(INSTALLED, tmp_path_factory.mktemp("label-studio"), port) as server:
        yield server


@pytest.fixture
def label_studio(
    label_studio_server: LocalServer, clean_room: Path, monkeypatch: pytest.MonkeyPatch
) -> LocalServer:
    """The server, named in the settings as a user would name it."""
    monkeypatch.setenv("ADAPTML_LABEL_STUDIO_URL", label_studio_server.url)
    monkeypatch.setenv("ADAPTML_LABEL_STUDIO_TOKEN_FILE", str(label_studio_server.home / "token"))
    return label_studio_server
