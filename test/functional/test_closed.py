"""What a step opens, it closes: files, sockets, connections to databases."""

import re
import subprocess
import sys
from pathlib import Path

import every_step
import pytest

PROGRAM = Path(every_step.__file__)


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> subprocess.CompletedProcess[str]:
    """What a process says that runs every step, in which Python takes each thing that is left open for an error."""
    command = [
        sys.executable,
        "-X",
        "dev",
        "-W",
        "error::ResourceWarning",
        str(PROGRAM),
        str(tmp_path_factory.mktemp("steps") / "spam"),
    ]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


def test_every_step_leaves_no_connection_open(said: subprocess.CompletedProcess[str]) -> None:
    assert said.returncode == 0, said.stdout + said.stderr
    steps = re.findall(r"^(.+): (\[.*\]), (\d+) opened, (\d+) left open", said.stdout, re.MULTILINE)
    names = {name for name, *_ in steps}
    assert names >= {*every_step.BEFORE_LABELS, *every_step.REFUSED, *every_step.SERVERS}
    assert [step for step in steps if step[3] != "0"] == [], said.stdout
    failed = {name for name, ended, *_ in steps if ended == "[1]"}
    assert failed == set(every_step.REFUSED), said.stdout + said.stderr
    assert {name: ended for name, ended, *_ in steps if name in every_step.SERVERS} == every_step.SERVERS


def test_python_finds_nothing_that_was_left_open(said: subprocess.CompletedProcess[str]) -> None:
    assert not re.findall(r".*(?:ResourceWarning|Exception ignored).*", said.stderr), said.stderr
