"""What each command costs in a process of its own, beside bare Python and the imports that steps stand on.

    python -m benchmarks.startup               # the slowest --help of all commands, then the steps
    python -m benchmarks.startup label train   # the --help of these alone

The steps work on the example's 440 posts in a temporary folder: SQLite for the data and for MLflow, the
example's keyword labelling functions, vectors of the encoder `hashing`, no gold.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from adaptml.cli.app import STEPS
from benchmarks.form import Json, Measured, Report, duration, report
from benchmarks.measuring import Cost, command, ended

REPOSITORY = Path(__file__).resolve().parents[1]
CLI = ("-m", "adaptml.cli")
PYTHON, PANDAS, SKLEARN = "Python alone", "import pandas", "import sklearn.linear_model"
IMPORTS = {PYTHON: "pass", PANDAS: PANDAS, SKLEARN: SKLEARN, "import mlflow": "import mlflow"}
SUBCOMMANDS = {
    "task": ("new", "check", "classes", "list"),
    "annotate": ("setup", "push", "pull"),
    "jobs": ("list", "start", "show", "log", "cancel"),
    "scale": ("certificates", "scheduler", "worker"),
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
ABOUT = "Each command in a process of its own, beside bare Python and the imports that steps stand on."
POSTS = 440
SLOWEST = "the slowest --help"
README = (SLOWEST, f"label {' '.join(DATA)}", "serve, until it answers")
ASKED = {"table_name": ["example_data"], "id": ["361"]}


def helps(chosen: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Commands and their subcommands, by their words."""
    yield ()
    for step in chosen:
        yield (step,)
        yield from ((step, name) for name in SUBCOMMANDS.get(step, ()))


class Startup:
    """Commands in a project's environment, each a line of the report."""

    def __init__(self, found: Report, environment: Mapping[str, str]) -> None:
        self.found, self.environment = found, environment
        self.references: dict[str, Cost] = {}

    def imports(self) -> None:
        """What nothing can be below: Python, and the libraries that steps stand on."""
        for name, code in IMPORTS.items():
            cost = self.references[name] = command(["-c", code], self.environment)[1]
            self.found.add(Measured(name, 0, cost))

    def add(self, what: str, posts: int, cost: Cost, beside: str, note: str = "") -> None:
        """One line."""
        shown, theirs = what in README, self.references[beside]
        self.found.add(Measured(what, posts, cost, beside, theirs, their_size=0, note=note, readme=shown))

    def help(self, words: Sequence[str]) -> Cost:
        """What the help of a command costs."""
        return command([*CLI, *words, "--help"], self.environment)[1]

    def slowest_help(self) -> None:
        """The help of every command: one line for all, beside bare Python."""
        costs = {words: self.help(words) for words in helps(list(STEPS))}
        slowest, middle = max(costs, key=lambda words: costs[words].seconds), len(costs) // 2
        median = duration(sorted(cost.seconds for cost in costs.values())[middle])
        note = f"`{' '.join(slowest)}`; the median of all {len(costs)} is {median}"
        self.add(SLOWEST, 0, costs[slowest], PYTHON, note)

    def step(self, *words: str) -> str:
        """A step, beside the import of pandas; gives what it printed."""
        printed, cost = command([*CLI, *words], self.environment)
        self.add(" ".join(words), POSTS if "--data" in words else 0, cost, PANDAS)
        return printed

    def steps(self) -> None:
        """The steps, each on what those before it left."""
        self.step("settings")
        self.step("task", "list")
        self.step("featurize", *DATA, "--encoder", "hashing")
        self.step("lfs", *DATA)
        command([*CLI, "label", *DATA], self.environment)  # it makes MLflow's store, once
        printed = self.step("label", *DATA)
        self.step("runs")
        label_run = re.search(r"^run +(\w+)", printed, re.MULTILINE)
        if label_run is None:
            raise SystemExit(f"`label` named no run: {printed!r}")
        words = ("train", "example", "--data", label_run[1], "--test", "0.3")
        cost = command([*CLI, *words], self.environment)[1]
        self.add("train example --test 0.3", POSTS, cost, SKLEARN)
        self.step("deploy", MODEL)
        self.step("predict", *DATA)

    def serving(self) -> None:
        """The service at rest, and after it has answered."""
        with self.service("serve, until it answers"):
            pass
        with self.service("serve, and one prediction") as address:
            post(f"{address}/predict_{MODEL}", ASKED)

    @contextmanager
    def service(self, what: str) -> Iterator[str]:
        """The service with every champion; its address, then one line on what it cost."""
        words = [sys.executable, *CLI, "serve", "--port", "0"]
        with subprocess.Popen(words, env=self.environment, stdout=subprocess.PIPE, text=True) as process:
            try:
                line = process.stdout.readline() if process.stdout else ""
                address = re.search(r"http://\S+:\d+", line)
                if address is None:
                    raise SystemExit(f"the service did not start: {line!r}")
                yield address[0]
            finally:
                process.terminate()
            self.add(what, 0, ended(process), PANDAS)


def post(address: str, body: object) -> None:
    """One request, its answer read whole."""
    request = urllib.request.Request(address, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        answer.read()


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
    to: Json = None,
) -> None:
    """Measure and print a line per process."""
    with report("startup", ABOUT, to, unit="posts") as found, tempfile.TemporaryDirectory() as folder:
        environment = environment_in(folder)
        startup = Startup(found, environment)
        startup.imports()
        for words in helps(commands or []):
            startup.add(" ".join([*words, "--help"]), 0, startup.help(words), PYTHON)
        if not commands:
            startup.slowest_help()
            command(["-c", MAKE_TABLE], environment)
            startup.steps()
            startup.serving()


if __name__ == "__main__":
    typer.run(main)
