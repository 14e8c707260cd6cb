"""Two projects at work in two threads of one process: neither sees the other, nor changes what the process has."""

import gc
import os
import random
import shutil
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa
from threadpoolctl import threadpool_info

import adaptml
from adaptml import Project
from example_data.example_data_import import read_posts
from example_data.make_annotations import EXPORT

REPOSITORY = Path(__file__).resolve().parents[2]
TABLE, TASK = "example_data", "example"
QUICK = adaptml.SnorkelConfig(n_epochs=30)
SAME = 1e-6  # probabilities; the number of threads of a linear algebra library changes the last digits
WAIT_S = 300.0


@dataclass(frozen=True)
class Outcome:
    """What a chain of steps left behind.

    Attributes:
        metrics: of the run of `label`.
        predicted: table_name, id, label, label_probs.
    """

    metrics: dict[str, float]
    predicted: pd.DataFrame


class Chain:
    """The steps from rows to predictions; every thread waits for the other before each of them."""

    def __init__(self, folder: Path, remainder: int, barrier: threading.Barrier) -> None:
        self.folder, self.barrier = folder, barrier
        posts = read_posts()
        kept = posts["frame"].eq("annotated") | (
            posts["frame"].eq("multiclass") & (posts.index % 2 == remainder)
        )
        self.posts = posts[kept].reset_index(drop=True)
        shutil.copytree(REPOSITORY / "tasks" / TASK, folder / "tasks" / TASK)

    def run(self) -> Outcome:
        with Project(self.folder) as project:
            self.step(lambda: fill(project, self.posts))
            task = project.task(TASK, "multiclass")
            self.step(lambda: project.featurize(task, TABLE, encoder="hashing"))
            self.step(lambda: project.process_annotations(TASK, EXPORT, "1"))
            labelled = self.step(lambda: project.label(task, TABLE, gold="task", config=QUICK))
            trained = self.step(lambda: project.train(task, labelled, gold="task", strategy="union"))
            self.step(lambda: project.deploy(trained.model_name))
            predicted = self.step(lambda: project.predict(task, TABLE))
        return Outcome(dict(labelled.metrics), predicted.predictions)

    def step(self, work: Any) -> Any:
        self.barrier.wait(WAIT_S)
        return work()


def fill(project: Project, posts: pd.DataFrame) -> None:
    project.database.create_table(TABLE, {"id": sa.Text(), "txt": sa.Text()})
    project.database.upsert(TABLE, posts[["id", "txt"]], ["id"])


def state() -> dict[str, Any]:
    """What belongs to the process and not to a project.

    The filters of warnings are left out: libraries change them for a moment too, and two threads of Python 3.11
    that do so at once can leave one of the changes behind.
    """
    return {
        "environment": dict(os.environ),
        "working folder": Path.cwd(),
        "tracking URI": mlflow.get_tracking_uri(),
        "registry URI": mlflow.get_registry_uri(),
        "random": random.getstate(),
        "numpy random": repr(np.random.get_state()),  # noqa: NPY002
        "threads of linear algebra": sorted((i["filepath"], i["num_threads"]) for i in threadpool_info()),
        "garbage collection": gc.get_threshold(),
    }


@contextmanager
def watched() -> Iterator[set[str]]:
    """Working folders and addresses that were seen meanwhile, by looking every few milliseconds."""
    seen: set[str] = set()
    stop = threading.Event()

    def look() -> None:
        while not stop.is_set():
            seen.update(
                (
                    f"cwd {Path.cwd()}",
                    f"uri {mlflow.get_tracking_uri()}",
                    f"env {hash(str(sorted(os.environ.items())))}",
                )
            )
            time.sleep(0.002)

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield seen
    finally:
        stop.set()
        watcher.join()


def chains(folder: Path, parties: int) -> list[Chain]:
    """Two chains over different posts, whose threads wait for `parties` threads before each step."""
    barrier = threading.Barrier(parties)
    for name in ("even", "odd"):
        (folder / name).mkdir(parents=True)
    return [Chain(folder / name, number, barrier) for number, name in enumerate(("even", "odd"))]


def test_two_threads_give_what_each_gives_alone_and_leave_the_process_as_it_was(tmp_path: Path) -> None:
    for name in adaptml.__all__:
        getattr(adaptml, name)
    before = state()
    alone = [chain.run() for chain in chains(tmp_path / "alone", 1)]
    # PyTorch imports more of itself when it first trains, which sets a variable of its own.
    assert set(changed(before)) <= {"environment"}
    assert not [
        name for name in changed(before).get("environment", {}) if name.startswith(("ADAPTML_", "MLFLOW_"))
    ]
    before = state()
    both = chains(tmp_path / "together", 2)
    with watched() as seen, ThreadPoolExecutor(2) as pool:
        together = [future.result() for future in [pool.submit(chain.run) for chain in both]]
    assert changed(before) == {}
    assert len(seen) == 3, "the working folder, the tracking URI or the environment changed for a moment"
    for one, other in zip(together, alone, strict=True):
        assert one.metrics == pytest.approx(other.metrics, abs=SAME)
        assert one.predicted["id"].tolist() == other.predicted["id"].tolist()
        assert one.predicted["label"].tolist() == other.predicted["label"].tolist()
        probs = [np.array(frame["label_probs"].tolist()) for frame in (one.predicted, other.predicted)]
        np.testing.assert_allclose(*probs, atol=SAME, rtol=0)
    assert not together[0].predicted.equals(together[1].predicted)
    stores_hold_their_own(both)


def changed(before: dict[str, Any]) -> dict[str, Any]:
    return {name: news(before[name], value) for name, value in state().items() if value != before[name]}


def news(before: Any, now: Any) -> Any:
    """What of a value is new, so that a failure can be read."""
    if isinstance(now, dict):
        return {
            name: now.get(name) for name in now.keys() | before.keys() if now.get(name) != before.get(name)
        }
    return [item for item in now if item not in before] if isinstance(now, list) else now


def stores_hold_their_own(chains: list[Chain]) -> None:
    for chain in chains:
        with Project(chain.folder) as project:
            assert project.database.keys(TABLE)["id"].tolist() == sorted(chain.posts["id"])
            runs = project.list_runs()
            assert sorted(runs["step"]) == ["label", "train"]
            assert set(runs["status"]) == {"FINISHED"}
            models = project.runs.client.search_registered_models()
            assert sorted((model.name, len(model.latest_versions)) for model in models) == [
                ("multiclass_example", 1),
                ("multiclass_example_label_model", 1),
            ]
            inside = project.settings.home.as_uri()
            for run in runs["run_id"]:
                assert project.runs.get(run).info.artifact_uri.startswith(inside)
