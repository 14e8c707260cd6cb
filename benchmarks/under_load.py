"""How the service and the page answer while what they need is locked, killed, replaced or taken away.

    make .mlflow/.installed
    python -m benchmarks.under_load --database postgresql

Makes a table of 384-d vectors, trains and deploys a logistic regression on it, with a real MLflow server,
starts the prediction service and the page as processes that may open 1,024 files, and keeps clients asking
them, and `/health` five times a second. Meanwhile one thing after the other goes wrong. Late is an answer
after `--limit` seconds; broken is one that has not the promised shape, or never came.
"""

import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import sqlalchemy as sa
import typer
from rich.console import Console
from rich.table import Table

from benchmarks.asking import Asked, Watched, asking, is_json_of, watching
from benchmarks.load_servers import OPEN_FILES, Kind, Running, started

HEALTH_EVERY_S, PAGE_EVERY_S = 0.2, 0.5
BODIES, BODY_MB = 30, 60
IDS = 10
MODEL = "multiclass_points"


@dataclass
class Row:
    """What one situation came to."""

    service: Asked
    health: Asked
    page: Asked
    watched: Watched
    watched_page: Watched


def main(
    database: Annotated[Kind, typer.Option(help="Where the table is.")] = "postgresql",
    clients: Annotated[int, typer.Option(help="How many ask for predictions at once.")] = 20,
    seconds: Annotated[float, typer.Option(help="How long each thing lasts.")] = 10.0,
    limit: Annotated[float, typer.Option(help="Seconds after which an answer is late.")] = 10.0,
    only: Annotated[
        str, typer.Option(help="Only situations whose names match this regular expression.")
    ] = "",
) -> None:
    """Print a table with a row for each situation."""
    table = Table(title=f"{database}, {clients} clients, {seconds:g} s each, late is after {limit:g} s")
    for column in (
        "what happens",
        "answers",
        "slowest s",
        "late",
        "broken",
        "/health",
        "slowest s",
        "MB",
        "log KB",
    ):
        table.add_column(
            column, justify="left" if column in ("what happens", "answers", "/health") else "right"
        )
    for column in ("page", "slowest s", "MB"):
        table.add_column(column, justify="left" if column == "page" else "right")
    with tempfile.TemporaryDirectory(prefix="adaptml-load-") as folder, ExitStack() as stack:
        running = started(Path(folder), database, seconds, stack)
        for name, happens in {**EVERYWHERE, **(ON_POSTGRESQL if running.postgresql else ON_SQLITE)}.items():
            if re.search(only, name):
                row = measured(running, happens, clients)
                table.add_row(name, *cells(row, limit))
                print(name, *cells(row, limit), sep=" | ", flush=True)
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    console = Console(width=None if sys.stdout.isatty() else 200)
    console.print(table)
    console.print(f"{os.cpu_count()} cores, load {load}")


def measured(running: Running, happens: Callable[[Running], Any], clients: int) -> Row:
    """Ask while something happens, and until all is well again or PATIENCE is over."""
    body = {"table_name": ["points"] * IDS, "id": [f"p{i}" for i in range(IDS)]}
    service, page = running.service, running.page
    with (
        watching(service.process.pid, service.log) as watched,
        watching(page.process.pid, page.log) as watched_page,
        asking(
            service.address, lambda client: client.post(f"/predict_{MODEL}", json=body),
            lambda answer: is_json_of(answer, "table_name", "id"), clients, pause_s=0.05,
        ) as predictions,
        asking(
            service.address, lambda client: client.get("/health"),
            lambda answer: is_json_of(answer, "status"), pause_s=HEALTH_EVERY_S,
        ) as health,
        asking(
            page.address, lambda client: client.get("/data/points/rows"), lambda answer: bool(answer.content),
            pause_s=PAGE_EVERY_S, cookies=running.cookie,
        ) as rows,
    ):  # fmt: skip
        time.sleep(1)
        happens(running)
        time.sleep(2)
    return Row(predictions, health, rows, watched, watched_page)


def cells(row: Row, limit: float) -> list[str]:
    """The columns of the table."""
    return [
        row.service.by_status,
        f"{row.service.slowest_s:.1f}",
        f"{row.service.later_than(limit)}",
        f"{row.service.broken}",
        row.health.by_status,
        f"{row.health.slowest_s:.1f}",
        f"{row.watched.peak_mb:,.0f}",
        f"{row.watched.log_kb:,.0f}",
        row.page.by_status,
        f"{row.page.slowest_s:.1f}",
        f"{row.watched_page.peak_mb:,.0f}",
    ]


# What happens


def nothing(running: Running) -> None:
    """What all else is compared with."""
    time.sleep(running.seconds)


def tracking_stopped(running: Running) -> None:
    """It takes connections and answers none."""
    for process in (running.tracking, *running.tracking.children(recursive=True)):
        process.send_signal(signal.SIGSTOP)
    time.sleep(running.seconds)
    for process in (running.tracking, *running.tracking.children(recursive=True)):
        process.send_signal(signal.SIGCONT)


def idle_connections(running: Running) -> None:
    """More clients than the service may open files begin a request and send no more of it."""
    with ExitStack() as stack:
        for _ in range(OPEN_FILES + 60):
            begin(running.service.address, b"POST / HTTP/1.1\r\nHost: x\r\n", stack)
        time.sleep(running.seconds)


def unfinished_bodies(running: Running) -> None:
    """Clients send all but the end of a large body."""
    head = f"POST /predict_{MODEL} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    with ExitStack() as stack:
        for _ in range(BODIES):
            length = BODY_MB * 2**20
            begin(
                running.service.address,
                f"{head}Content-Length: {length}\r\n\r\n".encode() + b" " * (length - 1),
                stack,
            )
        time.sleep(running.seconds)


def begin(address: str, data: bytes, stack: ExitStack) -> None:
    """Send data over a connection that stays open; one that the service closes is as good."""
    host, port = address.removeprefix("http://").split(":")
    with suppress(OSError):
        connection = stack.enter_context(socket.create_connection((host, int(port)), timeout=2))
        connection.sendall(data)


def sqlite_locked(running: Running) -> None:
    """Another program holds the only lock."""
    connection = sqlite3.connect(running.files / "data.db", isolation_level=None, timeout=30)
    try:
        connection.execute("BEGIN EXCLUSIVE")
        time.sleep(running.seconds)
    finally:
        connection.close()


def sqlite_swapped(running: Running) -> None:
    """The file is replaced by a copy of it, over and over, and is away for the last fifth."""
    path, until = running.files / "data.db", time.monotonic() + running.seconds * 0.8
    while time.monotonic() < until:
        shutil.copy(path, running.files / "copy.db")
        (running.files / "copy.db").replace(path)
        time.sleep(0.5)
    path.replace(running.files / "away.db")
    time.sleep(running.seconds / 5)
    (running.files / "away.db").replace(path)


def table_locked(running: Running) -> None:
    """As `VACUUM FULL` does it, or `ALTER TABLE` behind a long transaction."""
    with statements(running) as connection:
        connection.exec_driver_sql("LOCK TABLE points IN ACCESS EXCLUSIVE MODE")
        time.sleep(running.seconds)


def connections_killed(running: Running) -> None:
    """All of other programs', twice a second."""
    until = time.monotonic() + running.seconds
    while time.monotonic() < until:
        with statements(running) as connection:
            connection.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )
        time.sleep(0.5)


def server_restarted(running: Running) -> None:
    """At once, as after a crash; it is away for a third of the time."""
    server = running.postgresql
    stop = [server.bin_path / "pg_ctl", "-w", "-D", server.pgdata, "-m", "immediate", "stop"]
    subprocess.run(stop, user=server.system_user, check=True, stdout=subprocess.DEVNULL)
    time.sleep(running.seconds / 3)
    server.ensure_postgres_running()
    time.sleep(running.seconds * 2 / 3)


@contextmanager
def statements(running: Running) -> Iterator[sa.Connection]:
    """One transaction of another program."""
    engine = sa.create_engine(running.database, poolclass=sa.NullPool)
    with engine.begin() as connection:
        yield connection


EVERYWHERE: dict[str, Callable[[Running], Any]] = {
    "nothing": nothing,
    "the tracking server hangs": tracking_stopped,
    f"{OPEN_FILES + 60:,} idle connections": idle_connections,
    f"{BODIES} unfinished bodies of {BODY_MB} MB": unfinished_bodies,
}
ON_SQLITE: dict[str, Callable[[Running], Any]] = {
    "the file is locked": sqlite_locked,
    "the file is replaced, then away": sqlite_swapped,
}
ON_POSTGRESQL: dict[str, Callable[[Running], Any]] = {
    "the table is locked": table_locked,
    "connections are killed": connections_killed,
    "the server is restarted": server_restarted,
}


if __name__ == "__main__":
    typer.run(main)
