"""Real servers for the tests, each installed once into a folder that git ignores: Label Studio with its people, MLflow."""

import fcntl
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from label_studio_people import personal_token

from adaptml.project import Project
from adaptml.tasks import Task
from labelstudio.client import LabelStudio
from labelstudio.local_server import LocalServer, prepare, running

if TYPE_CHECKING:
    from original_guide import Guide

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


@pytest.fixture(scope="session")
def mlflow_environment() -> Path:
    """The environment of `make mlflow-ui`; whoever comes second waits."""
    folder = REPOSITORY / ".mlflow"
    folder.mkdir(exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        command = ["make", "--old-file=.venv/.demo", ".mlflow/.installed"]
        subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="session")
def guide(tmp_path_factory: pytest.TempPathFactory) -> Iterator["Guide"]:
    """The example, and the original's steps on it as they are asked for."""
    from original_guide import Guide  # every step, for these tests alone

    made = Guide(tmp_path_factory.mktemp("original"))
    yield made
    made.project.close()


@pytest.fixture
def label_studio(
    label_studio_server: LocalServer, clean_room: Path, monkeypatch: pytest.MonkeyPatch
) -> LocalServer:
    """The server, named in the settings as a user would name it."""
    monkeypatch.setenv("ADAPTML_LABEL_STUDIO_URL", label_studio_server.url)
    monkeypatch.setenv("ADAPTML_LABEL_STUDIO_TOKEN_FILE", str(label_studio_server.home / "token"))
    monkeypatch.setenv("ADAPTML_LABEL_STUDIO_MEDIA", str(label_studio_server.files / "media"))
    return label_studio_server


CLASSES = ["cat", "dog", "bird"]
_tokens: dict[str, str] = {}


@pytest.fixture
def here(label_studio: LocalServer) -> Iterator[Project]:
    """The project of the clean room, which knows the server's address."""
    with Project() as made:
        yield made


@pytest.fixture
def make_task(here: Project, clean_room: Path, request: pytest.FixtureRequest) -> Callable[..., Task]:
    """A task of the test's own, so that each test has its own project."""
    name = "t" + "".join(c for c in request.node.name.lower() if c.isalnum())[-30:]

    def make(
        classes: list[str] = CLASSES,
        setting: str = "multilabel",
        columns: str = "txt",
        feedback: bool = False,
    ) -> Task:
        folder = clean_room / "tasks" / name
        folder.mkdir(exist_ok=True)
        content = {
            "title": "Which animals?", "setting": setting, "classes": [{"name": c} for c in classes],
            "columns": [dict(zip(("name", "type"), c.split(":"), strict=False)) for c in columns.split()], "lf_features": ["txt"], "features": ["vec"], "feedback": feedback,
        }  # fmt: skip
        (folder / "task.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
        return here.task(name)

    return make


@pytest.fixture
def people(label_studio: LocalServer) -> Iterator[list[LabelStudio]]:
    """The two annotators, each with a personal access token."""
    for account in label_studio.annotators:
        if account.email not in _tokens:
            _tokens[account.email] = personal_token(label_studio.url, account)
    with ExitStack() as stack:
        made = [LabelStudio(label_studio.url, _tokens[a.email]) for a in label_studio.annotators]
        yield [stack.enter_context(person) for person in made]


@pytest.fixture
def owner(label_studio: LocalServer) -> Iterator[LabelStudio]:
    with LabelStudio(label_studio.url, label_studio.token) as studio:
        yield studio
