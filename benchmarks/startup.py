"""What each command costs in a process of its own, beside bare Python and the imports that steps stand on.

    python benchmarks/startup.py               # the --help of every command, then the steps
    python benchmarks/startup.py label train   # the --help of these alone

One run on one machine gives CPU seconds (user and system) and the highest memory of each process. The steps
work on the example's 440 posts in a temporary folder: SQLite for the data and for MLflow, the example's
keyword labelling functions, vectors of the encoder `hashing`, no gold.
"""

import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

# Nothing large is imported here: a process's highest memory begins at that of the process that started it.
from adaptml.cli.app import STEPS

REPOSITORY = Path(__file__).resolve().parents[1]
CLI = ("-m", "adaptml.cli")
IMPORTS = ("pass", "import pandas", "import sklearn.linear_model", "import mlflow")
SUBCOMMANDS = {
    "task": ("new", "check", "classes", "list"),
    "annotate": ("setup", "push", "pull"),
    "jobs": ("list", "start", "show", "log", "cancel"),
    "secrets": ("rotate",),
}
MAKE_TABLE = """
import sqlalchemy as sa
from adaptml.project import Project
from example_data.example_data_import import TABLE, read_posts
with Project() as project:
    project.database.create_table(TABLE, {"id": sa.Text(), "txt": sa.Text()})
    project.database.upsert(TABLE, read_posts()[["id", "txt"]], ["id"])
"""
DATA = ("example", "--data", "example_data")
MODEL = "multilabel_example"
ASKED = {"table_name": ["example_data"], "id": ["361"]}
BYTES_IN_MB = 1024 if sys.platform != "darwin" else 1024**2  # of ru_maxrss


class Cost(NamedTuple):
    """What one process cost: CPU seconds, and its highest memory in MB."""

    cpu_s: float
    peak_mb: float


def ended(process: "subprocess.Popen[str]") -> Cost:
    """Wait for a process; what it and those that it waited for cost.

    Raises:
        SystemExit: it failed.
    """
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{process.args!r} failed with exit code {process.returncode}")
    return Cost(used.ru_utime + used.ru_stime, used.ru_maxrss / BYTES_IN_MB)


def run(words: Sequence[str], environment: Mapping[str, str]) -> tuple[Cost, str]:
    """Run Python with these words; what it cost and what it printed."""
    with subprocess.Popen(
        [sys.executable, *words], env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        printed = process.stdout.read() if process.stdout else ""
        return ended(process), printed


def show(name: str, cost: Cost) -> None:
    """Print one line."""
    print(f"{name:<58}{cost.cpu_s:7.2f} s{cost.peak_mb:7.0f} MB", flush=True)


def helps(chosen: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Commands and their subcommands, by their words."""
    yield ()
    for step in chosen:
        yield (step,)
        yield from ((step, name) for name in SUBCOMMANDS.get(step, ()))


def steps(environment: Mapping[str, str]) -> None:
    """Measure the steps, each on what those before it left."""
    printed = ""
    for words in (
        ("settings",),
        ("task", "list"),
        ("featurize", *DATA, "--encoder", "hashing"),
        ("lfs", *DATA),
        ("label", *DATA),
        ("label", *DATA),  # the first one also made MLflow's store
        ("runs",),
    ):
        cost, shown = run([*CLI, *words], environment)
        show(" ".join(words), cost)
        printed = shown if words[0] == "label" else printed
    label_run = re.search(r"^run +(\w+)", printed, re.MULTILINE)
    if label_run is None:
        raise SystemExit(f"`label` named no run: {printed!r}")
    data = ("example", "--data", label_run[1])
    for words in (("train", *data, "--test", "0.3"), ("deploy", MODEL), ("predict", *DATA)):
        show(" ".join(words), run([*CLI, *words], environment)[0])


@contextmanager
def service(environment: Mapping[str, str], name: str) -> Iterator[str]:
    """The service with every champion; its address, then one line on what it cost."""
    command = [sys.executable, *CLI, "serve", "--port", "0"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            line = process.stdout.readline() if process.stdout else ""
            found = re.search(r"http://\S+:\d+", line)
            if found is None:
                raise SystemExit(f"the service did not start: {line!r}")
            yield found[0]
        finally:
            process.terminate()
        show(name, ended(process))


def post(address: str, body: object) -> None:
    """One request, its answer read whole."""
    request = urllib.request.Request(address, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        answer.read()


def serving(environment: Mapping[str, str]) -> None:
    """Measure the service at rest, and after it has answered."""
    with service(environment, "serve, until it answers"):
        pass
    with service(environment, "serve, and one prediction") as address:
        post(f"{address}/predict_{MODEL}", ASKED)


def environment_in(folder: str) -> dict[str, str]:
    """The variables of a project in this folder, with nothing of the machine's own settings."""
    clean = {name: v for name, v in os.environ.items() if not name.startswith(("ADAPTML_", "MLFLOW_"))}
    return clean | {
        "ADAPTML_ROOT": folder,
        "ADAPTML_HOME": folder,
        "ADAPTML_TASKS_DIR": str(REPOSITORY / "tasks"),
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "PYTHONPATH": os.pathsep.join([str(REPOSITORY), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep),
    }


def main(
    commands: Annotated[
        list[str] | None, typer.Argument(help="Measure only the --help of these commands.")
    ] = None,
) -> None:
    """Measure and print a line per process."""
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    print(f"{platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()}, load {load}")
    with tempfile.TemporaryDirectory(prefix="adaptml-startup-") as folder:
        environment = environment_in(folder)
        for code in IMPORTS:
            show(f"python -c {code!r}", run(["-c", code], environment)[0])
        for words in helps(commands or list(STEPS)):
            show(" ".join([*words, "--help"]), run([*CLI, *words, "--help"], environment)[0])
        if not commands:
            run(["-c", MAKE_TABLE], environment)
            steps(environment)
            serving(environment)


if __name__ == "__main__":
    typer.run(main)
