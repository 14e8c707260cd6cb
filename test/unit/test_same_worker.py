"""Tests that share a fixture of their session or module run in one worker."""

import os
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

SUPPORT = Path(__file__).resolve().parents[1] / "support"
CONFTEST = """
import pytest
from same_worker import pytest_collection_modifyitems, pytest_xdist_make_scheduler

@pytest.fixture(scope="session")
def server():
    return 1

@pytest.fixture(params=["file", pytest.param("server", marks=pytest.mark.xdist_group("server"))])
def store(request):
    return request.param if request.param == "file" else request.getfixturevalue("server")
"""
TESTS = """
import time
import pytest

@pytest.fixture(scope="module")
def home():
    return 1

@pytest.mark.parametrize("i", range(4))
def test_server(server, i):
    time.sleep(0.05)

@pytest.mark.parametrize("i", range(4))
def test_home(home, i):
    time.sleep(0.05)

@pytest.mark.parametrize("i", range(4))
def test_store(store, i):
    time.sleep(0.05)

@pytest.mark.parametrize("i", range(8))
def test_alone(i):
    time.sleep(0.05)
"""


def test_each_group_runs_in_one_worker_and_the_rest_in_both(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "test").mkdir()
    (tmp_path / "test" / "conftest.py").write_text(CONFTEST)
    for name in ("a", "b"):
        (tmp_path / "test" / f"test_{name}.py").write_text(TESTS)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-v", "--numprocesses", "2"],
        cwd=tmp_path, env=environment | {"PYTHONPATH": str(SUPPORT)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    workers = defaultdict(set)
    for worker, module, test in re.findall(
        r"\[(gw\d)\].* PASSED test/test_(\w)\.py::test_(\S+)", done.stdout
    ):
        kind = "server" if test.startswith(("server", "store[server")) else test.partition("[")[0]
        workers[kind + module if kind == "home" else kind].add(worker)
    assert {kind: len(found) for kind, found in workers.items()} == {
        "server": 1, "homea": 1, "homeb": 1, "store": 2, "alone": 2,
    }  # fmt: skip
