"""How long the prediction service takes, beside scikit-learn called in this process on the same vectors.

    python -m benchmarks.serving

Makes a SQLite table of 384-d vectors and a logistic regression in a temporary folder, starts the real
service on a free port of this machine, and asks it with a real HTTP client over one kept connection.
Each answer is checked against scikit-learn's.
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
import mlflow
import numpy as np
import numpy.typing as npt
import pandas as pd
import skops.io
import sqlalchemy as sa
from mlflow.models import ModelSignature
from mlflow.tracking import MlflowClient
from mlflow.types import ColSpec, Schema, TensorSpec
from rich.console import Console
from rich.table import Table
from sklearn.linear_model import LogisticRegression

from adaptml.database import Database, Vector
from benchmarks.served_model import VECTOR

ROWS, LENGTH = 20_000, 384
CLASSES = ["bird", "cat", "dog", "horse", "snake"]
REPOSITORY = Path(__file__).resolve().parents[1]
CALLS = {1: 400, 100: 100, 1_000: 60, 10_000: 10}
WARM_UP = 5
SEED = 0

Vectors = npt.NDArray[np.float32]


def main() -> None:
    """Measure and print a table."""
    with tempfile.TemporaryDirectory(prefix="adaptml-serving-") as folder:
        home = Path(folder)
        (home / "tasks").mkdir()
        vectors = make_table(home)
        classifier = register(home, vectors)
        with service(home) as address, httpx.Client(base_url=address, timeout=60) as client:
            Console().print(measure(client, classifier, vectors))


def make_table(home: Path) -> Vectors:
    """Write ROWS random unit vectors into a table; returns them, (ROWS, LENGTH)."""
    vectors = np.random.default_rng(SEED).normal(size=(ROWS, LENGTH)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    database = Database(f"sqlite:///{home / 'data.db'}")
    database.create_table("points", {"id": sa.Text(), VECTOR: Vector()})
    frame = pd.DataFrame({"id": [f"p{i}" for i in range(ROWS)], VECTOR: list(vectors)})
    database.upsert("points", frame, ["id"])
    database.close()
    return vectors


def register(home: Path, vectors: Vectors) -> LogisticRegression:
    """Fit a classifier, register it as an end model and make it the champion."""
    labels = np.array(CLASSES)[vectors[:, : len(CLASSES)].argmax(axis=1)]
    classifier = LogisticRegression(max_iter=200).fit(vectors[:5_000], labels[:5_000])
    skops.io.dump(classifier, home / "classifier.skops")
    outputs: list[ColSpec | TensorSpec] = [ColSpec("double", name) for name in CLASSES]
    outputs += [ColSpec("double", f"prob_{name}") for name in CLASSES]
    keys = Schema([ColSpec("string", "table_name"), ColSpec("string", "id")])
    uri = f"sqlite:///{home / 'mlflow.db'}"
    mlflow.set_tracking_uri(uri)
    client = MlflowClient(uri)
    experiment = client.create_experiment("benchmark", (home / "runs").as_uri())
    with warnings.catch_warnings(action="ignore"), mlflow.start_run(experiment_id=experiment):
        info = mlflow.pyfunc.log_model(
            name="points",
            python_model=str(Path(__file__).with_name("served_model.py")),
            artifacts={"classifier": str(home / "classifier.skops")},
            signature=ModelSignature(keys, Schema(outputs)),
            pip_requirements=["mlflow-skinny", "skops"],
            registered_model_name="points",
        )
    client.set_registered_model_tag("points", "adaptml.kind", "end_model")
    client.set_registered_model_alias("points", "champion", str(info.registered_model_version))
    return classifier


@contextmanager
def service(home: Path) -> Iterator[str]:
    """Run the service as a process of its own; gives its address."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
    environment |= {"ADAPTML_ROOT": str(home), "ADAPTML_HOME": str(home), "PYTHONPATH": str(REPOSITORY)}
    command = [sys.executable, "-m", "modelling.serve", "--port", "0"]
    with subprocess.Popen(command, cwd=home, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            line = process.stdout.readline() if process.stdout else ""
            found = re.search(r"http://\S+:\d+", line)
            if found is None:
                raise SystemExit(f"the service did not start: {line!r}")
            yield found[0]
        finally:
            process.terminate()


def measure(client: httpx.Client, classifier: LogisticRegression, vectors: Vectors) -> Table:
    """Time requests of several sizes over HTTP and in this process."""
    table = Table(title=f"{ROWS:,} points x {LENGTH}-d in SQLite, {len(CLASSES)} classes")
    columns = ("ids a call", "calls", "median ms", "p95 ms", "scikit-learn alone ms", "ratio")
    for column in columns:
        table.add_column(column, justify="right")
    rng = np.random.default_rng(SEED)
    for size, calls in CALLS.items():
        asked = [rng.choice(ROWS, size=size, replace=False) for _ in range(calls + WARM_UP)]
        bodies = [{"table_name": ["points"] * size, "id": [f"p{i}" for i in rows]} for rows in asked]
        check(ask(client, bodies[0]), classifier.predict_proba(vectors[asked[0]]))
        http_ms = timed([partial(ask, client, body) for body in bodies])
        alone_ms = timed([partial(classifier.predict_proba, vectors[rows]) for rows in asked])
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
    answer = client.post("/predict_points", json=body)
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
