"""How long it takes to read vectors by key from SQLite, against reading the whole table with pandas.

python -m benchmarks.reading [--rows 100000] [--length 384]
"""

import argparse
import resource
import sqlite3
import statistics
import tempfile
import time
from contextlib import closing
from pathlib import Path

import numpy as np
import pandas as pd
import sqlalchemy as sa

from adaptml.database import Database, Vector
from adaptml.features.points import Points
from adaptml.features.reading import read_features

REPEATS = 3
CHUNK_ROWS = 10_000


def fill(database: Database, rows: int, length: int) -> pd.DataFrame:
    """A table of random vectors; gives its keys in another order."""
    rng = np.random.default_rng(0)
    database.create_table("points", {"id": sa.Text(), "vec": Vector()})
    for start in range(0, rows, CHUNK_ROWS):
        n = min(CHUNK_ROWS, rows - start)
        vectors = rng.random((n, length), dtype=np.float32)
        ids = [f"point-{i}" for i in range(start, start + n)]
        database.upsert("points", pd.DataFrame({"id": ids, "vec": list(vectors)}), ["id"])
    order = rng.permutation(rows)
    return pd.DataFrame({"table_name": "points", "id": [f"point-{i}" for i in order]})


def with_pandas(path: Path, keys: pd.DataFrame) -> np.ndarray:
    """The same matrix without the project: read all, then put into key order."""
    with closing(sqlite3.connect(path)) as connection:
        table = pd.read_sql("SELECT id, vec FROM points", connection).set_index("id")
    return np.stack([np.frombuffer(value, dtype="<f4") for value in table.loc[keys["id"], "vec"]])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--length", type=int, default=384)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data.db"
        with closing(Database(f"sqlite:///{path}")) as database:
            keys = fill(database, given.rows, given.length)
            ours, theirs, peak_mb = [], [], 0.0
            for _ in range(REPEATS):
                started = time.perf_counter()
                matrix = read_features(Points(database, database), keys, ["vec"])
                ours.append(time.perf_counter() - started)
                # Of the first repeat only: later ones stand beside what pandas took.
                peak_mb = peak_mb or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
                started = time.perf_counter()
                other = with_pandas(path, keys)
                theirs.append(time.perf_counter() - started)
                if not np.array_equal(matrix, other):
                    raise SystemExit("the two matrices differ")
    mine, pandas_s = statistics.median(ours), statistics.median(theirs)
    print(f"{given.rows:,} points x {given.length} numbers by key from SQLite, median of {REPEATS}")
    print(f"  this project  {mine:6.2f} s, peak memory of the process {peak_mb:,.0f} MB")
    print(f"  whole table with pandas, then sorted  {pandas_s:6.2f} s; ratio {mine / pandas_s:.2f}")


if __name__ == "__main__":
    main()
