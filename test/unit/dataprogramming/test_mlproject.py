"""The MLflow project and the command line offer the same parameters."""

import re
from pathlib import Path

import pytest
import typer
import yaml

from adaptml.cli.support import command_app
from dataprogramming.label import COMMAND_OPTIONS, command

PROJECT = Path(__file__).resolve().parents[3] / "dataprogramming" / "MLproject"
ENTRY_POINTS = yaml.safe_load(PROJECT.read_text(encoding="utf-8"))["entry_points"]


@pytest.mark.parametrize("name", ["label", "example"])
def test_every_parameter_becomes_an_option_that_exists(name: str) -> None:
    entry = ENTRY_POINTS[name]
    known = {
        option
        for parameter in typer.main.get_command(command_app(command, **COMMAND_OPTIONS)).params
        for option in parameter.opts
    }
    assert set(re.findall(r"\{(\w+)\}", entry["command"])) == set(entry["parameters"])
    assert set(re.findall(r"--[\w-]+", entry["command"])) <= known


def test_the_defaults_are_those_of_the_command() -> None:
    defaults = {
        parameter.name: parameter.default
        for parameter in typer.main.get_command(command_app(command, **COMMAND_OPTIONS)).params
    }
    for entry in ENTRY_POINTS.values():
        for name, parameter in entry["parameters"].items():
            if isinstance(parameter, dict) and name not in ("task", "dev_data"):
                assert str(parameter["default"]) == str(defaults[name])
