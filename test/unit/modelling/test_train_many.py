"""Training on more points than are held in memory."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa
from side_task import side, write

from adaptml.database import Vector
from adaptml.errors import ModelError
from adaptml.frames import write_frame
from adaptml.project import Project
from adaptml.tasks import Task
from modelling import sources, weak_labels
from modelling.algorithms import many_rows
from modelling.train import train


@pytest.fixture
def many(monkeypatch: pytest.MonkeyPatch) -> None:
    """40 points are many, and 12 of them choose."""
    monkeypatch.setattr(sources, "MANY_NUMBERS", 50)
    monkeypatch.setattr(weak_labels, "CHOICE_ROWS", 12)
    for module in (sources, many_rows):
        monkeypatch.setattr(module, "BLOCK_ROWS", 8)


def test_points_that_are_not_held_in_memory_give_the_model_that_those_in_memory_give(
    project: Project, task: Task, data: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    gold = write(tmp_path / "gold.parquet", list(range(30, 60)), gold_label=side)
    before = train(project, task, data, gold=gold, strategy="union", params={"tol": 1e-6})
    request.getfixturevalue("many")
    after = train(project, task, data, gold=gold, strategy="union", params={"tol": 1e-6})
    X = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)
    assert after.model.predict_proba(X) == pytest.approx(before.model.predict_proba(X), abs=2e-3)
    assert (after.n_train, after.n_gold) == (before.n_train, before.n_gold) == (30, 30)
    log = project.runs.artifact(after.run_id, "log.txt", tmp_path).read_text()
    assert "12 of 30 points chose how it was trained" in log
    alone = train(project, task, data, test=gold, algorithm="mlp", params={"max_iter": 30})
    assert alone.metrics["gold_accuracy"] > 0.9


def test_a_teacher_labels_points_that_are_not_held_in_memory(
    project: Project, task: Task, data: str, tmp_path: Path, many: None
) -> None:
    gold = write(tmp_path / "gold.parquet", list(range(30, 60)), gold_label=side)
    done = train(project, task, data, gold=gold, strategy="relabelled")
    assert (done.strategy.split(":")[0].split(",")[0], done.metrics["gold_accuracy"]) == ("relabelled", 1.0)


def test_too_little_memory_is_refused_with_what_is_needed(
    project: Project, task: Task, data: str, many: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ModelError, match=r"^max_memory is 'much'; expected a size such as 4GB or 500MB$"):
        train(project, task, data, max_memory="much")
    with pytest.raises(
        ModelError,
        match=r"^the labels of 40 data points need about [\d.]+ [MG]B of memory in all, and --max-memory is 1MB; "
        r"give more with --max-memory, or train on fewer points$",
    ):
        train(project, task, data, max_memory="1MB")
    monkeypatch.setattr(sources, "BYTES_A_LABEL", 0)
    with pytest.raises(
        ModelError,
        match=r"^8 rows of 3 numbers need about [\d.]+ [MG]B of memory in all, and --max-memory is 1MB; give more with "
        r"--max-memory, or train on fewer points$",
    ):
        train(project, task, data, max_memory="1MB")


_CHILD = """
import re, sys
from pathlib import Path
import numpy as np
from modelling.algorithms import EndModel, many_rows

N, WIDTH = 30_000, 4_000  # as one matrix, the rows take 480 MB
many_rows.BLOCK_ROWS = 2_000
y = np.arange(N) % 2

def chunks():
    for start in range(0, N, 2_000):
        X = np.zeros((2_000, WIDTH), np.float32)
        X[np.arange(2_000), 2 * (np.arange(2_000) % 50) + y[start : start + 2_000]] = 1
        yield X

def peak_mb():
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) / 1000

EndModel().fit(np.eye(4, dtype=np.float32), np.eye(2)[[0, 1, 0, 1]])  # all imports
before = peak_mb()
rows = many_rows.write_many_rows(chunks(), N, Path(sys.argv[1]), 0)
model = EndModel().fit(rows, np.eye(2)[y])
print((model.predict(rows).argmax(axis=1) == y).mean(), peak_mb() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell a process's peak of memory")
def test_rows_are_learned_from_in_less_memory_than_their_matrix_takes(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    right, taken_mb = done.stdout.split() or [done.stderr, "0"]
    assert right == "1.0"
    assert 0 < float(taken_mb) < 300


_TRAINING = """
import re, sys
from pathlib import Path
from adaptml.project import Project
from modelling import sources
from modelling.algorithms import many_rows
from modelling.memory import taken
from modelling.train import train

sources.BLOCK_ROWS = many_rows.BLOCK_ROWS = 1_000
root, few, many, more_mb = *sys.argv[1:4], int(sys.argv[4])
with Project(root) as project:
    train(project, "side", few)  # all imports
    most = taken() + more_mb * 10**6
    trained = train(project, "side", many, max_memory=most, params={"max_iter": 3})
peak = int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) * 1024
print(trained.n_train, peak <= most, peak, most)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell a process's peak of memory")
def test_the_whole_process_stays_below_the_memory_that_was_asked_for(
    project: Project, task: Task, data: str, tmp_path: Path
) -> None:
    n, d = 15_000, 1_500  # as one matrix, the rows take 90 MB
    project.database.create_table("many", {"id": sa.Text(), "vec": Vector()}, ["id"])
    rng = np.random.default_rng(0)
    with closing(sqlite3.connect(str(project.database.engine.url.database))) as connection, connection:
        for start in range(0, n, 1_000):
            X = rng.random((1_000, d), np.float32)
            X[:, 0] += np.arange(1_000) % 2
            rows = ((f"t{start + i}", row.tobytes()) for i, row in enumerate(X))
            connection.executemany("INSERT INTO many VALUES (?, ?)", rows)
    names = [["left"], ["right"]]
    columns = {"table_name": "many", "id": [f"t{i}" for i in range(n)]}
    labels = pd.DataFrame(columns).assign(
        label=[names[i % 2] for i in range(n)],
        label_probs=[[0.9 - i % 2 * 0.8, 0.1 + i % 2 * 0.8] for i in range(n)],
    )
    many = write_frame(labels, tmp_path / "many.parquet")
    done = subprocess.run(
        [sys.executable, "-c", _TRAINING, str(project.settings.root), data, str(many), "80"],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.stdout.split()[:2] == ["15000", "True"], (done.stdout, done.stderr)
