"""The table and the frames that tests of training and predicting share."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa
from side_task import TASK, N, side, write

from adaptml.database import Vector
from adaptml.project import Project
from adaptml.settings import Settings
from adaptml.tasks import Task


@pytest.fixture
def task(tracking: Settings, project: Project) -> Task:
    """A task whose truth is the sign of the first feature; t0 … t59, odd ones are right."""
    folder = tracking.tasks_dir / "side"
    folder.mkdir()
    (folder / "task.yaml").write_text(TASK)
    database = project.database
    database.create_table("points", {"id": sa.Text(), "txt": sa.Text(), "vec": Vector(), "extra": Vector()})
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(N, 3)) * 0.3
    vectors[:, 0] += np.where(np.arange(N) % 2, 1, -1)
    rows = {
        "id": [f"t{i}" for i in range(N)],
        "txt": [f"text number {i}" for i in range(N)],
        "vec": list(vectors),
        "extra": [[i] for i in range(N)],
    }
    database.upsert("points", pd.DataFrame(rows), ["id"])
    return project.task("side")


@pytest.fixture
def data(task: Task, tmp_path: Path) -> str:
    """40 points to train on."""
    return write(tmp_path / "train.parquet", list(range(40)))


@pytest.fixture
def test(task: Task, tmp_path: Path) -> str:
    """20 other points and 5 of the same to test on, with gold that disagrees once."""
    return write(
        tmp_path / "test.parquet",
        list(range(35, 60)),
        gold_label=lambda i: ["left"] if i == 59 else side(i),
    )
