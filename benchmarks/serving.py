"""How long the prediction service takes, beside scikit-learn called in this process on the same vectors.

    python -m benchmarks.serving

Makes a SQLite table of 384-d vectors in a temporary folder, trains and deploys a logistic regression on
it, starts the real service on a free port of this machine, and asks it with a real HTTP client over one
kept connection. An answer of each size is checked against the classifier's own.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import numpy.typing as npt
import pandas as pd
import sqlalchemy as sa
from rich.console import Console
from rich.table import Table

from adaptml.database import Database, Vector
from adaptml.files import write_text
from adaptml.project import Project
from modelling.algorithms import EndModel
from modelling.deploy import deploy
from modelling.registration import model_to_log, registered_name

ROWS, LENGTH, TRAINED_ON = 20_000, 384, 5_000
VECTOR = "txt_vec"
CLASSES = ["bird", "cat", "dog", "horse", "snake"]
TASK = f"""
title: Which animal is the post about?
setting: multiclass
classes: [{", ".join(f"{{name: {name}}}" for name in CLASSES)}]
columns: [{{name: txt, type: text}}]
lf_features: [txt]
features: [{VECTOR}]
"""
REPOSITORY = Path(__file__).resolve().parents[1]
CALLS = {1: 400, 100: 100, 1_000: 60, 10_000: 10}
WARM_UP = 5
SEED = 0

Vectors = npt.NDArray[np.float32]


def main() -> None:
    """Measure and print a table."""
    with tempfile.TemporaryDirectory(prefix="adaptml-serving-") as folder:
        home = Path(folder)
        settings = {"ADAPTML_ROOT": folder, "ADAPTML_HOME": folder, "PYTHONPATH": str(REPOSITORY)}
        os.environ |= settings | {"MLFLOW_TRACKING_URI": f"sqlite:///{home / 'mlflow.db'}"}
        write_text(TASK, home / "tasks" / "points" / "task.yaml")
        vectors = make_table(f"sqlite:///{home / 'data.db'}")
        with warnings.catch_warnings(action="ignore"):
            model = deploy_model(vectors)
        with service(home) as address, httpx.Client(base_url=address, timeout=60) as client:
            Console().print(measure(client, model, vectors))


def make_table(url: str) -> Vectors:
    """Write ROWS random unit vectors into a table of a database; returns them, (ROWS, LENGTH)."""
    vectors = np.random.default_rng(SEED).normal(size=(ROWS, LENGTH)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    frame = pd.DataFrame({"id": [f"p{i}" for i in range(ROWS)], VECTOR: list(vectors)})
    with Database(url) as database:
        database.create_table("points", {"id": sa.Text(), VECTOR: Vector()})
        database.upsert("points", frame, ["id"])
    return vectors


def deploy_model(vectors: Vectors) -> EndModel:
    """Train an end model on part of the table, register and deploy it; returns its classifier."""
    labels = np.eye(len(CLASSES))[vectors[:TRAINED_ON, : len(CLASSES)].argmax(axis=1)]
    example = pd.DataFrame({"table_name": ["points"], "id": ["p0"]})
    with Project() as project:
        task = project.task("points")
        with project.runs.run("points", "serving benchmark", {}) as recorder:
            model = EndModel("logistic_regression", task.problem).fit(vectors[:TRAINED_ON], labels)
            recorder.model = model_to_log(task, model, [VECTOR], LENGTH, example, recorder.folder)
        deploy(project, registered_name(task))
    return model


@contextmanager
def service(home: Path) -> Iterator[str]:
    """Run the service as a process of its own; gives its address."""
    command = [sys.executable, "-m", "modelling.serve", "--port", "0"]
    with subprocess.Popen(command, cwd=home, stdout=subprocess.PIPE, text=True) as process:
        try:
            line = process.stdout.readline() if process.stdout else ""
            found = re.search(r"http://\S+:\d+", line)
            if found is None:
                raise SystemExit(f"the service did not start: {line!r}")
            yield found[0]
        finally:
            process.terminate()


def measure(client: httpx.Client, model: EndModel, vectors: Vectors) -> Table:
    """Time requests of several sizes over HTTP and in this process."""
    table = Table(title=f"{ROWS:,} points x {LENGTH}-d in SQLite, {len(CLASSES)} classes")
    columns = ("ids a call", "calls", "median ms", "p95 ms", "scikit-learn alone ms", "ratio")
    for column in columns:
        table.add_column(column, justify="right")
    rng = np.random.default_rng(SEED)
    for size, calls in CALLS.items():
        asked = [rng.choice(ROWS, size=size, replace=False) for _ in range(calls + WARM_UP)]
        bodies = [{"table_name": ["points"] * size, "id": [f"p{i}" for i in rows]} for rows in asked]
        check(ask(client, bodies[0]), model.predict_proba(vectors[asked[0]]))
        http_ms = timed([partial(ask, client, body) for body in bodies])
        alone_ms = timed([partial(model.predict_proba, vectors[rows]) for rows in asked])
        median, alone = np.median(http_ms), np.median(alone_ms)
        cells = (
            f"{median:.1f}",
            f"{np.percentile(http_ms, 95):.1f}",
            f"{alone:.2f}",
            f"{median / alone:.0f}",
        )
        table.add_row(f"{size:,}", f"{calls}", *cells)
    return table


def ask(client: httpx.Client, body: dict[str, list[str]]) -> dict[str, Any]:
    """One request, its answer read whole."""
    answer = client.post("/predict_multiclass_points", json=body)
    answer.raise_for_status()
    decoded: dict[str, Any] = answer.json()
    return decoded


def check(answer: dict[str, Any], expected: npt.NDArray[np.float64]) -> None:
    """Stop where the service and scikit-learn differ."""
    given = np.array([answer[f"prob_{name}"] for name in CLASSES]).T
    if not np.allclose(given, expected):
        raise SystemExit("the service's probabilities are not scikit-learn's")


def timed(calls: list[Callable[[], object]]) -> list[float]:
    """Milliseconds of each call after the first WARM_UP."""
    took = []
    for call in calls:
        start = time.perf_counter()
        call()
        took.append(1_000 * (time.perf_counter() - start))
    return took[WARM_UP:]


if __name__ == "__main__":
    main()
