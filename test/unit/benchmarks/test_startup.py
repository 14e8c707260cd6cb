"""The benchmark of start-up runs, and knows every subcommand."""

from pathlib import Path

import typer

from adaptml.cli.app import STEPS, app
from benchmarks import startup
from benchmarks.form import read_report


def test_says_what_each_process_costs(tmp_path: Path) -> None:
    written = tmp_path / "startup.json"
    startup.main(["secrets", "settings"], written)
    found = {line.what: line for line in read_report(written).lines}
    assert list(found) == [
        "Python alone", "import pandas", "import sklearn.linear_model", "import mlflow",
        "--help", "secrets --help", "secrets rotate --help", "settings --help",
    ]  # fmt: skip
    python, pandas, mlflow = (found[name].ours for name in ("Python alone", "import pandas", "import mlflow"))
    assert python.seconds < pandas.seconds < mlflow.seconds
    assert found["settings --help"].theirs == python


def test_knows_every_subcommand() -> None:
    root = typer.main.get_command(app)
    context = root.make_context("adaptml", ["--help"], resilient_parsing=True)
    groups = {name: root.resolve_command(context, [name])[1] for name in STEPS}
    known = {name: tuple(group.commands) for name, group in groups.items() if hasattr(group, "commands")}
    assert known == startup.SUBCOMMANDS
