"""The real stack on a Docker engine, started once for all tests here: `make test-stack`, and nothing else, runs them."""

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from adaptml.stack.addresses import addresses
from adaptml.stack.compose import Stack
from adaptml.stack.status import aligned

REPOSITORY = Path(__file__).resolve().parents[2]
collect_ignore_glob = [] if os.environ.get("STACK_TEST") == "1" else ["test_*.py"]
STAND_INS = "STACK_STAND_INS" in os.environ
PROJECT = "adaptml-test"
HEALTHY_TIMEOUT_S, SERVED_TIMEOUT_S = 600, 300  # a machine with other work takes its time
BOOT_S = pytest.StashKey[float]()
KEEP = os.environ.get("KEEP", "0") not in {
    "",
    "0",
}  # `make test-stack KEEP=1`: the stack stays, with its runs
KEPT = pytest.StashKey[list[str]]()
CONTAINERS = (
    "portal", "crate-db", "label-studio-web", "label-studio-dev", "dp-mlflow-db", "dp-mlflow-server", "dp-mlflow",
    "modelling-mlflow-db", "modelling-mlflow-server", "modelling-mlflow", "modelling-mlflow-deploy",
)  # fmt: skip
# Of these two, neither needs the other: they are killed at once, each in the middle of a command of its own.
APART = {
    "portal": "modelling-mlflow-deploy", "dp-mlflow-db": "modelling-mlflow-db",
    "dp-mlflow-server": "modelling-mlflow-server", "dp-mlflow": "modelling-mlflow",
}  # fmt: skip
ASKED = {"table_name": ["example_data"] * 3, "id": ["361", "001", "002"]}


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """How long the stack took to start is a figure for the documents, not a test."""
    if BOOT_S in config.stash:
        terminalreporter.write_line(f"from built images to all healthy: {config.stash[BOOT_S]:.0f} s")
    for line in config.stash.get(KEPT, []):
        terminalreporter.write_line(line)


def free_ports(n: int) -> list[int]:
    """Ports of the loopback address that nothing uses now."""
    sockets = [socket.socket() for _ in range(n)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


@dataclass
class Server:
    """The host's side: Docker, the stack's commands, curl."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    containers = CONTAINERS
    project = PROJECT
    asked = ASKED

    def run(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            words,
            cwd=REPOSITORY,
            env=os.environ | self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0 or not check, (
            f"{words}: {done.returncode}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        )
        return done

    def adaptml(self, command: str, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """`adaptml up` and so on, as a person types it."""
        return self.run(sys.executable, "-m", "adaptml.cli", command, *words, check=check)

    def execute(self, container: str, command: str, check: bool = True) -> str:
        """`docker exec`: what it prints."""
        return self.run("docker", "exec", container, *command.split(), check=check).stdout

    def begin(self, container: str, command: str) -> subprocess.Popen[bytes]:
        """The same, without waiting for it."""
        return subprocess.Popen(
            ["docker", "exec", container, *command.split()],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def health(self) -> dict[str, str]:
        """Health of each container."""
        template = "{{.State.Status}} {{with .State.Health}}{{.Status}}{{end}}"
        return {
            name: self.run("docker", "inspect", "--format", template, name, check=False).stdout.strip()
            for name in CONTAINERS
        }

    def wait(self) -> None:
        """Wait until each container is healthy, and show what they said where one is not."""
        deadline = time.monotonic() + HEALTHY_TIMEOUT_S
        while time.monotonic() < deadline:
            found = self.health()
            if set(found.values()) == {"running healthy"}:
                return
            time.sleep(1)
        sick = [name for name, state in found.items() if state != "running healthy"]
        said = {name: self.run("docker", "logs", "--tail", "30", name, check=False) for name in sick}
        pytest.fail(
            "\n".join(f"{name}: {found[name]}\n{log.stdout}\n{log.stderr}" for name, log in said.items())
        )

    def kill(self, container: str) -> None:
        """SIGKILL for the container's first process, as the kernel's memory killer would."""
        pid = self.pid(container)
        try:
            os.kill(pid, signal.SIGKILL)
        except PermissionError:  # a person who is not root, or an engine in a virtual machine
            self.run("docker", "kill", container)
            self.run("docker", "start", container)
        deadline = time.monotonic() + HEALTHY_TIMEOUT_S
        while self.pid(container) == pid:  # the engine takes a moment to see it
            assert time.monotonic() < deadline, f"{container} goes on after SIGKILL"
            time.sleep(0.1)

    def pid(self, container: str) -> int:
        """Number of the container's first process on the host; 0 while there is none."""
        return int(self.run("docker", "inspect", "--format", "{{.State.Pid}}", container).stdout)

    def curl(self, path: str, body: dict[str, Any] | None = None, *headers: str) -> tuple[int, Any]:
        """Status and JSON of an answer of the prediction service."""
        words = ["curl", "--silent", "--max-time", "60", "--write-out", "\n%{http_code}"]
        for header in headers:
            words += ["--header", header]
        if body is not None:
            words += ["--header", "Content-Type: application/json", "--data", json.dumps(body)]
        words.append(f"http://127.0.0.1:{self.environment['API_PORT']}{path}")
        text, _, status = self.run(*words, check=False).stdout.rpartition("\n")
        return int(status), json.loads(text) if text else None

    def prediction(self) -> Any:
        """The served prediction, as soon as the service has its model."""
        deadline = time.monotonic() + SERVED_TIMEOUT_S
        while True:
            status, answer = self.curl("/predict_multiclass_example", ASKED)
            if status == 200 or time.monotonic() > deadline:
                assert status == 200, answer
                return answer
            time.sleep(1)


@pytest.fixture(
    params=[[one, *filter(None, [APART.get(one)])] for one in CONTAINERS if one not in APART.values()],
    ids=" and ".join,
)
def killed(request: pytest.FixtureRequest) -> list[str]:
    """Names of containers, each in turn; those that are apart come together."""
    return list(request.param)


def secret_files(folder: Path) -> None:
    """PostgreSQL in place of CrateDB has another address; all other secrets are the stack's own doing."""
    folder.mkdir(mode=0o700)
    password = secrets.token_hex(16)
    settings = f"ADAPTML_DATABASE_URL=postgresql+psycopg://adaptml:{password}@crate-db:5432/adaptml\n"
    for name, text in {"database_password": password, "stand_in_settings": settings}.items():
        path = folder / name
        path.write_text(text)
        path.chmod(0o600)
        if os.geteuid() == 0:
            os.chown(path, 1000, 1000)


def tasks_for_the_page(folder: Path) -> Path:
    """A copy of the tasks that the user of the containers may write."""
    shutil.copytree(REPOSITORY / "tasks", folder, ignore=shutil.ignore_patterns("__pycache__"))
    if os.geteuid() == 0:
        for path in [folder, *folder.rglob("*")]:
            os.chown(path, 1000, 1000)
    return folder


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    """Where secrets and backups lie; pytest's own folders would outlive the tests."""
    made = Path(tempfile.mkdtemp(prefix="adaptml-stack-"))
    yield made
    if not KEEP:
        shutil.rmtree(made)


def kept(server: "Server") -> list[str]:
    """Where the stack that stays is found, and how to stop it: its settings lie in a file in its folder."""
    path = server.folder / "stack.env"
    settings = {name: value for name, value in server.environment.items() if name != "COMPOSE_ENV_FILES"}
    path.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    places = addresses(Stack(REPOSITORY, os.environ | server.environment), CONTAINERS)
    return [
        "the stack stays, with the runs of these tests:",
        *aligned(places),
        f"its files, passwords and backups are in {server.folder}; to stop it:",
        f"  COMPOSE_ENV_FILES=.env,{path} .venv/bin/adaptml down",
        "its volumes go with the next `make test-stack`",
    ]


def remove(server: "Server") -> None:
    """Remove the stack's containers, networks and volumes; secrets, which may be away by now, are not needed."""
    server.run("docker", "compose", "--profile", "dev", "down", "--volumes", "--remove-orphans", check=False)


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest, folder: Path) -> Iterator[Server]:
    """The whole stack, healthy; nothing of it is left in the end, unless it is to be kept."""
    names = (
        "CRATE_PORT",
        "LABEL_STUDIO_PORT",
        "DP_MLFLOW_PORT",
        "MODELLING_MLFLOW_PORT",
        "API_PORT",
        "PORTAL_PORT",
    )
    ports = {name: str(port) for name, port in zip(names, free_ports(len(names)), strict=True)}
    own = {"STACK_NAME": PROJECT, "SECRETS": str(folder / "secrets"), "DATA_PATH": str(folder / "data")}
    own["TASKS"] = own["ADAPTML_TASKS_DIR"] = str(tasks_for_the_page(folder / "tasks"))
    # Nobody's .env.dev, which may name folders with real data.
    own["COMPOSE_ENV_FILES"] = os.environ.get("COMPOSE_ENV_FILES", ".env")
    made = Server(folder, ports | own)
    if STAND_INS:
        secret_files(folder / "secrets")
        made.environment |= {
            "COMPOSE_FILE": "docker-compose.yml:docker/stand-ins/compose.yml",
            "STACK_DATABASE": "crate-db:5432",
            "CRATE_IMAGE": "postgres:17",
        }
    taken = [name for name, state in made.health().items() if state]
    assert not taken, f"containers {taken} are here already; stop that stack first"
    remove(made)  # volumes of a stack that was kept
    try:
        started = time.monotonic()
        made.adaptml("up")
        request.config.stash[BOOT_S] = time.monotonic() - started
        yield made
    finally:
        if KEEP:
            request.config.stash[KEPT] = kept(made)
        else:
            remove(made)
    if KEEP:
        return
    kinds = {"container": ["--all"], "volume": [], "network": []}
    label = f"label=com.docker.compose.project={PROJECT}"
    left = {
        kind: made.run("docker", kind, "ls", "--quiet", *more, "--filter", label).stdout
        for kind, more in kinds.items()
    }
    assert left == dict.fromkeys(kinds, "")
