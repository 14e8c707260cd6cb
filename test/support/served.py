"""A prediction service of its own process, and a registry of end models with known answers."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import mlflow
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression

from adaptml.project import Project
from adaptml.runs.models import MODEL_FOLDER, ModelToLog
from adaptml.tasks import MULTICLASS, Task
from modelling.algorithms import EndModel
from modelling.registration import model_to_log

REPOSITORY = Path(__file__).resolve().parents[2]
CODE = REPOSITORY / "test" / "functional" / "served_model.py"
START_S = 90
TAKE_OVER_S = 10
EXAMPLE = pd.DataFrame({"table_name": ["animals"], "id": ["a"]})
# The column x of the table holds the log-odds of these.
CAT = {"a": 0.9, "b": 0.2, "c": 0.5, "d": 0.1}
CLOSE = 1e-6  # features are float32


def animals(*, flip: bool = False, columns: int = 1) -> EndModel:
    """A model whose answers are known: log-odds of cat = x, or -x flipped; made for so many columns."""
    classifier = LogisticRegression()
    classifier.classes_ = np.array([0, 1])
    classifier.coef_ = np.full((1, columns), 1.0 if flip else -1.0)  # of dog, the second class
    classifier.intercept_ = np.zeros(1)
    classifier.n_features_in_ = columns
    model = EndModel("logistic_regression", MULTICLASS)
    model.k_, model.parts_ = 2, (classifier,)
    return model


class Pickled(mlflow.pyfunc.PythonModel):  # type: ignore[misc, name-defined]
    """A model that MLflow keeps as a pickle, which would run code when it is opened."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__ |= state
        self.mark.touch()

    def predict(self, context: Any, model_input: pd.DataFrame, params: Any = None) -> pd.DataFrame:
        return model_input


@dataclass
class Registry:
    """A project with a model registry, to which end models are added as `train` adds them."""

    project: Project

    @property
    def home(self) -> Path:
        return self.project.settings.home

    def add(self, name: str, **options: Any) -> str:
        """Register a version that answers as `animals` says; returns it."""
        return self.register(name, lambda folder: self.model(name, folder, **options))

    def add_broken(self, name: str) -> str:
        """Register a version whose classifier is not what it says."""

        def made(folder: Path) -> ModelToLog:
            model = self.model(name, folder)
            model.files["classifier"].write_text("not a classifier")
            return model

        return self.register(name, made)

    def model(self, name: str, folder: Path, **options: Any) -> ModelToLog:
        task = Task(name="pets", classes=["cat", "dog"])
        made = model_to_log(task, animals(**options), ["x"], 1, EXAMPLE, folder)
        return replace(made, registered_name=name)

    def register(self, name: str, make: Callable[[Path], ModelToLog]) -> str:
        with self.project.runs.run("test", name, {}) as recorder:
            recorder.model = make(recorder.folder)
        return str(recorder.model_version)

    def add_with_code(self, name: str, mark: Path, change: Callable[[Path], None] | None = None) -> str:
        """Register a version with code that leaves a file; `change` works on its saved folder."""
        code = self.home / f"{name}.py"
        code.write_text(CODE.read_text().replace("where the test says", str(mark)))
        version = self.register(name, lambda folder: replace(self.model(name, folder), code=code))
        client = self.project.runs.client
        uri = client.get_run(client.get_model_version(name, version).run_id).info.artifact_uri
        folder = Path(uri.removeprefix("file://")) / MODEL_FOLDER
        if change is not None:
            change(folder)
        return version

    def promote(self, name: str, version: str) -> None:
        self.project.runs.client.set_registered_model_alias(name, "champion", version)


@dataclass
class Server:
    """The service's process and what it wrote."""

    process: subprocess.Popen[str]
    address: str
    log: Path

    def get(self, path: str) -> httpx.Response:
        return httpx.get(self.address + path, timeout=30)

    def post(self, path: str, body: Any) -> httpx.Response:
        return httpx.post(self.address + path, json=body, timeout=30)

    def predict(self, name: str, *ids: str, table: str = "animals") -> httpx.Response:
        return self.post(f"/predict_{name}", {"table_name": [table] * len(ids), "id": list(ids)})


def start(home: Path, *options: str) -> Server:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
    environment |= {"ADAPTML_ROOT": str(home), "ADAPTML_HOME": str(home), "MLFLOW_DISABLE_TELEMETRY": "true"}
    environment["PYTHONPATH"] = os.pathsep.join([str(REPOSITORY), os.environ["PYTHONPATH"]])
    log = home / "server.log"
    with log.open("w") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", "modelling.serve", "--port", "0", *options],
            cwd=home,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )
    assert process.stdout is not None
    line = process.stdout.readline()  # ends when the process does
    found = re.search(r"http://\S+:\d+", line)
    assert found, f"the service did not start: {line!r}\n{log.read_text()}"
    return Server(process, found[0], log)


def stop(server: Server, by: signal.Signals = signal.SIGTERM) -> int:
    server.process.send_signal(by)
    code = server.process.wait(timeout=30)
    if server.process.stdout is not None:
        server.process.stdout.close()
    return code


def soon(server: Server, condition: Callable[[], bool], within_s: float = TAKE_OVER_S) -> None:
    """Wait until a condition holds; where it never does, show what the service wrote."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, f"not within {within_s} s\n{server.log.read_text()}"
        time.sleep(0.2)


def status(server: Server, name: str) -> dict[str, Any]:
    models = server.get("/").json()["models"]
    return next((model for model in models if model["name"] == name), {})
