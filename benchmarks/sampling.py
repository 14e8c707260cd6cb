"""Time and memory of every way to sample, on a SQLite table of a million rows and a run that labelled it.

    python -m benchmarks.sampling --rows 1000000

Each sampler runs in a process of its own (Linux); `nothing` is what its imports take alone.
"""

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import sqlalchemy as sa

from adaptml.database import Database, Vector
from adaptml.features.points import Points
from adaptml.frames import write_frame
from adaptml.project import Project
from adaptml.runs.label_run import RunFiles
from adaptml.sampling import Source, draw_sample

SAMPLINGS = (
    "nothing",
    "random",
    "stratified",
    "diverse",
    "uncertain",
    "disagreement",
    "uncovered",
    "uncertain:0.5,random:0.5",
)
DIMENSIONS = 32
CHUNK_ROWS = 50_000


def main() -> None:
    """Make the table and the run, then measure each sampler; print one line a figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--n", type=int, default=500)
    parser.add_argument("--one", nargs=2, metavar=("SAMPLING", "RUN"), help="measure one, here")
    given = parser.parse_args()
    if given.one:
        measure(given.one[0], given.one[1], given.n)
        return
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    print(
        f"{given.rows} rows, n = {given.n}; {platform.machine()}, {os.cpu_count()} cores, load {load}",
        flush=True,
    )
    with tempfile.TemporaryDirectory(prefix="sampling-") as scratch:
        environment = os.environ | {"ADAPTML_ROOT": scratch, "ADAPTML_HOME": scratch, "COLUMNS": "100"}
        os.environ.update(environment)
        _table(Path(scratch), given.rows)
        run = _run(Path(scratch), given.rows)
        for sampling in SAMPLINGS:
            one = ["--n", str(given.n), "--one", sampling, run]
            command = [sys.executable, "-m", "benchmarks.sampling", *one]
            subprocess.run(command, env=environment, check=True)


def measure(sampling: str, run: str, n: int) -> None:
    """Draw one sample; print its seconds and the process's largest resident memory."""
    home = Path(os.environ["ADAPTML_HOME"])
    database = Database(f"sqlite:///{home / 'data.db'}")
    began, drawn = time.perf_counter(), 0
    if sampling != "nothing":
        with tempfile.TemporaryDirectory() as folder:
            files = RunFiles(Project(), run, Path(folder))
            source = Source(Points(database, database), "posts", "kind", "vec", files)
            drawn = len(draw_sample(source, sampling, n, 0).frame)
    seconds = time.perf_counter() - began
    # ru_maxrss would hold the largest size of the process that started this one.
    status = Path("/proc/self/status").read_text()
    memory = int(status.split("VmHWM:")[1].split()[0]) / 1000
    print(f"{sampling:26} {seconds:6.1f} s  {memory:5.0f} MB  {drawn} points", flush=True)


def _table(home: Path, rows: int) -> None:
    database = Database(f"sqlite:///{home / 'data.db'}")
    database.create_table("posts", {"id": sa.Text(), "kind": sa.Text(), "vec": Vector()})
    rng = np.random.default_rng(0)
    for start in range(0, rows, CHUNK_ROWS):
        here = range(start, min(start + CHUNK_ROWS, rows))
        vectors = list(rng.normal(size=(len(here), DIMENSIONS)).astype(np.float32))
        kinds = [f"kind {i % 7}" for i in here]
        chunk = pd.DataFrame({"id": [f"{i:08d}" for i in here], "kind": kinds, "vec": vectors})
        database.upsert("posts", chunk, ["id"])
    database.close()


def _run(home: Path, rows: int) -> str:
    rng = np.random.default_rng(0)
    L = rng.choice(np.array([-1, -1, -1, 0, 1, 2], dtype=np.int8), size=(rows, 6))
    points = pd.DataFrame({"table_name": "posts", "id": [f"{i:08d}" for i in range(rows)]})
    data = write_frame(points, home / "points.parquet")
    covered = (L != -1).any(axis=1)
    probs = rng.dirichlet([1, 1, 1], size=int(covered.sum()))
    training = points[covered].assign(label=[["a"]] * len(probs), label_probs=list(probs))
    with Project().runs.run("posts", "label", {"setting": "multiclass", "train_data": data}) as recorder:
        write_frame(training, recorder.folder / "training_data.parquet")
        np.save(recorder.folder / "train_label_matrix.npy", L)
    return recorder.run_id


if __name__ == "__main__":
    main()
