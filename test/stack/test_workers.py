"""The profile `scale`: workers on a network of their own do the labelling, and one that is killed costs nothing.

Its runs come after those that the other tests of the stack count.
"""

import json
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from numbers_task import write_task

SCHEDULER = "tls://dask-scheduler:8786"
PROFILES = ("--profile", "dev", "--profile", "scale")
ROWS, DONE_S = 40_000, 300
# Slow enough that half is done when a worker is killed.
RULES = """
import re, time
from dataprogramming.lfs import regex_lf
from snorkel.labeling import labeling_function

def get_lfs(params):
    @labeling_function()
    def slow(x):
        time.sleep(0.0002)
        return params.labels.even if int(x.txt.split()[1]) % 3 == 0 else None
    return [regex_lf("odd", "[13579]$", "odd", "txt"), regex_lf("even", "[02468]$", "even", "txt"), slow]
"""
LOAD = """
import pandas as pd
from adaptml import Project
rows = pd.DataFrame({"id": [f"r{i:06}" for i in range(%d)], "txt": [f"row {i}" for i in range(%d)]})
with Project() as project:
    project.import_table(rows, "scaled")
"""


@pytest.fixture(scope="module")
def scaled(server: Any) -> Iterator[str]:
    """A table and a task for it, a scheduler and two workers; those are gone in the end."""
    folder = Path(server.environment["TASKS"]) / "scaled"
    write_task(folder, RULES)
    (folder / "load.py").write_text(LOAD % (ROWS, ROWS))
    if os.geteuid() == 0:
        for path in (folder, *folder.iterdir()):
            os.chown(path, 1000, 1000)
    try:
        server.adaptml("up", "dev", "scale")
        server.execute("dp-mlflow", "python /app/tasks/scaled/load.py")
        yield "scaled"
    finally:
        server.run("docker", "compose", *PROFILES, "rm", "--stop", "--force", "dask-worker", "dask-scheduler")
        shutil.rmtree(folder)


def workers(server: Any) -> list[str]:
    """Numbers of the workers' containers that run."""
    return server.run("docker", "compose", *PROFILES, "ps", "--quiet", "dask-worker").stdout.split()


def kept_ranges(server: Any) -> int:
    """How many ranges of votes are on the volume that workers share."""
    found = server.run(
        "docker", "exec", "dp-mlflow", "find", "/votes/scaled", "-name", "rows.npz", check=False
    )
    return len(found.stdout.split())


def frames(server: Any) -> dict[str, tuple[pd.DataFrame, pd.DataFrame]]:
    """Votes and labels of each run on the table, by run."""
    found = {}
    for path in Path(server.environment["DATA_PATH"]).glob("dp_mlruns/*/*/artifacts/votes.parquet"):
        votes = pd.read_parquet(path)
        if votes["table_name"].eq("scaled").all():
            found[path.parts[-3]] = (votes, pd.read_parquet(path.with_name("training_data.parquet")))
    return found


def test_a_worker_that_is_killed_in_the_middle_costs_nothing(server: Any, scaled: str) -> None:
    assert len(workers(server)) == 2
    label = server.begin("dp-mlflow", f"adaptml label scaled --data scaled --scheduler {SCHEDULER}")
    deadline = time.monotonic() + DONE_S
    while kept_ranges(server) < 3:
        assert label.poll() is None, "the step ended before a worker was killed"
        assert time.monotonic() < deadline
        time.sleep(0.1)
    server.run("docker", "kill", workers(server)[0])
    assert label.poll() is None, "the step ended before a worker was killed"
    assert label.wait(DONE_S) == 0
    assert len(workers(server)) == 1
    (by_workers,) = frames(server).items()
    server.execute("dp-mlflow", "adaptml label scaled --data scaled --fresh")
    (here,) = [found for run, found in frames(server).items() if run != by_workers[0]]
    for one, other in zip(by_workers[1], here, strict=True):
        pd.testing.assert_frame_equal(one, other)
    assert len(here[0]) == ROWS


def test_who_has_no_certificate_or_is_not_on_the_network_reaches_no_scheduler(
    server: Any, scaled: str
) -> None:
    refused = server.run(
        "docker", "exec", "--env", "ADAPTML_SCALE_CERTIFICATES=/tmp", "dp-mlflow",
        *f"adaptml label scaled --data scaled --fresh --scheduler {SCHEDULER}".split(), check=False,
    )  # fmt: skip
    assert refused.returncode == 1
    assert "needs scale_ca.pem" in refused.stderr
    elsewhere = "import socket; socket.create_connection(('dask-scheduler', 8786), 5)"
    for container in ("label-studio-dev", "modelling-mlflow-deploy", "portal"):
        found = server.run("docker", "exec", container, "python", "-c", elsewhere, check=False)
        assert "Name or service not known" in found.stderr or "name resolution" in found.stderr, found.stderr


def test_workers_have_no_port_no_rights_and_no_root(server: Any, scaled: str) -> None:
    inspected = json.loads(server.run("docker", "inspect", "dask-scheduler", *workers(server)).stdout)
    assert len(inspected) > 1
    for container in inspected:
        host = container["HostConfig"]
        assert not any(container["NetworkSettings"]["Ports"].values())
        assert (host["Privileged"], host["CapDrop"], host["ReadonlyRootfs"]) == (False, ["ALL"], True)
        users = server.run("docker", "top", container["Id"], "-o", "pid,user,args").stdout.splitlines()[1:]
        assert not [line for line in users if line.split()[1] == "root" and "init" not in line], users
