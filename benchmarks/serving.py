"""What a prediction takes: in a process, and over HTTP beside a FastAPI app that always answers the same.

    python -m benchmarks.serving [--rows 20000]

Makes a SQLite table of 384-d vectors in a temporary folder and deploys a logistic regression on it. In a
process, the reference is the least that the work can be: a query by Python's own sqlite3, the sum of the
model in NumPy, JSON. Over HTTP, 1 to 100 clients ask the real service and the bare app, each over one kept
connection. Figures are CPU seconds of the server's process for one request. Answers are checked against the
classifier's own.
"""

import asyncio
import json
import os
import re
import sqlite3
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import psutil
import sqlalchemy as sa
import typer

from adaptml.database import Database, Vector
from adaptml.features.points import Points
from adaptml.files import write_text
from adaptml.project import Project
from benchmarks.form import Json, Measured, Report, Rows, report
from benchmarks.measuring import MB, Cost, measure
from modelling.algorithms import EndModel
from modelling.champion import load_champion
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
CLIENTS, IDS = (1, 8, 32, 100), (1, 100)
CALLS, REQUESTS, WARM_UP = 300, 1_000, 30
SEED = 0

Vectors = npt.NDArray[np.float32]


def main(rows: Rows = ROWS, json: Json = None) -> None:
    """Measure and print a table."""
    with (
        tempfile.TemporaryDirectory(prefix="adaptml-serving-") as folder,
        report("serving", "A prediction of a logistic regression on 384 numbers, SQLite.", json, rows, "ids")
        as found,
    ):  # fmt: skip
        home = Path(folder)
        settings = {"ADAPTML_ROOT": folder, "ADAPTML_HOME": folder, "PYTHONPATH": str(REPOSITORY)}
        settings |= {"MLFLOW_DISABLE_TELEMETRY": "true", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        os.environ |= settings | {"MLFLOW_TRACKING_URI": f"sqlite:///{home / 'mlflow.db'}"}
        write_text(TASK, home / "tasks" / "points" / "task.yaml")
        vectors = make_table(f"sqlite:///{home / 'data.db'}", rows)
        with warnings.catch_warnings(action="ignore"):
            model = deploy_model(vectors)
        for size in IDS:
            in_process(found, home, model, [f"p{7 * i % rows}" for i in range(size)])
        with service(home) as ours, bare(home) as theirs:
            for size in IDS:
                asked = np.arange(size) * 7 % rows
                body = request([f"p{i}" for i in asked])
                answer = asyncio.run(ask(ours, body, 1, 1)).answer
                found.check(
                    is_right(answer, model.predict_proba(vectors[asked])), "answers are not the model's"
                )
                for clients in CLIENTS:
                    found.add(over_http(ours, theirs, body, clients, size))


def make_table(url: str, rows: int = ROWS) -> Vectors:
    """Write random unit vectors into a table of a database; returns them, (rows, LENGTH)."""
    vectors = np.random.default_rng(SEED).normal(size=(rows, LENGTH)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    frame = pd.DataFrame({"id": [f"p{i}" for i in range(rows)], VECTOR: list(vectors)})
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


def in_process(found: Report, home: Path, model: EndModel, ids: list[str]) -> None:
    """A champion's answer, beside the least that it can be."""
    ours, cost = measure(_answers, home, ids, prepare=_champion)
    theirs, least = measure(
        _answers, home, ids, model.parts_[0].coef_, model.parts_[0].intercept_, prepare=_ready
    )
    same = np.allclose([ours[f"prob_{name}"] for name in CLASSES], np.array(theirs).T, atol=1e-6)
    found.check(same, "the two answers differ")
    per = [Cost(one.seconds / CALLS, one.peak_mb) for one in (cost, least)]
    found.add(
        Measured("in the process", len(ids), per[0], "sqlite3, NumPy, JSON", per[1], readme=len(ids) == 1)
    )


def _champion(home: Path, ids: list[str]) -> Callable[[], dict[str, Any]]:
    project = Project(home)
    points = Points(project.database, project.database, remembered_s=3.0)  # as the service has it
    champion = load_champion(project.runs.client, points, "multiclass_points", "1")

    def answer() -> dict[str, Any]:
        said = champion.predict(["points"] * len(ids), ids)
        json.dumps(said)
        return said

    answer()
    return answer


def _ready(
    home: Path, ids: list[str], coef: npt.NDArray[np.float64], intercept: npt.NDArray[np.float64]
) -> Callable[[], list[list[float]]]:
    connection = sqlite3.connect(home / "data.db")
    query = f"SELECT id, {VECTOR} FROM points WHERE id IN ({', '.join('?' * len(ids))})"
    weights = coef.T.astype(np.float32)

    def answer() -> list[list[float]]:
        by_id = dict(connection.execute(query, ids))
        matrix = np.frombuffer(b"".join([by_id[key] for key in ids]), "<f4").reshape(len(ids), -1)
        powers = np.exp(matrix @ weights + intercept)
        probs: list[list[float]] = (powers / powers.sum(axis=1, keepdims=True)).tolist()
        json.dumps(probs)
        return probs

    return answer


def _answers(answer: Callable[[], Any]) -> Any:
    for _ in range(CALLS - 1):
        answer()
    return answer()


@dataclass(frozen=True)
class Server:
    """A process that answers at an address."""

    address: str
    process: psutil.Process

    @property
    def cpu_s(self) -> float:
        """CPU seconds, user and system, so far."""
        return float(sum(self.process.cpu_times()[:2]))


@contextmanager
def service(home: Path) -> Iterator[Server]:
    """The service as a process of its own."""
    with _started([sys.executable, "-m", "adaptml.cli", "serve", "--port", "0"], home) as server:
        yield server


BARE = """
import uvicorn
from fastapi import FastAPI
from adaptml.listening import address_of, listen

app, answer = FastAPI(), {answer!r}


@app.post("/predict_multiclass_points")
async def predict():
    return answer


listener = listen("127.0.0.1", 0)
print(address_of(listener), flush=True)
uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False)).run(sockets=[listener])
"""


@contextmanager
def bare(home: Path) -> Iterator[Server]:
    """A FastAPI app that always gives an answer for one data point."""
    probs = {f"prob_{name}": [1 / len(CLASSES)] for name in CLASSES}
    answer = {"table_name": ["points"], "id": ["p0"]} | {name: [0] for name in CLASSES} | probs
    with _started([sys.executable, "-c", BARE.format(answer=answer)], home) as server:
        yield server


@contextmanager
def _started(command: list[str], home: Path) -> Iterator[Server]:
    with subprocess.Popen(command, cwd=home, stdout=subprocess.PIPE, text=True) as process:
        try:
            line = process.stdout.readline() if process.stdout else ""
            found = re.search(r"http://\S+:\d+", line)
            if found is None:
                raise SystemExit(f"the server did not start: {line!r}")
            yield Server(found[0], psutil.Process(process.pid))
        finally:
            process.terminate()


def over_http(ours: Server, theirs: Server, body: bytes, clients: int, size: int) -> Measured:
    """The service and the bare app, asked by so many clients."""
    costs, notes = [], []
    for name, server in (("service", ours), ("bare app", theirs)):
        asyncio.run(ask(server, body, clients, WARM_UP))
        before, began = server.cpu_s, time.perf_counter()
        took = asyncio.run(ask(server, body, clients, REQUESTS)).seconds
        per_s, used = REQUESTS / (time.perf_counter() - began), server.cpu_s - before
        half, last = (f"{1_000 * np.quantile(took, share):.1f}" for share in (0.5, 0.99))
        notes.append(f"{name} {per_s:,.0f} requests/s, {half} ms median, {last} ms 99 %")
        costs.append(Cost(used / REQUESTS, server.process.memory_info().rss / MB))
    what, note = f"{clients} {'client' if clients == 1 else 'clients'}", "; ".join(notes)
    reference = "FastAPI, one answer for all"
    return Measured(what, size, costs[0], reference, costs[1], note=note, readme=clients == 32)


@dataclass(frozen=True)
class Asked:
    """Seconds that each request took, and the last answer."""

    seconds: list[float]
    answer: bytes


async def ask(server: Server, body: bytes, clients: int, requests: int) -> Asked:
    """Ask by so many clients, each again when it was answered."""
    host, port = server.address.removeprefix("http://").split(":")
    lines = [
        "POST /predict_multiclass_points HTTP/1.1",
        f"Host: {host}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
    ]
    sent = "\r\n".join([*lines, "", ""]).encode() + body
    left, took, answer = iter(range(requests)), [], b""

    async def client() -> None:
        nonlocal answer
        reader, writer = await asyncio.open_connection(host, int(port))
        for _ in left:
            began = time.perf_counter()
            writer.write(sent)
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"content-length: (\d+)", head.lower())
            if b" 200 " not in head[:20] or length is None:
                raise SystemExit(f"not answered: {head.decode()}")
            answer = await reader.readexactly(int(length[1]))
            took.append(time.perf_counter() - began)
        writer.close()

    await asyncio.gather(*(client() for _ in range(clients)))
    return Asked(took, answer)


def request(ids: list[str]) -> bytes:
    """The body of a request."""
    return json.dumps({"table_name": ["points"] * len(ids), "id": ids}).encode()


def is_right(answer: bytes, expected: npt.NDArray[np.float64]) -> bool:
    """Whether the service's probabilities are the classifier's own."""
    said = json.loads(answer)
    return np.allclose(np.array([said[f"prob_{name}"] for name in CLASSES]).T, expected)


if __name__ == "__main__":
    typer.run(main)
