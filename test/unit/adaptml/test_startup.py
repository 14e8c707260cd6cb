"""A command is parsed, and explained, without what its step works with: that takes seconds to import."""

import inspect
import json
import re
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest

import adaptml
from adaptml.cli import options, train
from adaptml.cli.app import STEPS
from dataprogramming.label_models.registry import label_models_for
from dataprogramming.lfs_report import look
from labelstudio import annotate
from modelling.algorithms import algorithms
from modelling.strategies import list_strategies

HEAVY = (
    "torch tensorflow sentence_transformers onnxruntime mlflow snorkel sklearn scipy numpy pandas pyarrow sqlalchemy "
    "matplotlib fastapi uvicorn httpx skops simplemma networkx"
)
LARGEST_MB = 100  # 45 were measured
# Every command and subcommand is asked for help in one process, as `adaptml` would answer.
HELP = """
import contextlib, io, json, sys
from pathlib import Path
import typer
from adaptml.cli.app import STEPS, app

root = typer.main.get_command(app)
words = [[], *([step] for step in STEPS)]
for step in STEPS:
    command = root.resolve_command(root.make_context("adaptml", ["--help"], resilient_parsing=True), [step])[1]
    words += [[step, name] for name in getattr(command, "commands", {})]
answers = {}
for command in words:
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown), contextlib.suppress(SystemExit):
        app([*command, "--help"], prog_name="adaptml")
    answers[" ".join(command)] = shown.getvalue()
status = Path("/proc/self/status")
peak = status.read_text().split("VmHWM:")[1].split()[0] if status.exists() else 0
print(json.dumps([sorted({name.split(".")[0] for name in sys.modules}), answers, int(peak) / 1024]))
"""


@pytest.fixture(scope="module")
def helps() -> tuple[set[str], dict[str, str], float]:
    """Top-level modules that all help together imports, each command's help, and the process's highest memory."""
    done = subprocess.run([sys.executable, "-c", HELP], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    modules, answers, peak_mb = json.loads(done.stdout)
    return set(modules), answers, peak_mb


def test_no_help_imports_what_the_step_works_with(helps: tuple[set[str], dict[str, str], float]) -> None:
    modules, answers, peak_mb = helps
    assert modules & set(HEAVY.split()) == set()
    assert peak_mb < LARGEST_MB
    for name, shown in answers.items():
        assert shown.strip().startswith(f"Usage: adaptml {name}".strip()), name
    assert {"task check", "annotate pull", "label", "up"} <= set(answers)


def said(parameter: Any) -> str:
    """The help text of an annotated option."""
    return str(parameter.__metadata__[0].help)


def test_help_names_everything_that_can_be_chosen() -> None:
    """The names are written out, because finding them would import what bears them."""
    strategy = inspect.signature(train.command).parameters["strategy"].annotation
    assert re.findall(r"\w+", said(train.AlgorithmName))[2:] == list(algorithms())
    assert said(strategy).endswith(f"(the best on gold), {', '.join(list_strategies())}.")
    models = {name for setting in ("multiclass", "multilabel") for name in label_models_for(setting)}
    assert models <= set(re.findall(r"\w+", said(options.LabelModel)))


STEPS_IN_PYTHON: dict[str, Callable[..., Any]] = {
    name: getattr(adaptml, name.replace("-", "_"))
    for name in STEPS
    if name.replace("-", "_") in adaptml.__all__
}


@pytest.mark.parametrize("name", STEPS_IN_PYTHON)
def test_an_option_left_out_means_what_it_means_in_python(name: str) -> None:
    command = import_module(STEPS[name][0]).command
    same(command, STEPS_IN_PYTHON[name])


def test_defaults_of_lfs_and_annotate() -> None:
    from adaptml.cli import annotate as commands
    from adaptml.cli import lfs

    same(lfs.command, look)
    same(commands.push_command, annotate.push)
    same(commands.pull_command, annotate.pull)


# On a command line a value is text, and "nothing" is a word.
SAME = {"": None, "none": None, (): None}
# `lfs` and `run` tell gold that was asked for from gold that may be there.
APART = {"gold": {"task, if any", "task", None}}


def same(command: Callable[..., Any], step: Callable[..., Any]) -> None:
    """Parameters of one name have one default."""
    python = inspect.signature(step).parameters
    for name, parameter in inspect.signature(command).parameters.items():
        ours, theirs = parameter.default, getattr(python.get(name), "default", inspect.Parameter.empty)
        if (
            name not in python
            or theirs is inspect.Parameter.empty
            or {ours, theirs} <= APART.get(name, set())
        ):
            continue
        assert SAME.get(ours, ours) == SAME.get(theirs, theirs), name
