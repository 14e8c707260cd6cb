"""The benchmark of start-up runs, and knows every subcommand."""

import re
import subprocess
import sys
from pathlib import Path

import typer

from adaptml.cli.app import STEPS, app

REPOSITORY = Path(__file__).resolve().parents[3]
SCRIPT = REPOSITORY / "benchmarks" / "startup.py"


def test_prints_a_line_per_process() -> None:
    command = [sys.executable, "-W", "ignore", str(SCRIPT), "task", "settings"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    machine, *lines = done.stdout.splitlines()
    assert re.search(r"\d CPUs, Python \d.*, load \d", machine)
    found = {
        name: float(mb) for name, mb in re.findall(r"^(\S.*?) +\d+\.\d\d s +(\d+) MB$", done.stdout, re.M)
    }
    assert len(found) == len(lines) == 11
    assert [name for name in found if not name.startswith("python")] == [
        "--help", "task --help", "task new --help", "task check --help", "task classes --help", "task list --help", "settings --help",
    ]  # fmt: skip
    assert found["python -c 'pass'"] < found["python -c 'import pandas'"] < found["python -c 'import mlflow'"]


def test_knows_every_subcommand() -> None:
    sys.path.insert(0, str(SCRIPT.parent))
    try:
        import startup  # type: ignore[import-not-found]
    finally:
        sys.path.pop(0)
    root = typer.main.get_command(app)
    context = root.make_context("adaptml", ["--help"], resilient_parsing=True)
    groups = {name: root.resolve_command(context, [name])[1] for name in STEPS}
    known = {name: tuple(group.commands) for name, group in groups.items() if hasattr(group, "commands")}
    assert known == startup.SUBCOMMANDS
